/** What can be done with a receiver: try it, resume it, give it a new secret, switch it off. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { get, patch, post } from "../api/client";
import type { NotificationDetailAnswer, ReceiverAnswer, RotatedSecretAnswer } from "../api/office";
import { Attempts, DeliveryState } from "../records/deliveries";
import { ConfirmedButton } from "../shell/confirmed-button";
import { Refusal, useDeed } from "../shell/trouble";
import { word } from "../words/language";
import { OneTimeSecret } from "./one-time-secret";

const LOOK_AGAIN_MS = 1_000;
/** Channels whose messages carry a signature. */
const SIGNED: ReadonlySet<string> = new Set(["webhook", "dingtalk", "feishu"]);

/** Follows a test message until it has arrived or was given up. */
function TestMessage({ id, settled }: { id: string; settled: () => void }): JSX.Element {
  const sent = useSignal<NotificationDetailAnswer | null>(null);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let over = false;
    const look = async (): Promise<void> => {
      try {
        sent.value = await get<NotificationDetailAnswer>(`notifications/${id}`);
      } catch {
        // The next look tells.
      }
      if (over) return;
      if (sent.value && sent.value.state !== "pending") settled();
      else timer = setTimeout(() => void look(), LOOK_AGAIN_MS);
    };
    void look();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [id]);
  return (
    <div class="said" role="status" data-testid="test-message" data-state={sent.value?.state ?? "pending"}>
      {word("receiver.test.sent")} <DeliveryState state={sent.value?.state ?? "pending"} />
      {sent.value && <Attempts deliveries={sent.value.deliveries} />}
    </div>
  );
}

export function ReceiverDeeds({ receiver, changed }: { receiver: ReceiverAnswer; changed: () => void }): JSX.Element {
  const deed = useDeed();
  const test = useSignal<string | null>(null);
  const secret = useSignal<string | null>(null);
  const place = `receivers/${encodeURIComponent(receiver.id)}`;
  const run = async (what: () => Promise<unknown>): Promise<void> => {
    await deed.run(what);
    changed();
  };
  return (
    <>
      <div class="row">
        {receiver.enabled && (
          <button
            type="button"
            disabled={deed.busy}
            data-testid="receiver-test"
            onClick={() => void run(async () => (test.value = (await post<{ notification: string }>(`${place}/test`, {})).notification))}
          >
            {word("receiver.test")}
          </button>
        )}
        {receiver.health.state === "paused" && (
          <button type="button" disabled={deed.busy} data-testid="receiver-resume" onClick={() => void run(() => post(`${place}/resume`, {}))}>
            {word("receiver.resume")}
          </button>
        )}
        {SIGNED.has(receiver.channel) && (
          <ConfirmedButton
            name="receiver-rotate"
            label={word("receiver.rotate")}
            meaning={word("receiver.rotate.meaning")}
            busy={deed.busy}
            run={() => void run(async () => (secret.value = (await post<RotatedSecretAnswer>(`${place}/secret`, {})).secret))}
          />
        )}
        {receiver.enabled ? (
          <ConfirmedButton
            name="receiver-switch"
            label={word("switch.off")}
            meaning={word("receiver.switch.meaning")}
            busy={deed.busy}
            run={() => void run(() => patch(place, { enabled: false }))}
          />
        ) : (
          <button type="button" disabled={deed.busy} data-testid="receiver-switch" onClick={() => void run(() => patch(place, { enabled: true }))}>
            {word("switch.on")}
          </button>
        )}
      </div>
      {secret.value && <OneTimeSecret secret={secret.value} done={() => (secret.value = null)} />}
      {test.value && <TestMessage key={test.value} id={test.value} settled={changed} />}
      <Refusal deed={deed} />
    </>
  );
}
