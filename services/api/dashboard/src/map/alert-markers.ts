/** Open alerts on the map: links with shape, picture and words, that pulse once when they arrive. */
import { effect } from "@preact/signals";
import { type Map as GlMap, Marker } from "maplibre-gl";
import { h, render } from "preact";
import type { AlertAnswer } from "../api/types";
import { chosenLifeline, openAlerts } from "../city/store";
import { alertAddress } from "../route";
import { LifelineMark, SeverityMark } from "../shell/marks";
import { say } from "../words/language";

/** With more open alerts than this the markers lose their words, so that the map stays readable. */
const MOST_WITH_WORDS = 8;
/** An alert pulses only when it came while the page was open. */
const seen = new Set<string>();
let first = true;

function element(alert: AlertAnswer, words: boolean, fresh: boolean): HTMLAnchorElement {
  const link = document.createElement("a");
  link.href = alertAddress(alert.id);
  link.className = `alert-marker severity-${alert.highest_severity}${fresh ? " fresh" : ""}${alert.state === "open" ? "" : " calm"}`;
  link.dataset["testid"] = "alert-marker";
  const name = `${say(alert.label)}, ${say(alert.kind_label)}, ${say(alert.asset_name)}`;
  link.title = name;
  link.setAttribute("aria-label", name);
  const parts = [h(SeverityMark, { severity: alert.highest_severity }), h(LifelineMark, { lifeline: alert.lifeline })];
  render(h("span", { class: "alert-marker-body" }, ...parts, words ? h("span", {}, say(alert.kind_label)) : null), link);
  return link;
}

/** What decides how a marker looks; the same words mean the same marker. */
function looks(alert: AlertAnswer, words: boolean): string {
  return [alert.highest_severity, alert.state, alert.position, words].join();
}

export function followAlerts(map: GlMap): () => void {
  const markers = new Map<string, { marker: Marker; looks: string }>();
  const drop = (id: string): void => {
    markers.get(id)?.marker.remove();
    markers.delete(id);
  };
  const stop = effect(() => {
    const chosen = chosenLifeline.value;
    const shown = openAlerts.value.filter((alert) => alert.position && (!chosen || alert.lifeline === chosen));
    const ids = new Set(shown.map((alert) => alert.id));
    [...markers.keys()].filter((id) => !ids.has(id)).forEach(drop);
    for (const alert of shown) {
      const words = shown.length <= MOST_WITH_WORDS;
      const look = looks(alert, words);
      if (!alert.position || markers.get(alert.id)?.looks === look) continue;
      drop(alert.id);
      const fresh = !first && !seen.has(alert.id);
      const marker = new Marker({ element: element(alert, words, fresh), anchor: "bottom", offset: [0, -9] });
      markers.set(alert.id, { marker: marker.setLngLat(alert.position).addTo(map), looks: look });
    }
    shown.forEach((alert) => seen.add(alert.id));
    if (shown.length) first = false;
  });
  return () => {
    stop();
    [...markers.keys()].forEach(drop);
  };
}
