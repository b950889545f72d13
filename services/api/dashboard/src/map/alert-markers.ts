/** Open alerts on the map: links with shape, picture and words, that pulse once when they arrive. */
import { effect } from "@preact/signals";
import { type Map as GlMap, Marker } from "maplibre-gl";
import { h, render } from "preact";
import type { AlertAnswer } from "../api/types";
import { chosenLifeline, openAlerts } from "../city/store";
import { alertAddress } from "../route";
import { LifelineMark, SeverityMark } from "../shell/marks";
import { say } from "../words/language";

/** Room for the words of a marker: its height and what lies around them, in pixels. */
const HEIGHT = 34;
const SIGNS_WIDTH = 70;
/** Between a marker and its point. */
const GAP = 9;
/** An alert pulses only when it came while the page was open. */
const seen = new Set<string>();
let first = true;

interface Shown {
  alert: AlertAnswer;
  marker: Marker;
  element: HTMLAnchorElement;
  looks: string;
}

function element(alert: AlertAnswer, fresh: boolean): HTMLAnchorElement {
  const link = document.createElement("a");
  link.href = alertAddress(alert.id);
  link.className = `alert-marker severity-${alert.highest_severity}${fresh ? " fresh" : ""}${alert.state === "open" ? "" : " calm"}`;
  link.dataset["testid"] = "alert-marker";
  link.style.zIndex = String(2 + alert.highest_severity);
  const name = `${say(alert.label)}, ${say(alert.kind_label)}, ${say(alert.asset_name)}`;
  link.title = name;
  link.setAttribute("aria-label", name);
  const signs = [h(SeverityMark, { severity: alert.highest_severity }), h(LifelineMark, { lifeline: alert.lifeline })];
  render(h("span", { class: "alert-marker-body" }, ...signs, h("span", { class: "words" }, say(alert.kind_label))), link);
  return link;
}

/** What decides how a marker looks; the same words mean the same marker. */
function looks(alert: AlertAnswer): string {
  return [alert.highest_severity, alert.state, alert.position, alert.kind].join();
}

interface Box {
  /** Its middle, and half its width. */
  x: number;
  y: number;
  half: number;
}

/** Over its point or under it, with words or without: the first box that covers no worse alert. */
function boxFor(x: number, y: number, widths: readonly number[], height: number, taken: readonly Box[]): Box {
  const boxes = widths.flatMap((width) =>
    [-1, 1].map((side) => ({ x, y: y + side * (GAP + height / 2), half: width / 2 })),
  );
  const isFree = (box: Box): boolean =>
    taken.every((one) => Math.abs(one.x - box.x) > one.half + box.half || Math.abs(one.y - box.y) > height);
  return boxes.find(isFree) ?? boxes[boxes.length - 2]!;
}

/** Lets a marker have its words where they cover no worse alert; the sign itself always stays. */
function arrange(map: GlMap, markers: Iterable<Shown>, scale: number): void {
  const taken: Box[] = [];
  const worstFirst = [...markers].sort((a, b) => b.alert.highest_severity - a.alert.highest_severity);
  for (const { alert, marker, element } of worstFirst) {
    const { x, y } = map.project(marker.getLngLat());
    const words = say(alert.kind_label);
    const sign = scale * SIGNS_WIDTH;
    const whole = sign + scale * words.length * (/[^\x00-\xff]/.test(words) ? 13.5 : 7);
    const box = boxFor(x, y, [whole, sign], HEIGHT * scale, taken);
    const isUnder = box.y > y;
    element.classList.toggle("wordless", box.half < whole / 2);
    element.classList.toggle("under", isUnder);
    marker.setOffset([0, isUnder ? GAP + element.offsetHeight : -GAP]);
    taken.push(box);
  }
}

/** `scale`: how much larger the words are than at a desk. */
export function followAlerts(map: GlMap, scale = 1): () => void {
  const markers = new Map<string, Shown>();
  const drop = (id: string): void => {
    markers.get(id)?.marker.remove();
    markers.delete(id);
  };
  const place = (alert: AlertAnswer, at: [number, number]): void => {
    const look = looks(alert);
    if (markers.get(alert.id)?.looks === look) return;
    drop(alert.id);
    const link = element(alert, !first && !seen.has(alert.id));
    const marker = new Marker({ element: link, anchor: "bottom", offset: [0, -GAP] }).setLngLat(at).addTo(map);
    markers.set(alert.id, { alert, marker, element: link, looks: look });
  };
  const rearrange = (): void => arrange(map, markers.values(), scale);
  const stop = effect(() => {
    const chosen = chosenLifeline.value;
    const shown = openAlerts.value.filter((alert) => alert.position && (!chosen || alert.lifeline === chosen));
    const ids = new Set(shown.map((alert) => alert.id));
    [...markers.keys()].filter((id) => !ids.has(id)).forEach(drop);
    shown.forEach((alert) => alert.position && place(alert, alert.position));
    openAlerts.value.forEach((alert) => seen.add(alert.id));
    if (seen.size) first = false;
    rearrange();
  });
  map.on("moveend", rearrange);
  return () => {
    stop();
    map.off("moveend", rearrange);
    [...markers.keys()].forEach(drop);
  };
}
