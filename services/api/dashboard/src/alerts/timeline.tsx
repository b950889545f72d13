/** The record of an alert, its warning and its work order, newest first. */
import type { JSX } from "preact";
import type { TimelineEntry } from "../api/types";
import { Time } from "../shell/marks";
import { word, wordFor } from "../words/language";

/** What a person wrote, among all that the record keeps of a step. */
const WRITTEN = ["note", "reason", "text", "feedback", "verdict_reason"];

function written(entry: TimelineEntry): string {
  for (const name of WRITTEN) {
    const text = entry.after?.[name];
    if (typeof text === "string" && text) return text;
  }
  return "";
}

/** The deed without its subject: `work-order.received` and `received` are the same step of a work order. */
function deed(entry: TimelineEntry): string {
  const last = entry.action.split(/[.:]/).at(-1) ?? entry.action;
  return wordFor("action", last);
}

export function Timeline({ entries }: { entries: readonly TimelineEntry[] }): JSX.Element {
  if (!entries.length) return <p class="quiet">{word("timeline.none")}</p>;
  const newest = [...entries].sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
  return (
    <ol class="timeline" data-testid="timeline">
      {newest.map((entry, index) => (
        <li key={`${entry.at} ${entry.action} ${index}`}>
          <Time at={entry.at} />
          <span>
            {wordFor("subject", entry.subject_kind)} <b>{deed(entry)}</b> <span class="quiet">{entry.actor}</span>
            {written(entry) && <q>{written(entry)}</q>}
          </span>
        </li>
      ))}
    </ol>
  );
}
