/** The limits of a sensor: those that count, who set them, and setting others after having seen what they would tell. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { remove } from "../api/client";
import { may } from "../api/session";
import type { SensorAnswer, SensorThresholdsAnswer } from "../api/types";
import { useAnswer } from "../api/use-answer";
import { Loading, SeverityMark, Time } from "../shell/marks";
import { ReasonForm } from "../shell/reason-form";
import { Trouble } from "../shell/trouble";
import { WideTable } from "../shell/wide-table";
import { duration, withUnit } from "../words/format";
import { language, word, wordFor } from "../words/language";
import { ThresholdsForm } from "./thresholds-form";

/** A default says in English where it comes from; that it is one, and must be confirmed, is to be read by everybody. */
function Source({ said }: { said: string }): JSX.Element {
  if (language.value === "en" || !said.startsWith("default")) return <>{said}</>;
  return (
    <>
      {word("threshold.source.default")} <small lang="en">{said}</small>
    </>
  );
}

function Table({ kept }: { kept: SensorThresholdsAnswer }): JSX.Element {
  if (!kept.in_force.length) return <p class="quiet">{word("sensor.threshold.none")}</p>;
  return (
    <WideTable label={word("sensor.thresholds")}>
      <table>
        <thead>
          <tr>
            <th>{word("sensor.thresholds")}</th>
            <th class="number">{word("sensor.threshold.raise")}</th>
            <th class="number">{word("sensor.threshold.clear")}</th>
            <th class="number">{word("sensor.threshold.delay")}</th>
            <th>{word("sensor.threshold.source")}</th>
          </tr>
        </thead>
        <tbody>
          {kept.in_force.map((limit) => (
            <tr key={`${limit.severity} ${limit.side}`} data-testid="threshold">
              <td class="nowrap">
                <SeverityMark severity={limit.severity} /> {wordFor("severity", String(limit.severity))}
              </td>
              <td class="number">
                {limit.side === "above" ? "≥" : "≤"} {withUnit(limit.raise_at, kept.unit)}
              </td>
              <td class="number">
                {limit.side === "above" ? "<" : ">"} {withUnit(limit.clear_at, kept.unit)}
              </td>
              <td class="number">{duration(limit.on_delay_s * 1000)}</td>
              <td>
                <Source said={limit.source} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </WideTable>
  );
}

function Origin({ kept }: { kept: SensorThresholdsAnswer }): JSX.Element {
  const hand = kept.by_hand;
  if (!hand) return <p class="quiet">{word("threshold.registered")}</p>;
  return (
    <p data-testid="threshold-by-hand">
      {word("threshold.by-hand", { author: hand.author })} <Time at={hand.at} />: {hand.reason}
    </p>
  );
}

export function ThresholdsPanel({ sensor, changed }: { sensor: SensorAnswer; changed: () => void }): JSX.Element {
  const path = `sensors/${encodeURIComponent(sensor.id)}/thresholds`;
  const { answer: kept, problem, again } = useAnswer<SensorThresholdsAnswer>(path);
  const writing = useSignal<SensorThresholdsAnswer | null>(null);
  const over = (): void => {
    again();
    changed();
  };
  const takeBack = (reason: string): Promise<void> => remove(`${path}?reason=${encodeURIComponent(reason)}`);
  return (
    <section class="panel" aria-label={word("sensor.thresholds")} data-testid="thresholds">
      {problem && <Trouble problem={problem} again={again} />}
      {!kept && !problem && <Loading />}
      {kept && <Table kept={kept} />}
      {kept && <Origin kept={kept} />}
      {writing.value && (
        <ThresholdsForm sensor={sensor} path={path} kept={writing.value} done={() => (writing.value = null)} again={over} />
      )}
      {kept && !writing.value && may("approve") && (
        <div class="row">
          <button type="button" data-testid="thresholds-write" onClick={() => (writing.value = kept)}>
            {word("threshold.write")}
          </button>
          {kept.by_hand && (
            <ReasonForm
              name="thresholds-back"
              ask={word("threshold.back")}
              meaning={word("threshold.back.meaning")}
              save={word("threshold.back")}
              send={takeBack}
              changed={over}
            />
          )}
        </div>
      )}
    </section>
  );
}
