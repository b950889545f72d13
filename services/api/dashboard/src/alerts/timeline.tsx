/** The record of an alert, its warning and its work order, newest first. */
import type { JSX } from "preact";
import type { Severity, TimelineEntry } from "../api/types";
import { SeverityMark, Time } from "../shell/marks";
import { word, wordFor } from "../words/language";

/** What a person wrote, among all that the record keeps of a step. */
const WRITTEN = ["note", "reason", "verdict_reason"];

function written(entry: TimelineEntry): string {
  for (const name of WRITTEN) {
    const text = entry.after?.[name];
    if (typeof text === "string" && text) return text;
  }
  return "";
}

/** The deed without its subject, which stands before it: `work-order.receive` is the step `receive`. */
function deed(entry: TimelineEntry): string {
  return wordFor("action", entry.action.slice(entry.action.indexOf(".") + 1));
}

/** The severity after a step that is about severity. */
function severityAfter(entry: TimelineEntry): Severity | null {
  const severity = entry.after?.["severity"];
  const graded = /(open|evolve|publish|raise)$/.test(entry.action);
  return graded && typeof severity === "number" && severity >= 0 && severity <= 4 ? (severity as Severity) : null;
}

function Severe({ entry }: { entry: TimelineEntry }): JSX.Element | null {
  const severity = severityAfter(entry);
  if (severity === null) return null;
  return (
    <span>
      <SeverityMark severity={severity} /> {wordFor("severity", String(severity))}{" "}
    </span>
  );
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
            {wordFor("subject", entry.subject_kind)} <b>{deed(entry)}</b> <Severe entry={entry} />
            <span class="quiet">{wordFor("actor", entry.actor)}</span>
            {written(entry) && <q>{written(entry)}</q>}
          </span>
        </li>
      ))}
    </ol>
  );
}
