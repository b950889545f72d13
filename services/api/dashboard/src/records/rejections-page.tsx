/** Payloads that could not become a reading, with their reason; looked at, read again, dismissed. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { post } from "../api/client";
import { me } from "../api/session";
import type { Page, RejectionAnswer, ReprocessAnswer } from "../api/types";
import { useAnswer } from "../api/use-answer";
import { OfficePage } from "../office/office-page";
import { ConfirmedButton } from "../shell/confirmed-button";
import { Refusal, useDeed } from "../shell/trouble";
import { WideTable } from "../shell/wide-table";
import { word, wordFor } from "../words/language";
import { RejectionRow } from "./rejection-row";
import { useEvery } from "./use-every";

const PAGE_LENGTH = 100;
/** While something is being read again the page looks more often. */
const SOON_MS = 2_000;
const REASONS = [
  "bad-topic",
  "bad-json",
  "bad-field",
  "not-finite",
  "bad-time",
  "oversized",
  "unknown-sensor",
  "wrong-unit",
  "bad-encoding",
  "not-yours",
] as const;

export function RejectionsPage(): JSX.Element {
  const reason = useSignal("");
  const sensor = useSignal("");
  const topic = useSignal("");
  const length = useSignal(PAGE_LENGTH);
  const waiting = useSignal<ReadonlyMap<number, string>>(new Map());
  const told = useSignal<readonly string[]>([]);
  const deed = useDeed();
  const chosen = { reason: reason.value, sensor: sensor.value.trim(), topic_prefix: topic.value.trim() };
  const { answer, problem, again } = useAnswer<Page<RejectionAnswer>>("rejections", { ...chosen, limit: length.value });
  useEvery(again);
  const may = me.value?.permissions.includes("operate") ?? false;
  const isBusy = answer?.items.some((each) => each.reprocess_requested_at) ?? false;
  useEffect(() => {
    if (!isBusy && !waiting.value.size) return;
    const timer = setInterval(again, SOON_MS);
    return () => clearInterval(timer);
  }, [isBusy, waiting.value.size, again]);
  // With another choice a row that is missing says nothing of what became of it.
  useEffect(() => void (waiting.value = new Map()), [chosen.reason, chosen.sensor, chosen.topic_prefix]);
  useEffect(() => {
    if (!answer) return;
    const there = new Map(answer.items.map((each) => [each.id, each]));
    const left = new Map(waiting.value);
    for (const [id, name] of waiting.value) {
      const now = there.get(id);
      if (now?.reprocess_requested_at) continue;
      left.delete(id);
      // A rejection that keeps nothing any more is gone: what it kept became readings.
      if (!now) told.value = [...told.value, word("rejection.became", { topic: name })];
    }
    if (left.size !== waiting.value.size) waiting.value = left;
  }, [answer]);
  const readAll = (): void =>
    void deed.run(async () => {
      const query = new URLSearchParams(Object.entries(chosen).filter(([, value]) => value));
      const asked = await post<ReprocessAnswer>(`rejections/reprocess?${query}`, {});
      told.value = [...told.value, word("rejection.reprocess.asked", { ...asked })];
      again();
    });
  return (
    <OfficePage page="rejections" loading={!answer} problem={problem} again={again}>
      <p class="choices">
        <select data-testid="rejection-reason" aria-label={word("rejection.reason")} value={reason.value} onChange={(event) => (reason.value = event.currentTarget.value)}>
          <option value="">{word("rejection.every")}</option>
          {REASONS.map((each) => (
            <option key={each} value={each}>
              {wordFor("reason", each)}
            </option>
          ))}
        </select>{" "}
        <input
          type="search"
          data-testid="rejection-sensor"
          aria-label={word("rejection.sensor")}
          placeholder={word("rejection.sensor")}
          value={sensor.value}
          onInput={(event) => (sensor.value = event.currentTarget.value)}
        />{" "}
        <input
          type="search"
          data-testid="rejection-topic"
          aria-label={word("rejection.topic-begins")}
          placeholder={word("rejection.topic-begins")}
          value={topic.value}
          onInput={(event) => (topic.value = event.currentTarget.value)}
        />{" "}
        {may && answer && answer.items.length > 0 && (
          <ConfirmedButton
            name="rejection-reprocess-all"
            label={word("rejection.reprocess.all")}
            meaning={word("rejection.reprocess.means")}
            busy={deed.busy}
            run={readAll}
          />
        )}
      </p>
      <Refusal deed={deed} />
      <div role="status" data-testid="rejection-told">
        {told.value.map((line) => (
          <p key={line}>{line}</p>
        ))}
      </div>
      {answer && !answer.items.length && <p class="quiet">{word("rejections.none")}</p>}
      {answer && answer.items.length > 0 && (
        <WideTable label={word("office.rejections")}>
          <table data-testid="rejection-table">
            <thead>
              <tr>
                <th>{word("rejection.received")}</th>
                <th>{word("rejection.reason")}</th>
                <th>{word("rejection.topic")}</th>
                <th>{word("rejection.detail")}</th>
                <th>{word("rejection.payload")}</th>
              </tr>
            </thead>
            <tbody>
              {answer.items.map((rejection) => (
                <RejectionRow
                  key={rejection.id}
                  rejection={rejection}
                  may={may}
                  asked={(one) => (waiting.value = new Map(waiting.value).set(one.id, one.topic))}
                  changed={again}
                />
              ))}
            </tbody>
          </table>
        </WideTable>
      )}
      {answer?.next && length.value < 500 && (
        <button type="button" data-testid="rejection-more" onClick={() => (length.value = 500)}>
          {word("rejection.more")}
        </button>
      )}
    </OfficePage>
  );
}
