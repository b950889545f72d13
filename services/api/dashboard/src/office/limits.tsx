/** To which part of the city somebody is confined: in words, and to be chosen. */
import type { JSX } from "preact";
import type { LimitsAnswer } from "../api/access";
import { lifelineName, organisationName, organisations, zoneName } from "../city/directory";
import { lifelines, zones } from "../city/store";
import { word } from "../words/language";
import { Choices } from "./choices";

export const WHOLE_CITY: LimitsAnswer = { organisations: null, lifelines: null, zones: null };

export function LimitsWords({ limits }: { limits: LimitsAnswer }): JSX.Element {
  const parts = [
    limits.organisations?.map(organisationName),
    limits.lifelines?.map(lifelineName),
    limits.zones?.map((zone) => `${zoneName(zone)} (${zone})`),
  ].filter((part) => part !== undefined);
  if (!parts.length) return <span class="quiet">{word("limits.whole")}</span>;
  return (
    <>
      {parts.map((part, place) => (
        <div key={place}>{part.join(word("comma"))}</div>
      ))}
    </>
  );
}

/** None of a kind means all of them, as the API has it. */
function orAll<Id>(chosen: Id[]): Id[] | null {
  return chosen.length ? chosen : null;
}

export function LimitsFields({ limits, change }: { limits: LimitsAnswer; change: (limits: LimitsAnswer) => void }): JSX.Element {
  return (
    <>
      <Choices
        name="limit"
        legend={word("limits.organisations")}
        hint={word("limits.hint")}
        options={organisations.value.map(({ id }) => ({ id, name: organisationName(id) }))}
        chosen={limits.organisations ?? []}
        change={(chosen) => change({ ...limits, organisations: orAll(chosen) })}
      />
      <Choices
        name="limit"
        legend={word("limits.lifelines")}
        hint={word("limits.hint")}
        options={lifelines.value.map(({ id }) => ({ id, name: lifelineName(id) }))}
        chosen={limits.lifelines ?? []}
        change={(chosen) => change({ ...limits, lifelines: orAll(chosen) })}
      />
      <Choices
        name="limit"
        legend={word("limits.zones")}
        hint={word("limits.hint")}
        options={[...zones.value.keys()].map((id) => ({ id, name: `${zoneName(id)} (${id})` }))}
        chosen={limits.zones ?? []}
        change={(chosen) => change({ ...limits, zones: orAll(chosen) })}
      />
    </>
  );
}
