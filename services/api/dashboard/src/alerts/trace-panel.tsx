/** The ranked candidates of a trace, what isolates them, and who is affected. */
import type { JSX } from "preact";
import type { TraceAnswer } from "../api/types";
import { assetsById } from "../city/store";
import { percent } from "../words/format";
import { colon, say, word } from "../words/language";

/** Names shown of a long list of assets; the rest is a number. */
const MOST_NAMES = 6;

/** Names with how often each occurs, for a street has many pieces of pipe. */
function names(ids: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const id of ids) {
    const name = say(assetsById.value.get(id)?.properties.name) || id;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => (count > 1 ? `${name} ×${count}` : name));
}

/** Names of assets; `every` shows all of them, as for valves that must be shut. */
function Assets({ title, ids, every = false }: { title: string; ids: readonly string[]; every?: boolean }): JSX.Element | null {
  if (!ids.length) return null;
  const all = names(ids);
  const shown = every ? all : all.slice(0, MOST_NAMES);
  return (
    <p class="trace-assets">
      <b>
        {title}
        {colon()}
      </b>
      {shown.join(", ")}
      {all.length > shown.length && ` … (${word("trace.count", { count: ids.length })})`}
    </p>
  );
}

export function TracePanel({ trace }: { trace: TraceAnswer | null }): JSX.Element {
  if (!trace || !(trace.candidates.length || trace.isolation.length)) {
    return <p class="quiet">{word("trace.none")}</p>;
  }
  const rest = 1 - trace.candidates.reduce((sum, candidate) => sum + candidate.probability, 0);
  return (
    <>
      <ol class="candidates" data-testid="trace-candidates">
        {trace.candidates.map((candidate, index) => (
          <li key={candidate.asset}>
            <span class="rank">{index + 1}</span>
            <span class="probability">
              <b>{percent(candidate.probability)}</b>
              <i style={{ width: `${Math.round(candidate.probability * 100)}%` }} />
            </span>
            <span>
              {say(candidate.name)} <code class="quiet">{candidate.asset}</code>
              <span class="quiet reason">{say(candidate.reason)}</span>
            </span>
          </li>
        ))}
      </ol>
      {rest >= 0.005 && trace.candidates.length > 0 && (
        <p class="quiet">{word("trace.rest", { percent: percent(rest) })}</p>
      )}
      <Assets title={word("trace.isolation")} ids={trace.isolation} every />
      <Assets title={word("trace.downstream")} ids={trace.downstream} />
      <Assets title={word("trace.upstream")} ids={trace.upstream} />
    </>
  );
}
