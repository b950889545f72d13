/** The ranked candidates of a trace, what isolates them, and who is affected. */
import type { ComponentChildren, JSX } from "preact";
import type { TraceAcross, TraceAffected, TraceAnswer, TraceAsset, TraceGas } from "../api/types";
import { assetsById } from "../city/store";
import { alertAddress } from "../route";
import { amount, money, percent, withUnit } from "../words/format";
import { colon, language, say, word, wordFor } from "../words/language";

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

/** Names one after the other; in English some have a comma of their own. */
function listed(all: readonly string[]): string {
  return all.join(language.value === "zh" ? "、" : "; ");
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
      {listed(shown)}
      {all.length > shown.length && ` … (${word("trace.count", { count: ids.length })})`}
    </p>
  );
}

function Fact({ title, id, children }: { title: string; id: string; children: ComponentChildren }): JSX.Element {
  return (
    <p class="trace-assets" data-testid={id}>
      <b>
        {title}
        {colon()}
      </b>
      {children}
    </p>
  );
}

/** The name of an asset with its identifier, for several valves of a street bear nearly one name. */
function Place({ place }: { place: TraceAsset }): JSX.Element {
  const name = say(place.name);
  return name.includes(place.asset) ? <>{name}</> : (
    <>
      {name} <code class="quiet">{place.asset}</code>
    </>
  );
}

function householdsWithout(count: number, isEstimated = false): string {
  return word(isEstimated ? "trace.households.estimated" : "trace.households", { count: amount(count) });
}

/** What to shut where a valve of the first set is stuck, folded away until somebody needs it. */
function Alternatives({ trace }: { trace: TraceAnswer }): JSX.Element | null {
  if (!trace.isolation_alternatives.length) return null;
  return (
    <details data-testid="trace-alternatives">
      <summary>{word("trace.stuck.summary")}</summary>
      {trace.isolation_alternatives.map((other) => (
        <div key={other.stuck}>
          <Assets title={word("trace.stuck", { valve: names([other.stuck])[0] ?? other.stuck })} ids={other.isolation} every />
          <p class="quiet">{other.complete ? householdsWithout(other.households) : word("trace.incomplete")}</p>
        </div>
      ))}
    </details>
  );
}

/** What a suspected gas leak asks for: causes weighed, where to keep sparks away, who is near, where to sample. */
function Gas({ gas }: { gas: TraceGas }): JSX.Element {
  const causes = Object.entries(gas.causes).sort(([, first], [, second]) => second - first);
  const people = gas.people_is_estimated ? "gas.people.estimated" : "gas.people.count";
  return (
    <>
      {causes.length > 0 && (
        <Fact title={word("gas.causes")} id="gas-causes">
          {listed(causes.map(([cause, share]) => `${wordFor("gas.cause", cause)} ${percent(share)}`))}
        </Fact>
      )}
      <Fact title={word("gas.radius")} id="gas-radius">
        {word("gas.radius.estimate", { radius: amount(gas.radius_m) })}
      </Fact>
      {gas.buildings.length > 0 && (
        <Fact title={word("gas.people")} id="gas-people">
          {word(people, { count: amount(gas.people), buildings: amount(gas.buildings.length) })}
        </Fact>
      )}
      {gas.next_spaces.length > 0 && (
        <Fact title={word("gas.sample")} id="gas-sample">
          {listed(gas.next_spaces.map((space) => say(space.name)))}
        </Fact>
      )}
    </>
  );
}

function whenWet({ in_min: minutes }: TraceAffected): string {
  return minutes > 0 ? word("trace.affected.soon", { minutes: amount(minutes) }) : word("trace.affected.now");
}

/** Places shown of a longer list of what is endangered. */
const MOST_ENDANGERED = 4;

