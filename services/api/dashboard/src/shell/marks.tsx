/** Small signs: the shape of a severity, the picture of a lifeline, a time with its UTC on hover. */
import type { JSX } from "preact";
import type { LifelineId, Severity } from "../api/types";
import type { SensorState } from "../city/sensor-state";
import { cityNow } from "../city/store";
import { moment, utc } from "../words/format";
import { word, wordFor } from "../words/language";

/** Outlines on a 20 × 20 field: the worse, the more corners. The map draws the same ones. */
export const SEVERITY_SHAPES: Record<Severity, string> = {
  0: "M10 6a4 4 0 1 1 0 8a4 4 0 1 1 0-8z",
  1: "M10 3a7 7 0 1 1 0 14a7 7 0 1 1 0-14z",
  2: "M10 2l8.6 15.5H1.4z",
  3: "M10 1l9 9-9 9-9-9z",
  4: "M6.3 1h7.4L19 6.3v7.4L13.7 19H6.3L1 13.7V6.3z",
};

export function SeverityMark({ severity }: { severity: Severity }): JSX.Element {
  return (
    <svg class={`mark severity-${severity}`} viewBox="0 0 20 20" role="img" aria-label={wordFor("severity", String(severity))}>
      <path d={SEVERITY_SHAPES[severity]} />
      {severity === 4 && <path class="inside" d="M10 4.6v6.6M10 14v1.6" />}
    </svg>
  );
}

/** Line drawings on a 20 × 20 field. */
const LIFELINE_PICTURES: Record<LifelineId, string> = {
  gas: "M10 2c1 3.4 5 5.4 5 9.6A5 5 0 0 1 10 18a5 5 0 0 1-5-6.4c.4-1.7 1.6-2.6 2.2-4 .9 1 1.2 1.8 1.2 2.8C10 8.5 10.4 5 10 2z",
  water: "M10 2.500c3.2 4 5 6.6 5 9.300a5 5 0 0 1-10 0c0-2.7 1.8-5.3 5-9.300z",
  drainage: "M2 7c2-2 4-2 5.3 0s3.3 2 5.3 0 3.4-2 5.4 0M2 13c2-2 4-2 5.3 0s3.3 2 5.3 0 3.4-2 5.4 0",
  bridge: "M1.5 14h17M4.5 17V6M15.5 17V6M1.5 11C3 10 4 8 4.5 6c1.5 4 9.5 4 11 0 .5 2 1.5 4 3 5",
  heat: "M6 17c-2.5-3 2.5-5 0-8s1-4 1-6M11 17c-2.5-3 2.5-5 0-8s1-4 1-6M16 17c-2.5-3 2.5-5 0-8s1-4 1-6",
  tunnel: "M3 17v-7a7 7 0 0 1 14 0v7zM7 17v-6a3 3 0 0 1 6 0v6",
  power: "M11.5 1.500L4.5 11.500H9.500L8 18.500l7.5-10.500h-5z",
  telecom: "M10 9v9M6.5 12.500a5 5 0 0 1 0-7M13.5 12.500a5 5 0 0 0 0-7M4 15a8.5 8.5 0 0 1 0-12M16 15a8.5 8.5 0 0 0 0-12",
};

export function LifelineMark({ lifeline }: { lifeline: LifelineId }): JSX.Element {
  return (
    <svg class={`picture lifeline-${lifeline}`} viewBox="0 0 20 20" aria-hidden="true">
      <path d={LIFELINE_PICTURES[lifeline]} />
    </svg>
  );
}

/** Shapes of the sensor states that are no alarm, on the same field. */
export const STATE_SHAPES: Record<Exclude<SensorState, "alarm">, string> = {
  normal: "M10 6a4 4 0 1 1 0 8a4 4 0 1 1 0-8z",
  attention: "M10 3.500a6.5 6.5 0 1 1 0 13a6.5 6.5 0 1 1 0-13zM10 7.500a2.5 2.5 0 1 1 0 5a2.5 2.5 0 1 1 0-5z",
  silent: "M10 5.500a4.5 4.5 0 1 1 0 9a4.5 4.5 0 1 1 0-9z",
  fault: "M5 5l10 10M15 5L5 15",
};

export function StateMark({ state, severity = 4 }: { state: SensorState; severity?: Severity }): JSX.Element {
  if (state === "alarm") return <SeverityMark severity={severity} />;
  return (
    <svg class={`mark state-${state}`} viewBox="0 0 20 20" aria-hidden="true">
      <path d={STATE_SHAPES[state]} />
    </svg>
  );
}

export function Time({ at, empty = "–" }: { at: string | null | undefined; empty?: string }): JSX.Element {
  if (!at) return <span class="quiet">{empty}</span>;
  return (
    <time dateTime={at} title={utc(at)}>
      {moment(at, cityNow.value)}
    </time>
  );
}

export function Loading(): JSX.Element {
  return <p class="quiet pad">{word("loading")}</p>;
}
