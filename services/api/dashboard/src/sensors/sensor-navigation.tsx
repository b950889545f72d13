/** What is measured and what it is measured at. */
import type { JSX } from "preact";
import { route } from "../route";
import { SubNavigation } from "../shell/sub-navigation";
import { word } from "../words/language";

export function SensorNavigation(): JSX.Element {
  const at = route.value.page;
  return (
    <SubNavigation
      label={word("nav.sensors")}
      pages={[
        { address: "#/sensors", name: word("nav.sensors"), here: at === "sensors", testid: "to-sensors" },
        { address: "#/assets", name: word("assets"), here: at === "assets", testid: "to-assets" },
      ]}
    />
  );
}
