/** The wall (一张图): one map of all lifelines and the few numbers that matter, read from five metres. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { StormAnswer } from "../api/types";
import { useAnswer } from "../api/use-answer";
import { chosenLifeline, lifelines } from "../city/store";
import { CityMap } from "../map/lazy-maps";
import { useEvery } from "../records/use-every";
import { Clock, ConnectionState } from "../shell/clock";
import { LifelineMark, SeverityMark } from "../shell/marks";
import { clock } from "../words/format";
import { say, word } from "../words/language";
import { Trend } from "./trend";
import { SeverityCounts, WallAlerts } from "./wall-alerts";
import { WallHealth } from "./wall-health";

const TICK_MS = 1_000;

/** The clock of the wall: its clocks move by the second, its data when it comes. */
function useNow(): number {
  const now = useSignal(Date.now());
  useEffect(() => {
    const timer = setInterval(() => (now.value = Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  return now.value;
}

function Lifelines(): JSX.Element {
  const watched = lifelines.value.filter((lifeline) => lifeline.sensors > 0 || lifeline.assets > 0);
  return (
    <ul class="wall-lifelines">
      {watched.map((lifeline) => {
        const worst = lifeline.open_alerts ? lifeline.worst_severity : 0;
        return (
          <li key={lifeline.id} class={`severity-${worst}`} data-testid={`wall-lifeline-${lifeline.id}`}>
            <LifelineMark lifeline={lifeline.id} /> <span>{say(lifeline.label)}</span> <b>{lifeline.open_alerts}</b>
            <span class="wall-worst">
              <SeverityMark severity={worst} /> {word(`severity.${worst}`)}
            </span>
          </li>
        );
      })}
    </ul>
  );
}

/** The storm in one line, where there is one. */
function StormLine(): JSX.Element | null {
  const { answer, again } = useAnswer<StormAnswer>("storm");
  useEvery(again);
  if (!answer) return null;
  const flooded = answer.places.filter((place) => place.alert && place.severity > 0).length;
  const expected = answer.places.filter((place) => place.expected.length > 0 && !place.alert).length;
  if (!answer.warnings.length && !flooded) return null;
  return (
    <a class={`wall-storm severity-${answer.severity}`} href="#/storm" data-testid="wall-storm">
      {answer.warnings.slice(0, 1).map((warning) => (
        <span key={warning.id}>
          <SeverityMark severity={warning.severity} /> {say(warning.headline) || say(warning.event)} {word("storm.until")}{" "}
          {clock(new Date(warning.expires), "time")}
          {warning.is_exercise && <b class="exercise">{word("storm.exercise")}</b>}
        </span>
      ))}
      <span>{word("wall.storm", { flooded, expected })}</span>
    </a>
  );
}

export function WallPage(): JSX.Element {
  const now = useNow();
  useEffect(() => {
    // The wall shows every lifeline, whatever the desk was narrowed to.
    chosenLifeline.value = null;
  }, []);
  return (
    <div class="wall" data-testid="wall-page">
      <div class="wall-head">
        <h1>
          <a href="#/">{word("name")}</a>
        </h1>
        <Lifelines />
        <div class="wall-time">
          <ConnectionState />
          <Clock />
        </div>
      </div>
      <div class="map-room">
        <CityMap wall />
      </div>
      <div class="wall-side">
        <SeverityCounts />
        <StormLine />
        <WallAlerts now={now} />
        <Trend />
        <WallHealth now={now} />
      </div>
    </div>
  );
}
