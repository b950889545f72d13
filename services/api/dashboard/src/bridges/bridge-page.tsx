/** One bridge at a look: how it is doing and why, whether it should be closed, what was too heavy, how it swings. */
import type { JSX } from "preact";
import { useAnswer } from "../api/use-answer";
import { cityNow, loaded, zones } from "../city/store";
import { useEvery } from "../records/use-every";
import { bridgeAddress } from "../route";
import { Loading } from "../shell/marks";
import { Trouble } from "../shell/trouble";
import { say, word } from "../words/language";
import type { BridgeModeAnswer, HealthEvaluationAnswer, OverloadedVehicleAnswer } from "./answers";
import { Evaluations, Now } from "./evaluations";
import { Modes } from "./modes";
import { Overloads } from "./overloads";

const [HOUR_MS, WEEK_MS] = [3_600_000, 7 * 86_400_000];

function Choice({ chosen }: { chosen: string }): JSX.Element {
  const bridges = [...zones.value.values()].filter((zone) => zone.lifeline === "bridge");
  return (
    <nav class="bridge-choice" aria-label={word("bridges.choose")}>
      {bridges.map((zone) => (
        <a key={zone.id} href={bridgeAddress(zone.id)} aria-current={zone.id === chosen ? "page" : undefined} data-testid={`bridge-${zone.id}`}>
          {say(zone.name) || zone.id}
        </a>
      ))}
    </nav>
  );
}

function Bridge({ zone }: { zone: string }): JSX.Element {
  const health = useAnswer<HealthEvaluationAnswer[]>(`bridges/${zone}/health`, { limit: 28 });
  // A demo may play days ahead of the wall clock, so the week ends with the newest reading, at the full hour.
  const end = (Math.floor(cityNow.value / HOUR_MS) + 1) * HOUR_MS;
  const week = { start: new Date(end - WEEK_MS).toISOString(), end: new Date(end).toISOString() };
  const heavy = useAnswer<OverloadedVehicleAnswer[]>(`bridges/${zone}/overloads`, week);
  const swings = useAnswer<BridgeModeAnswer[]>(`bridges/${zone}/modes`);
  useEvery(health.again);
  useEvery(heavy.again);
  useEvery(swings.again);
  const [newest] = health.answer ?? [];
  return (
    <>
      {health.problem && <Trouble problem={health.problem} again={health.again} />}
      {!health.answer && !health.problem && <Loading />}
      {health.answer && (newest ? <Now evaluation={newest} /> : <p class="quiet">{word("bridge.unevaluated")}</p>)}
      <h2>{word("bridge.overloads")}</h2>
      {heavy.problem ? <Trouble problem={heavy.problem} again={heavy.again} /> : heavy.answer ? <Overloads vehicles={heavy.answer} /> : <Loading />}
      <h2>{word("bridge.modes")}</h2>
      {swings.problem ? <Trouble problem={swings.problem} again={swings.again} /> : swings.answer ? <Modes modes={swings.answer} /> : <Loading />}
      {health.answer && health.answer.length > 0 && (
        <>
          <h2>{word("bridge.history")}</h2>
          <Evaluations all={health.answer} />
        </>
      )}
    </>
  );
}

/** `zone` is the bridge of the address; without one the first is shown. */
export function BridgePage({ zone }: { zone: string | null }): JSX.Element {
  const first = [...zones.value.values()].find((each) => each.lifeline === "bridge")?.id;
  const shown = zone ?? first;
  return (
    <article class="record panel" data-testid="bridge-page">
      <h1>{shown ? say(zones.value.get(shown)?.name) || shown : word("nav.bridges")}</h1>
      <p class="quiet">{word("bridge.why")}</p>
      {shown && <Choice chosen={shown} />}
      {shown ? <Bridge key={shown} zone={shown} /> : loaded.value.has("zones") ? <p class="quiet">{word("bridges.none")}</p> : <Loading />}
    </article>
  );
}
