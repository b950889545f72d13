/** The storm at one look: what the weather service says, and each low point with its water, its forecast and its people. */
import type { JSX } from "preact";
import type { LowPointAnswer, StormAnswer, WeatherWarningAnswer } from "../api/types";
import { useAnswer } from "../api/use-answer";
import { zones } from "../city/store";
import { useEvery } from "../records/use-every";
import { alertAddress, sensorAddress } from "../route";
import { Loading, SeverityMark, Time } from "../shell/marks";
import { Trouble } from "../shell/trouble";
import { WideTable } from "../shell/wide-table";
import { amount, clock, withUnit } from "../words/format";
import { say, word } from "../words/language";
import { StormTasks } from "./storm-tasks";

type PlaceState = "flooded" | "expected" | "prepared" | "dry";

const URGENCY: Record<PlaceState, number> = { flooded: 0, expected: 1, prepared: 2, dry: 3 };

/** From here on people speak of water on the road (cm). */
const WET_CM = 15;

function stateOf(place: LowPointAnswer): PlaceState {
  if (place.alert && place.severity > 0) return "flooded";
  if (place.expected.some((one) => one.value >= WET_CM)) return "expected";
  return place.tasks.some((task) => task.state === "open") ? "prepared" : "dry";
}

function Warning({ warning }: { warning: WeatherWarningAnswer }): JSX.Element {
  return (
    <li data-testid="weather-warning">
      <SeverityMark severity={warning.severity} /> <b>{say(warning.headline) || say(warning.event)}</b>{" "}
      {warning.is_exercise && <b class="exercise">{word("storm.exercise")}</b>} <span class="quiet">{word("storm.until")}</span>{" "}
      <Time at={warning.expires} /> <span class="quiet">{warning.area_names.join("、")}</span>
      <p>{say(warning.description)}</p>
    </li>
  );
}

function Expected({ place }: { place: LowPointAnswer }): JSX.Element {
  if (!place.expected.length) return <span class="quiet">–</span>;
  return (
    <ul class="plain">
      {place.expected.map((one) => (
        <li key={one.target_time} class="nowrap">
          {word("storm.expected.one", {
            value: withUnit(Math.round(one.value), place.unit),
            time: clock(new Date(one.target_time), "time"),
            low: amount(Math.round(one.low)),
            high: amount(Math.round(one.high)),
          })}
        </li>
      ))}
    </ul>
  );
}

function Place({ place, changed }: { place: LowPointAnswer; changed: () => void }): JSX.Element {
  const state = stateOf(place);
  return (
    <tr data-testid="low-point" data-asset={place.asset} data-state={state}>
      <td class="nowrap">
        <SeverityMark severity={place.severity} />{" "}
        {place.alert ? <a href={alertAddress(place.alert)}>{word(`storm.state.${state}`)}</a> : word(`storm.state.${state}`)}
      </td>
      <td>
        <b>{say(place.name)}</b> <span class="quiet">{say(zones.value.get(place.zone)?.name) || place.zone}</span>
      </td>
      <td class="number nowrap">
        {place.sensor ? <a href={sensorAddress(place.sensor)}>{withUnit(place.depth, place.unit)}</a> : "–"}{" "}
        <Time at={place.measured_at} empty="" />
      </td>
      <td>
        <Expected place={place} />
      </td>
      <td>
        {place.person ? (
          <>
            {place.person.name} <span class="quiet">{say(place.person.post)}</span>{" "}
            <a class="nowrap" href={`tel:${place.person.phone}`}>
              {place.person.phone}
            </a>
          </>
        ) : (
          "–"
        )}
      </td>
      <td>
        <StormTasks tasks={place.tasks} changed={changed} />
      </td>
    </tr>
  );
}

export function StormPage(): JSX.Element {
  const { answer, problem, again } = useAnswer<StormAnswer>("storm");
  useEvery(again);
  const places = [...(answer?.places ?? [])].sort(
    (a, b) => URGENCY[stateOf(a)] - URGENCY[stateOf(b)] || b.severity - a.severity || a.asset.localeCompare(b.asset),
  );
  return (
    <article class="record panel" data-testid="storm-page">
      <h1>{word("nav.storm")}</h1>
      {problem && <Trouble problem={problem} again={again} />}
      {!answer && !problem && <Loading />}
      {answer && (
        <>
          <h2>{word("storm.warnings")}</h2>
          {answer.warnings.length ? (
            <ul class="plain">
              {answer.warnings.map((warning) => (
                <Warning key={warning.id} warning={warning} />
              ))}
            </ul>
          ) : (
            <p class="quiet">{word("storm.warnings.none")}</p>
          )}
          <h2>{word("storm.places")}</h2>
          {!places.length && <p class="quiet">{word("storm.places.none")}</p>}
          {places.length > 0 && (
            <WideTable label={word("storm.places")}>
              <table>
                <thead>
                  <tr>
                    <th>{word("storm.state")}</th>
                    <th>{word("storm.place")}</th>
                    <th class="number">{word("storm.depth")}</th>
                    <th>{word("storm.expected")}</th>
                    <th>{word("storm.person")}</th>
                    <th>{word("storm.tasks")}</th>
                  </tr>
                </thead>
                <tbody>
                  {places.map((place) => (
                    <Place key={place.asset} place={place} changed={again} />
                  ))}
                </tbody>
              </table>
            </WideTable>
          )}
        </>
      )}
    </article>
  );
}
