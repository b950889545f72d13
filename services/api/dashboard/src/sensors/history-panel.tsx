/** The history of one or several sensors on one axis, from a minute to ten years, with a frame to draw for a closer look. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { SensorAnswer } from "../api/types";
import { SensorChart } from "../chart/sensor-chart";
import { cityNow, sensors } from "../city/store";
import { clock, unitText } from "../words/format";
import { say, word } from "../words/language";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const SPANS = {
  "1h": HOUR_MS,
  "6h": 6 * HOUR_MS,
  "24h": DAY_MS,
  "3d": 3 * DAY_MS,
  "30d": 30 * DAY_MS,
  "1y": 366 * DAY_MS,
  "10y": 3_653 * DAY_MS,
} as const;
type Span = keyof typeof SPANS;

const LEAST_MS = 60_000;
const MOST_MS = SPANS["10y"];
/** More lines cannot be told apart. */
const MOST_LINES = 4;
/** A chart has about so many points; its end need not move by less than one of them. */
const POINTS = 600;

interface View {
  start: number;
  end: number;
}

/** The newest moment, on a step that a chart of this length can show. */
function newest(length_ms: number): number {
  const step = Math.max(1, Math.floor(length_ms / POINTS));
  return Math.ceil(cityNow.value / step) * step;
}

/** A span `factor` times as long, within what can be asked for: around the middle, or with the same end. */
export function scaled({ start, end }: View, factor: number, keepsEnd: boolean): View {
  const length = Math.min(MOST_MS, Math.max(LEAST_MS, (end - start) * factor));
  const until = keepsEnd ? end : (start + end) / 2 + length / 2;
  return { start: until - length, end: until };
}

function Lines({ of, add, drop }: { of: readonly SensorAnswer[]; add: (id: string) => void; drop: (id: string) => void }): JSX.Element {
  const unit = of[0]?.unit;
  const others = [...sensors.value.values()].filter((one) => one.unit === unit && !of.includes(one));
  const typed = useSignal("");
  const choose = (id: string): void => {
    typed.value = id;
    if (!others.some((one) => one.id === id)) return;
    add(id);
    typed.value = "";
  };
  return (
    <div class="row" data-testid="chart-lines">
      {of.slice(1).map((sensor) => (
        <span key={sensor.id} class="tag">
          {sensor.id}{" "}
          <button type="button" class="link" aria-label={`${word("remove")} ${sensor.id}`} onClick={() => drop(sensor.id)}>
            ×
          </button>
        </span>
      ))}
      {of.length < MOST_LINES && (
        <input
          list="sensors-beside"
          data-testid="chart-add"
          aria-label={word("chart.add")}
          placeholder={word("chart.add")}
          value={typed.value}
          onInput={(event) => choose(event.currentTarget.value.trim())}
        />
      )}
      <datalist id="sensors-beside">
        {others.slice(0, 300).map((sensor) => (
          <option key={sensor.id} value={sensor.id}>
            {say(sensor.label)}
          </option>
        ))}
      </datalist>
    </div>
  );
}

export function HistoryPanel({ sensor }: { sensor: SensorAnswer }): JSX.Element {
  const span = useSignal<Span | null>("6h");
  /** A view that a person chose; null follows the newest value. */
  const chosen = useSignal<View | null>(null);
  const beside = useSignal<readonly string[]>([]);
  const compare = useSignal(false);
  const length_ms = span.value ? SPANS[span.value] : DAY_MS;
  const end = newest(length_ms);
  const view = chosen.value ?? { start: end - length_ms, end };
  // Whoever looks at the newest value and goes closer still wants to see it.
  const follows = chosen.value === null;
  const take = (next: View): void => {
    span.value = null;
    chosen.value = next;
  };
  const follow = (one: Span): void => {
    chosen.value = null;
    span.value = one;
  };
  const pan = (share: number): void => {
    const by = (view.end - view.start) * share;
    take({ start: view.start + by, end: view.end + by });
  };
  const shown = [sensor, ...beside.value.flatMap((id) => sensors.value.get(id) ?? [])];
  // Another view is another chart, but while the newest value is followed it is one that grows.
  const key = [span.value ?? `${view.start} ${view.end}`, compare.value, ...beside.value].join();
  return (
    <section class="panel" aria-label={word("sensor.history")} data-testid="history-panel">
      <div class="record-head">
        <h2>
          {word("sensor.history")} <span class="quiet">{unitText(sensor.unit)}</span>
        </h2>
        <div class="choice" role="group" aria-label={word("span")}>
          {(Object.keys(SPANS) as Span[]).map((one) => (
            <button key={one} type="button" aria-pressed={span.value === one} data-testid={`span-${one}`} onClick={() => follow(one)}>
              {word(`span.${one}`)}
            </button>
          ))}
        </div>
        <div class="choice" role="group" aria-label={word("chart.move")}>
          <button type="button" data-testid="chart-earlier" aria-label={word("chart.earlier")} title={word("chart.earlier")} onClick={() => pan(-0.5)}>
            ←
          </button>
          <button type="button" data-testid="chart-closer" aria-label={word("map.closer")} title={word("map.closer")} onClick={() => take(scaled(view, 0.5, follows))}>
            +
          </button>
          <button type="button" data-testid="chart-farther" aria-label={word("map.farther")} title={word("map.farther")} onClick={() => take(scaled(view, 2, follows))}>
            −
          </button>
          <button type="button" data-testid="chart-later" aria-label={word("chart.later")} title={word("chart.later")} onClick={() => pan(0.5)}>
            →
          </button>
        </div>
        <label class="check">
          <input type="checkbox" data-testid="chart-compare" checked={compare.value} onChange={(event) => (compare.value = event.currentTarget.checked)} />
          {word("chart.compare")}
        </label>
      </div>
      <Lines
        of={shown}
        add={(id) => (beside.value = [...beside.value, id])}
        drop={(id) => (beside.value = beside.value.filter((one) => one !== id))}
      />
      <p class="quiet" data-testid="chart-view" data-hours={Math.round((view.end - view.start) / HOUR_MS)}>
        {clock(new Date(view.start), "full")} – {clock(new Date(view.end), "full")} · {word("chart.frame")}
      </p>
      <SensorChart
        key={key}
        sensors={shown}
        start={view.start}
        end={view.end}
        height={340}
        compare={compare.value}
        zoom={(start, until) => take({ start, end: Math.max(until, start + LEAST_MS) })}
      />
    </section>
  );
}
