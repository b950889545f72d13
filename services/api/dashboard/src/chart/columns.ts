/** Histories as the columns a chart draws: time, then mean, lowest and highest of each sensor. */
import uPlot from "uplot";
import type { HistoryAnswer, SensorAnswer, ThresholdAnswer } from "../api/types";

/** So many missed reports are shown as a hole, not bridged by a line. */
const MISSED_REPORTS = 3;
const LEAST_HOLE_S = 180;

type Column = (number | null | undefined)[];

/** Where a hole begins: a step much longer than the sensor's interval and than the steps beside it. */
function holes(times: readonly number[], interval_s: number): boolean[] {
  const steps = times.map((at, index) => at - (times[index - 1] ?? at));
  return steps.map((step, index) => {
    // Imported history is often coarser than what the sensor reports live, so its own rhythm counts too.
    const beside = Math.min(index > 1 ? steps[index - 1]! : Infinity, steps[index + 1] ?? Infinity);
    return step > Math.max(interval_s * MISSED_REPORTS, LEAST_HOLE_S) && step > beside * MISSED_REPORTS;
  });
}

function table(history: HistoryAnswer, interval_s: number): uPlot.AlignedData {
  const points = history.points.filter((point) => point.mean !== null);
  const at = points.map((point) => Date.parse(point.time) / 1000);
  const hole = holes(at, Math.max(interval_s, history.bucket_s));
  const [times, means, lows, highs]: [number[], Column, Column, Column] = [[], [], [], []];
  points.forEach((point, index) => {
    if (hole[index]) {
      times.push(at[index - 1]! + 1);
      for (const column of [means, lows, highs]) column.push(null);
    }
    times.push(at[index]!);
    means.push(point.mean);
    lows.push(point.minimum);
    highs.push(point.maximum);
  });
  return [times, means, lows, highs];
}

/** Values with a hole on both sides: no line shows them, so they are drawn as dots. */
export function alone(column: ArrayLike<number | null | undefined>): number[] {
  const known = Array.from(column, (value, index) => ({ value, index })).filter(({ value }) => value !== undefined);
  return known
    .filter(({ value }, at) => value !== null && (known[at - 1]?.value ?? null) === null && (known[at + 1]?.value ?? null) === null)
    .map(({ index }) => index);
}

export function columns(histories: readonly HistoryAnswer[], sensors: readonly SensorAnswer[]): uPlot.AlignedData {
  const interval = (id: string): number => sensors.find((sensor) => sensor.id === id)?.interval_s ?? 60;
  const tables = histories.map((history) => table(history, interval(history.sensor)));
  return tables.length === 1 && tables[0] ? tables[0] : uPlot.join(tables);
}

export interface Limit {
  value: number;
  severity: number;
}

/** The limits to draw: those of the sensors, and the one an alert names; each value once. */
export function limitsOf(thresholds: readonly ThresholdAnswer[], named: number | null): Limit[] {
  const byValue = new Map<number, Limit>();
  for (const { raise_at, severity } of thresholds) {
    const known = byValue.get(raise_at);
    if (!known || known.severity < severity) byValue.set(raise_at, { value: raise_at, severity });
  }
  if (named !== null && !byValue.has(named)) byValue.set(named, { value: named, severity: 0 });
  return [...byValue.values()];
}

/** The span of values to show: the data, and the limits that are not too far from it. */
export function valueSpan(data: uPlot.AlignedData, limits: readonly Limit[], named: number | null): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const column of data.slice(1)) {
    for (const value of column) {
      if (typeof value !== "number") continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  if (!Number.isFinite(low)) [low, high] = [0, 1];
  const reach = Math.max(high - low, Math.abs(high) * 0.05, 1e-6);
  const [from, to] = [low - reach * 1.2, high + reach * 1.2];
  for (const { value } of limits) {
    if (value !== named && (value < from || value > to)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const margin = Math.max((high - low) * 0.08, Math.abs(high) * 0.005, 1e-6);
  return [low - margin, high + margin];
}
