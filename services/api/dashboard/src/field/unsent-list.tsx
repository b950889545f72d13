/** What waits to be sent and what the service refused, so that nobody believes a thing is told that is not. */
import type { JSX } from "preact";
import { Time } from "../shell/marks";
import { word } from "../words/language";
import type { KeptDeed } from "./deed";
import { giveUp, sendAll, unsent } from "./outbox";

function said(deed: KeptDeed): string {
  if (deed.kind === "move") return word(`order.move.${deed.move}`);
  return deed.kind === "photo" ? word("field.photo") : deed.text;
}

function Unsent({ deed }: { deed: KeptDeed }): JSX.Element {
  return (
    <li class={deed.refused === null ? "" : "refused"} data-testid="unsent-deed" data-kind={deed.kind} data-refused={deed.refused !== null}>
      <span>
        <span aria-hidden="true">{deed.refused === null ? "◷" : "▲"} </span>
        {said(deed)} <Time at={deed.at} />
      </span>
      {deed.refused !== null && (
        <>
          <span class="refusal">{word("refused", { detail: deed.refused })}</span>
          <button type="button" data-testid="unsent-drop" onClick={() => void giveUp(deed)}>
            {word("remove")}
          </button>
        </>
      )}
    </li>
  );
}

export function UnsentList(): JSX.Element | null {
  const all = unsent.value;
  if (!all.length) return null;
  const waiting = all.filter((deed) => deed.refused === null).length;
  return (
    <section class="panel unsent" aria-label={word("field.unsent")} data-testid="unsent">
      <h2>
        {word("field.unsent")} <span class="count">{all.length}</span>
      </h2>
      <ul class="plain">
        {all.map((deed) => (
          <Unsent key={deed.place} deed={deed} />
        ))}
      </ul>
      {waiting > 0 && (
        <button type="button" data-testid="unsent-send" onClick={() => void sendAll()}>
          {word("field.send-now")}
        </button>
      )}
    </section>
  );
}
