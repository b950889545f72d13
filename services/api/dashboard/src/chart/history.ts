/** A sensor's history, read again while it grows. */
import { useEffect, useRef, useState } from "preact/hooks";
import { get } from "../api/client";
import type { HistoryAnswer, SensorAnswer } from "../api/types";

/** Buckets asked for; about two a pixel pair on a wide screen. */
const POINTS = 600;
const AGAIN_MS = 5_000;

export interface Histories {
  of: HistoryAnswer[];
  start: number;
  end: number;
  failed: boolean;
}

async function read(sensors: readonly SensorAnswer[], start: number, end: number, points: number): Promise<HistoryAnswer[]> {
  const query = { start: new Date(start).toISOString(), end: new Date(end).toISOString(), points };
  return Promise.all(sensors.map(({ id }) => get<HistoryAnswer>(`sensors/${encodeURIComponent(id)}/history`, query)));
}

/** Histories of `sensors` from `start` to `end` (milliseconds); a moving end is followed every few
 * seconds. A span of another length needs another `key` on the chart. */
export function useHistories(sensors: readonly SensorAnswer[], start: number, end: number, points = POINTS): Histories | null {
  const [histories, keep] = useState<Histories | null>(null);
  const wanted = useRef({ sensors, start, end });
  wanted.current = { sensors, start, end };
  const which = sensors.map((sensor) => sensor.id).join("\n");
  useEffect(() => {
    let stopped = false;
    let lastEnd = 0;
    const load = async (): Promise<void> => {
      const now = wanted.current;
      if (now.end === lastEnd || !now.sensors.length) return;
      lastEnd = now.end;
      try {
        const of = await read(now.sensors, now.start, now.end, points);
        if (!stopped) keep({ of, start: now.start, end: now.end, failed: false });
      } catch {
        lastEnd = 0;
        if (!stopped) keep((before) => ({ of: before?.of ?? [], start: now.start, end: now.end, failed: true }));
      }
    };
    void load();
    const timer = setInterval(() => void load(), AGAIN_MS);
    return () => {
      stopped = true;
      clearInterval(timer);
    };
  }, [which, points]);
  return histories;
}
