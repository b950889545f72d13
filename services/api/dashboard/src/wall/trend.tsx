/** Alerts by hour over the last day, as bars in the colour and height of what came. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { getAll } from "../api/client";
import type { AlertAnswer, Severity } from "../api/types";
import { cityNow } from "../city/store";
import { clock } from "../words/format";
import { word } from "../words/language";

const HOUR_MS = 3_600_000;
const HOURS = 24;
const AGAIN_MS = 60_000;
/** So many alerts are looked at; a day with more is a flood, and its bars say so at their top. */
const MOST = 2_000;

export interface Hour {
  start: number;
  count: number;
  worst: Severity;
}

/** How many alerts began to be known in each of the last hours, the newest last. */
export function hourly(alerts: readonly Pick<AlertAnswer, "detected_at" | "highest_severity">[], now: number): Hour[] {
  const first = Math.floor(now / HOUR_MS) * HOUR_MS - (HOURS - 1) * HOUR_MS;
  const hours: Hour[] = Array.from({ length: HOURS }, (_, place) => ({ start: first + place * HOUR_MS, count: 0, worst: 0 }));
  for (const alert of alerts) {
    const hour = hours[Math.floor((Date.parse(alert.detected_at) - first) / HOUR_MS)];
    if (!hour) continue;
    hour.count += 1;
    if (alert.highest_severity > hour.worst) hour.worst = alert.highest_severity;
  }
  return hours;
}

export function Trend(): JSX.Element | null {
  const [alerts, keep] = useState<AlertAnswer[] | null>(null);
  useEffect(() => {
    const read = (): void =>
      void getAll<AlertAnswer>("alerts", { limit: 500 }, MOST).then(keep, () => undefined);
    read();
    const timer = setInterval(read, AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
  if (!alerts) return null;
  const hours = hourly(alerts, cityNow.value);
  const most = Math.max(4, ...hours.map((hour) => hour.count));
  const total = hours.reduce((sum, hour) => sum + hour.count, 0);
  return (
    <figure class="wall-trend" data-testid="wall-trend">
      <figcaption>
        {word("wall.trend")} <b>{total}</b>
      </figcaption>
      <svg viewBox="0 0 240 60" preserveAspectRatio="none" role="img" aria-label={word("wall.trend.said", { count: total })}>
        {hours.map(({ start, count, worst }, place) => {
          const height = (count / most) * 58;
          return <rect key={start} class={`severity-${worst}`} x={place * 10 + 1} width={8} y={60 - Math.max(height, 1)} height={Math.max(height, 1)} />;
        })}
      </svg>
      <span class="wall-trend-ends">
        <span>{clock(new Date(hours[0]?.start ?? 0), "time")}</span>
        <span>{word("wall.trend.most", { count: Math.max(...hours.map((hour) => hour.count)) })}</span>
        <span>{clock(new Date(cityNow.value), "time")}</span>
      </span>
    </figure>
  );
}
