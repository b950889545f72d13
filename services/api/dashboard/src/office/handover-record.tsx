/** One hand-over: between whom, what was open then, and whether it is confirmed. */
import type { JSX } from "preact";
import { post } from "../api/client";
import { type HandoverAnswer, OPEN_KINDS } from "../api/planning";
import { may } from "../api/session";
import { organisationName, personName } from "../city/directory";
import { ConfirmedButton } from "../shell/confirmed-button";
import { Refusal, useDeed } from "../shell/trouble";
import { language, word, wordFor } from "../words/language";
import { Dated } from "./dated";
import { ChangeSign } from "./handover-sign";

/** What stood in the list, in words: each kind of thing carries its own. */
function lineOf(item: Record<string, unknown>): string {
  const zh = language.value === "zh";
  const texts = ["title", "headline", "explanation"].map((field) => item[`${field}_${zh ? "zh" : "en"}`]);
  const told = [...texts, item["reason"]].find((text) => typeof text === "string");
  return [item["asset"] ?? item["about"], told].filter((part) => typeof part === "string" && part !== "").join(" · ");
}

function Open({ handover }: { handover: HandoverAnswer }): JSX.Element {
  const kinds = OPEN_KINDS.filter((kind) => handover.open[kind] !== undefined);
  const counts = kinds.map((kind) => word(`handover.open.${kind}`, { count: handover.open[kind]?.count ?? 0 })).join(word("comma"));
  return (
    <details data-testid="handover-open">
      <summary>
        {word("handover.open")}: {counts}
      </summary>
      {kinds.map((kind) => {
        const items = handover.open[kind]?.named ?? [];
        if (!items.length) return null;
        return (
          <ul key={kind} class="plain" aria-label={word(`handover.open.${kind}`, { count: items.length })}>
            {items.map((item, place) => (
              <li key={place}>{lineOf(item)}</li>
            ))}
          </ul>
        );
      })}
    </details>
  );
}

export function HandoverRecord({ handover, again }: { handover: HandoverAnswer; again: () => void }): JSX.Element {
  const deed = useDeed();
  const run = async (what: () => Promise<unknown>): Promise<void> => {
    await deed.run(what);
    again();
  };
  const name = (person: string | null): string => (person === null ? word("handover.anybody") : personName(handover.organisation, person));
  const works = may("operate") || may("handle");
  return (
    <section class="boxed" aria-label={organisationName(handover.organisation)} data-testid="handover" data-state={handover.state}>
      <h2>
        {organisationName(handover.organisation)} <span class="quiet">{wordFor("duty.role", handover.role)}</span>
      </h2>
      <p>
        <ChangeSign state={handover.state} /> {name(handover.outgoing)} → <b>{name(handover.incoming)}</b>
      </p>
      <p class="quiet">
        {handover.offered_by}, <Dated at={handover.offered_at} empty="" />
        {handover.confirmed_at && (
          <>
            {" → "}
            {handover.confirmed_by}, <Dated at={handover.confirmed_at} empty="" />
          </>
        )}
      </p>
      {handover.note && <p>{handover.note}</p>}
      <Open handover={handover} />
      {handover.state === "waiting" && works && (
        <div class="row">
          <ConfirmedButton
            name="handover-confirm"
            label={word("handover.confirm")}
            meaning={word("handover.confirm.meaning")}
            busy={deed.busy}
            run={() => void run(() => post(`duty/handovers/${handover.id}/confirm`, { person: handover.incoming }))}
          />
          <ConfirmedButton
            name="handover-withdraw"
            label={word("handover.withdraw")}
            meaning={word("handover.withdraw.meaning")}
            busy={deed.busy}
            run={() => void run(() => post(`duty/handovers/${handover.id}/withdraw`, {}))}
          />
        </div>
      )}
      <Refusal deed={deed} />
    </section>
  );
}