/** One way per line: where from, over what, to where, and what may happen there. */
function Endangered({ places }: { places: TraceAcross["endangered"] }): JSX.Element | null {
  if (!places.length) return null;
  const line = (place: TraceAcross["endangered"][number]): JSX.Element => (
    <li key={place.asset}>
      {say(place.path)}
      {colon()}
      {say(place.threat)} <span class="quiet">({amount(place.distance_m)} m)</span>
    </li>
  );
  const [near, far] = [places.slice(0, MOST_ENDANGERED), places.slice(MOST_ENDANGERED)];
  return (
    <div class="trace-assets" data-testid="trace-endangered">
      <b>
        {word("across.endangered")}
        {colon()}
      </b>
      <ul>{near.map(line)}</ul>
      {far.length > 0 && (
        <details>
          <summary>{word("across.all", { count: places.length })}</summary>
          <ul>{far.map(line)}</ul>
        </details>
      )}
    </div>
  );
}

/** Which neighbour of another lifeline may be to blame, beside the alert's own network. */
function Neighbours({ across }: { across: TraceAcross }): JSX.Element | null {
  if (!across.causes.length) return null;
  const rain = across.rained === null ? "" : ` · ${word(across.rained ? "across.rained" : "across.dry")}`;
  return (
    <div class="trace-assets" data-testid="trace-neighbours">
      <b>
        {word("across.causes")}
        {colon()}
      </b>
      <span class="quiet">
        {word("across.own", { percent: percent(across.own) })}
        {rain}
      </span>
      <ul>
        {across.causes.map((cause) => (
          <li key={cause.asset}>
            <b>{percent(cause.probability)}</b> <Place place={cause} /> <span class="quiet">{say(cause.reason)}</span>
            {cause.alert && (
              <>
                {" "}
                <a href={alertAddress(cause.alert)}>{word("across.alert")}</a>
              </>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Who is without supply, whom water reaches, what is lost, where to go next. */
function Consequences({ trace }: { trace: TraceAnswer }): JSX.Element {
  const { customers, critical, affected, loss, next_measurement: next } = trace;
  return (
    <>
      <Alternatives trace={trace} />
      {customers && trace.isolation.length > 0 && (
        <Fact title={word("trace.without")} id="trace-customers">
          {householdsWithout(customers.households, customers.is_estimated)}
        </Fact>
      )}
      {critical.length > 0 && (
        <Fact title={word("trace.critical")} id="trace-critical">
          {listed(critical.map((place) => say(place.name)))}
        </Fact>
      )}
      {affected.length > 0 && (
        <Fact title={word("trace.affected")} id="trace-affected">
          {listed(affected.map((place) => `${say(place.name)} (${whenWet(place)})`))}
        </Fact>
      )}
      {loss && (
        <Fact title={word("trace.loss")} id="trace-loss">
          {withUnit(loss.flow_m3h, "m3/h")} ({word(`trace.loss.${loss.basis}`)}),{" "}
          <span title={loss.price_source}>
            {word("trace.loss.cost", {
              cost: money(loss.cost_per_day, loss.currency),
              price: money(loss.price_per_m3, loss.currency),
            })}
          </span>
        </Fact>
      )}
      {next && (
        <Fact title={word("trace.listen")} id="trace-listen">
          <Place place={next} />{" "}
          <span class="quiet">
            {word("trace.listen.gain", {
              chance: percent(next.chance),
              now: amount(next.entropy_bits),
              after: amount(next.expected_entropy_bits),
            })}
          </span>
        </Fact>
      )}
    </>
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
      {trace.isolation_complete === false && <p class="trace-assets">{word("trace.incomplete")}</p>}
      {trace.gas && <Gas gas={trace.gas} />}
      <Consequences trace={trace} />
      {trace.across && <Endangered places={trace.across.endangered} />}
      {trace.across && <Neighbours across={trace.across} />}
      <Assets title={word("trace.downstream")} ids={trace.downstream} />
      <Assets title={word("trace.upstream")} ids={trace.upstream} />
    </>
  );
}
