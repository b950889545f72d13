/** Vehicles that were too heavy for a bridge, newest first. */
import type { JSX } from "preact";
import { assetsById } from "../city/store";
import { sensorAddress } from "../route";
import { Time } from "../shell/marks";
import { percent, withUnit } from "../words/format";
import { say, word } from "../words/language";
import type { OverloadedVehicleAnswer } from "./answers";
import { WideTable } from "../shell/wide-table";

export function Overloads({ vehicles }: { vehicles: readonly OverloadedVehicleAnswer[] }): JSX.Element {
  if (!vehicles.length) return <p class="quiet">{word("bridge.overloads.none")}</p>;
  return (
    <WideTable label={word("bridge.overloads")}>
      <table data-testid="bridge-overloads">
        <thead>
          <tr>
            <th>{word("bridge.time")}</th>
            <th class="number">{word("bridge.weight")}</th>
            <th class="number">{word("bridge.limit")}</th>
            <th class="number">{word("bridge.over")}</th>
            <th>{word("bridge.place")}</th>
          </tr>
        </thead>
        <tbody>
          {vehicles.map((vehicle) => (
            <tr key={`${vehicle.sensor} ${vehicle.time}`}>
              <td class="nowrap">
                <Time at={vehicle.time} />
              </td>
              <td class="number">
                <b>{withUnit(vehicle.weight_t, "t")}</b>
              </td>
              <td class="number">{withUnit(vehicle.limit_t, "t")}</td>
              <td class="number">{percent(vehicle.weight_t / vehicle.limit_t - 1)}</td>
              <td>
                <a href={sensorAddress(vehicle.sensor)}>
                  {say(assetsById.value.get(vehicle.asset)?.properties.name) || vehicle.asset}
                </a>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </WideTable>
  );
}
