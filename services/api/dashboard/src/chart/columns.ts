/** Histories as the columns a chart draws: time, then mean, lowest and highest of each sensor. */
import uPlot from "uplot";
import type { HistoryAnswer, SensorAnswer, ThresholdAnswer } from "../api/types";

/** A hole longer than so many reporting intervals is shown as a hole, not bridged by a line. */
const MISSED_REPORTS = 3;

type Column = (number | null | undefined)[];

function table(history: HistoryAnswer, interval_s: number): uPlot.AlignedData {
  const hole_s = MISSED_REPORTS * Math.max(interval_s, history.bucket_s, 60);
  const [times, means, lows, highs]: [number[], Column, Column, Column] = [[], [], [], []];
  let before: number | null = null;
  for (const point of history.points) {
    if (point.mean === null) continue;
    const at = Date.parse(point.time) / 1000;
    if (before !== null && at - before > hole_s) {
      times.push(before + 1);
      for (const column of [means, lows, highs]) column.push(null);
    }
    times.push(at);
    means.push(point.mean);
    lows.push(point.minimum);
    highs.push(point.maximum);
    before = at;
  }
  return [times, means, lows, highs];
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
