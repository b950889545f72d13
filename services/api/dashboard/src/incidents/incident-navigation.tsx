/** Incidents and the plans by which people answer them. */
import type { JSX } from "preact";
import { route } from "../route";
import { SubNavigation } from "../shell/sub-navigation";
import { word } from "../words/language";

export function IncidentNavigation(): JSX.Element {
  const at = route.value.page;
  return (
    <SubNavigation
      label={word("nav.incidents")}
      pages={[
        { address: "#/incidents", name: word("nav.incidents"), here: at === "incidents", testid: "to-incidents" },
        { address: "#/plans", name: word("plans"), here: at === "plans", testid: "to-plans" },
      ]}
    />
  );
}
