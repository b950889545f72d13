/** How a sensor is doing: one word for its dot on the map and its row in the list. */
import { computed } from "@preact/signals";
import type { AlertAnswer, LatestAnswer, SensorAnswer, Severity } from "../api/types";
import { cityNow, latest, openAlerts, sensors } from "./store";

export type SensorState = "normal" | "attention" | "alarm" | "silent" | "fault";

export interface Condition {
  state: SensorState;
  /** The severity of the alert it stands in; 0 without one. */
  severity: Severity;
  alert: AlertAnswer | null;
}

/** So many missed reports make a sensor silent; at least two minutes, since gateways report in batches. */
const MISSED_REPORTS = 3;
const LEAST_SILENCE_MS = 120_000;

export function isSilent(sensor: SensorAnswer, reading: LatestAnswer | undefined, now: number): boolean {
  if (!reading) return true;
  const patience = Math.max(sensor.interval_s * 1000 * MISSED_REPORTS, LEAST_SILENCE_MS);
  return now - Date.parse(reading.time) > patience;
}

function beyondLimit(sensor: SensorAnswer, value: number): boolean {
  return sensor.thresholds.some((limit) =>
    limit.side === "above" ? value >= limit.raise_at : value <= limit.raise_at,
  );
}

/** One object for each state that no alert tells more about: a city has many sensors and few states. */
const PLAIN: Readonly<Record<SensorState, Condition>> = {
  normal: { state: "normal", severity: 0, alert: null },
  attention: { state: "attention", severity: 0, alert: null },
  alarm: { state: "alarm", severity: 0, alert: null },
  silent: { state: "silent", severity: 0, alert: null },
  fault: { state: "fault", severity: 0, alert: null },
};

function judge(sensor: SensorAnswer, reading: LatestAnswer | undefined, alert: AlertAnswer | null, now: number): Condition {
  if (alert && !alert.sensor_fault) return { state: "alarm", severity: alert.severity || alert.highest_severity, alert };
  const without = (state: SensorState): Condition => (alert ? { state, severity: 0, alert } : PLAIN[state]);
  if (alert || reading?.quality === 2) return without("fault");
  if (isSilent(sensor, reading, now)) return without("silent");
  if (reading && (reading.quality === 1 || beyondLimit(sensor, reading.value))) return without("attention");
  return without("normal");
}

/** The open alert that decides about each sensor: a real one before a fault, the worse before the milder. */
const alertBySensor = computed<ReadonlyMap<string, AlertAnswer>>(() => {
  const bySensor = new Map<string, AlertAnswer>();
  const rank = (alert: AlertAnswer): number => (alert.sensor_fault ? 0 : 10) + alert.highest_severity;
  for (const alert of openAlerts.value) {
    for (const sensor of alert.sensors) {
      const known = bySensor.get(sensor);
      if (!known || rank(alert) > rank(known)) bySensor.set(sensor, alert);
    }
  }
  return bySensor;
});

export const conditions = computed<ReadonlyMap<string, Condition>>(() => {
  const now = cityNow.value;
  const all = new Map<string, Condition>();
  for (const [id, sensor] of sensors.value) {
    all.set(id, judge(sensor, latest.value.get(id), alertBySensor.value.get(id) ?? null, now));
  }
  return all;
});

export const STATES: readonly SensorState[] = ["normal", "attention", "alarm", "silent", "fault"];
