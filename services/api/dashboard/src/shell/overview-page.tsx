/** The page of the desk: the city on the left, what needs a person on the right. */
import type { JSX } from "preact";
import { AlertList } from "../alerts/alert-list";
import { WorkOrderList } from "../alerts/work-order-list";
import { CityMap } from "../map/lazy-maps";
import { word } from "../words/language";

export function OverviewPage(): JSX.Element {
  return (
    <div class="overview">
      <h1 class="unseen">{word("nav.overview")}</h1>
      <div class="map-room">
        <CityMap />
      </div>
      <div class="overview-side">
        <AlertList />
        <WorkOrderList />
      </div>
    </div>
  );
}
