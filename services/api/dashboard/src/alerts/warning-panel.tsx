/** The warning that came of an alert, who has it, and how it was delivered; or the form to publish one. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { post } from "../api/client";
import type { AlertAnswer, NotificationAnswer, WarningAnswer, WarningMove, WorkOrderAnswer } from "../api/types";
import { DeliveryState } from "../records/deliveries";
import { LifelineMark, SeverityMark, Time } from "../shell/marks";
import { type Deed, Refusal, useDeed } from "../shell/trouble";
import { say, word, wordFor } from "../words/language";
import { PublishForm } from "./publish-form";

interface Published {
  alert: AlertAnswer;
  warning: WarningAnswer | null;
  sent: readonly NotificationAnswer[];
  /** The order that was dispatched with it: it knows the organisation by name. */
  order: WorkOrderAnswer | null;
  changed: () => void;
}

const BY_RULE = /^rule (?<rule>\S+): published from severity (?<severity>[1-4])$/;
const BY_PERSON = /^published by (?<actor>.+)$/;

/** The record says it in English; what the service itself writes there is said in the page's language. */
function policyWords(policy: string): string {
  const { rule, severity } = BY_RULE.exec(policy)?.groups ?? {};
  if (rule && severity) return word("warning.policy.rule", { rule, severity: wordFor("severity", severity) });
  const { actor } = BY_PERSON.exec(policy)?.groups ?? {};
  return actor ? word("warning.policy.person", { actor }) : policy;
}

function Step({ name, at, by }: { name: string; at: string | null; by: string | null }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <Time at={at} empty={word("warning.notyet")} /> {at && by && <span class="quiet">{by === "system" ? wordFor("actor", by) : word("warning.by", { person: by })}</span>}
      </dd>
    </div>
  );
}

/** These need a reason, which is asked for when the step is chosen. */
const ASKS_FOR_REASON: ReadonlySet<WarningMove> = new Set(["reject", "cancel"]);

function Moves({ warning, deed, changed }: { warning: WarningAnswer; deed: Deed; changed: () => void }): JSX.Element {
  const chosen = useSignal<WarningMove | null>(null);
  const reason = useSignal("");
  const make = async (move: WarningMove): Promise<void> => {
    if (ASKS_FOR_REASON.has(move) && chosen.value !== move) {
      chosen.value = move;
      return;
    }
    const note = reason.value.trim();
    if (ASKS_FOR_REASON.has(move) && !note) return;
    if (await deed.run(() => post(`warnings/${warning.id}/${move}`, note ? { note } : {}))) {
      chosen.value = null;
      reason.value = "";
    }
    changed();
  };
  return (
    <>
      <div class="row">
        {warning.moves.map((move) => (
          <button
            key={move}
            type="button"
            class={move === "receive" || move === "approve" ? "primary" : ""}
            disabled={deed.busy}
            data-testid={`warning-button-${move}`}
            onClick={() => void make(move)}
          >
            {word(`warning.move.${move}`)}
          </button>
        ))}
      </div>
      {chosen.value && (
        <label class="deed">
          {word("warning.reason")}
          <textarea
            rows={2}
            maxLength={2000}
            data-testid="warning-reason"
            value={reason.value}
            onInput={(event) => (reason.value = event.currentTarget.value)}
          />
        </label>
      )}
    </>
  );
}

function Sent({ sent }: { sent: readonly NotificationAnswer[] }): ComponentChildren {
  if (!sent.length) return null;
  return (
    <details open data-testid="warning-deliveries">
      <summary>
        {word("notification.deliveries")} ({sent.filter((one) => one.state === "delivered").length}/{sent.length})
      </summary>
      <ul class="sent">
        {sent.map((one) => (
          <li key={one.id}>
            <DeliveryState state={one.state} /> <b>{one.receiver}</b> <span class="quiet">{wordFor("message", one.type)}</span>{" "}
            <Time at={one.delivered_at ?? one.created_at} />
          </li>
        ))}
      </ul>
    </details>
  );
}

function ending(warning: WarningAnswer): string {
  if (warning.state === "cancelled" || warning.state === "rejected") return word(`warning.ended.${warning.state}`);
  return word("warning.lifted");
}

export function WarningPanel({ alert, warning, sent, order, changed }: Published): JSX.Element {
  const deed = useDeed();
  if (!warning) {
    if (alert.warning) return <p class="quiet">{word("loading")}</p>;
    return (
      <>
        <p class="quiet">{word("warning.none")}</p>
        <PublishForm alert={alert} changed={changed} />
      </>
    );
  }
  return (
    <div data-testid="warning" data-state={warning.state}>
      <p>
        <span class={`badge severity-${warning.severity}`}>
          <SeverityMark severity={warning.severity} /> {say(warning.label)}
        </span>{" "}
        <LifelineMark lifeline={warning.lifeline} /> <b>{say(warning.headline)}</b>
      </p>
      {warning.state === "draft" && <p class="quiet">{word("warning.draft")}</p>}
      <p class="said">{say(warning.instruction)}</p>
      {warning.ended_reason && <p class="said">{warning.ended_reason}</p>}
      <dl class="facts small">
        <Step name={word("warning.published")} at={warning.published_at} by={warning.published_by} />
        <Step name={word("warning.received")} at={warning.received_at} by={warning.received_by} />
        {warning.approved_at && <Step name={word("warning.approved")} at={warning.approved_at} by={warning.approved_by} />}
        {warning.lifted_at && <Step name={ending(warning)} at={warning.lifted_at} by={warning.lifted_by} />}
        <div>
          <dt>{word("warning.policy")}</dt>
          <dd>{policyWords(warning.policy)}</dd>
        </div>
        {warning.organisation && (
          <div>
            <dt>{word("warning.to")}</dt>
            <dd>{(order?.organisation === warning.organisation && say(order.organisation_name)) || warning.organisation}</dd>
          </div>
        )}
      </dl>
      <Moves warning={warning} deed={deed} changed={changed} />
      <Refusal deed={deed} />
      <Sent sent={sent} />
    </div>
  );
}
