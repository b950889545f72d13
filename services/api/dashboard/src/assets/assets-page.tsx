/** Every asset of the networks, to be searched; what alarms comes first. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { type AssetRiskAnswer, RISK_SEVERITIES, type RiskColour } from "../api/judgements";
import type { AssetFeature, LifelineId } from "../api/types";
import { useAnswer } from "../api/use-answer";
import { lifelineName, zoneName } from "../city/directory";
import { assets, chosenLifeline, lifelines, loaded, openAlerts, sensors } from "../city/store";
import { assetAddress } from "../route";
import { SensorNavigation } from "../sensors/sensor-navigation";
import { LifelineMark, Loading } from "../shell/marks";
import { WideTable } from "../shell/wide-table";
import { say, word, wordFor } from "../words/language";
import { RiskMark } from "./risk-mark";

/** Rows drawn at once; a prefecture has a hundred thousand pieces of pipe. */
const ROWS = 200;
/** As many as the API lists, the worst first; what is not among them shows no risk. */
const RISKS = 5_000;

function words({ properties }: AssetFeature): string {
  return [properties.id, properties.kind, wordFor("asset.kind", properties.kind), properties.zone, properties.name.en, properties.name.zh, properties.organisation]
    .join(" ")
    .toLowerCase();
}

interface Counts {
  sensors: Map<string, number>;
  alerts: Map<string, number>;
  risks: Map<string, AssetRiskAnswer>;
}

function counts(risks: AssetRiskAnswer[]): Counts {
  const count = (ids: Iterable<string>): Map<string, number> => {
    const found = new Map<string, number>();
    for (const id of ids) found.set(id, (found.get(id) ?? 0) + 1);
    return found;
  };
  return {
    sensors: count([...sensors.value.values()].map((sensor) => sensor.asset)),
    alerts: count(openAlerts.value.map((alert) => alert.asset)),
    risks: new Map(risks.map((risk) => [risk.asset, risk])),
  };
}

function found(search: string, colour: RiskColour | "", known: Counts): AssetFeature[] {
  const parts = search.toLowerCase().split(/\s+/).filter(Boolean);
  const chosen = chosenLifeline.value;
  const weight = ({ properties: { id } }: AssetFeature): number => (known.alerts.get(id) ?? 0) * 1_000 + (colour ? (known.risks.get(id)?.score ?? 0) : (known.sensors.get(id) ?? 0));
  return assets.value.features
    .filter(({ properties }) => !chosen || properties.lifeline === chosen)
    .filter(({ properties }) => !colour || known.risks.get(properties.id)?.colour === colour)
    .filter((asset) => !parts.length || parts.every((part) => words(asset).includes(part)))
    .sort((a, b) => weight(b) - weight(a) || a.properties.id.localeCompare(b.properties.id));
}

function risk(known: Counts, asset: string): JSX.Element | string {
  const graded = known.risks.get(asset);
  return graded ? <RiskMark colour={graded.colour} /> : "–";
}

export function AssetsPage(): JSX.Element {
  const search = useSignal("");
  const most = useSignal(ROWS);
  const colour = useSignal<RiskColour | "">("");
  const risks = useAnswer<AssetRiskAnswer[]>("asset-risks", { limit: RISKS });
  const known = counts(risks.answer ?? []);
  const all = found(search.value, colour.value, known);
  return (
    <div class="office" data-testid="assets-page">
      <SensorNavigation />
      <article class="record panel">
        <div class="record-head">
          <h1>{word("assets")}</h1>
          <input
            type="search"
            data-testid="asset-search"
            aria-label={word("assets.search")}
            placeholder={word("assets.search")}
            value={search.value}
            onInput={(event) => ((search.value = event.currentTarget.value), (most.value = ROWS))}
          />
          <select
            aria-label={word("filter.lifeline")}
            value={chosenLifeline.value ?? ""}
            onChange={(event) => (chosenLifeline.value = (event.currentTarget.value || null) as LifelineId | null)}
          >
            <option value="">{word("lifelines.every")}</option>
            {lifelines.value.map((lifeline) => (
              <option key={lifeline.id} value={lifeline.id}>
                {say(lifeline.label)}
              </option>
            ))}
          </select>
          <select
            aria-label={word("risk")}
            data-testid="risk-filter"
            value={colour.value}
            onChange={(event) => (colour.value = event.currentTarget.value as RiskColour | "")}
          >
            <option value="">{word("risk.every")}</option>
            {(Object.keys(RISK_SEVERITIES) as RiskColour[]).map((one) => (
              <option key={one} value={one}>
                {word(`risk.${one}`)}
              </option>
            ))}
          </select>
          <span class="quiet" role="status">
            {word("sensors.shown", { shown: Math.min(all.length, most.value), count: all.length })}
          </span>
        </div>
        {!loaded.value.has("assets") && <Loading />}
        <WideTable label={word("assets")}>
          <table data-testid="asset-table">
            <thead>
              <tr>
                <th>{word("sensor.asset")}</th>
                <th>{word("asset.name")}</th>
                <th>{word("asset.kind")}</th>
                <th>{word("filter.lifeline")}</th>
                <th>{word("sensor.zone")}</th>
                <th>{word("risk")}</th>
                <th class="number">{word("nav.sensors")}</th>
                <th class="number">{word("alerts")}</th>
              </tr>
            </thead>
            <tbody>
              {all.slice(0, most.value).map(({ properties }) => (
                <tr key={properties.id} data-testid="asset-row" data-asset={properties.id}>
                  <td class="nowrap">
                    <LifelineMark lifeline={properties.lifeline} /> <a href={assetAddress(properties.id)}>{properties.id}</a>
                  </td>
                  <td>{say(properties.name)}</td>
                  <td>{wordFor("asset.kind", properties.kind)}</td>
                  <td>{lifelineName(properties.lifeline)}</td>
                  <td>{zoneName(properties.zone)}</td>
                  <td>{risk(known, properties.id)}</td>
                  <td class="number">{known.sensors.get(properties.id) ?? 0}</td>
                  <td class="number">{known.alerts.get(properties.id) ?? 0}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </WideTable>
        {all.length > most.value && (
          <button type="button" class="more" onClick={() => (most.value += ROWS)}>
            {word("sensors.more")}
          </button>
        )}
      </article>
    </div>
  );
}
