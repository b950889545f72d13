/** A chart of sensors with the same unit: mean line, band from lowest to highest, limits, an alert's span. */
import type { JSX } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { HistoryAnswer, SensorAnswer } from "../api/types";
import { colour, theme } from "../shell/theme";
import { amount, clock, duration, unitText, utc, withUnit } from "../words/format";
import { language, say, word } from "../words/language";
import { alone, columns, type Limit, limitsOf, valueSpan } from "./columns";
import { useHistories } from "./history";

export interface ChartRequest {
  sensors: readonly SensorAnswer[];
  /** The span of time, in milliseconds. */
  start: number;
  end: number;
  height: number;
  /** Without legend and limits' words, for a popover. */
  small?: boolean;
  /** The alert's span to shade and the limit it names. */
  alert?: { start: number; end: number; threshold: number | null };
  /** The same a week earlier, beside it. */
  compare?: boolean;
  /** Takes the span that a person drew a frame around. */
  zoom?: (start: number, end: number) => void;
}

const WEEK_MS = 7 * 86_400_000;

/** One line of the chart: a sensor, now or a week earlier. */
interface Line {
  sensor: SensorAnswer;
  before: boolean;
}

function linesOf({ sensors, compare }: ChartRequest): Line[] {
  const now = sensors.map((sensor) => ({ sensor, before: false }));
  return compare ? [...now, ...sensors.map((sensor) => ({ sensor, before: true }))] : now;
}

/** A history a week later, so that it lies under the one to compare with. */
function moved(history: HistoryAnswer): HistoryAnswer {
  const points = history.points.map((point) => ({ ...point, time: new Date(Date.parse(point.time) + WEEK_MS).toISOString() }));
  return { ...history, points };
}

const DASHES: readonly number[][] = [[], [7, 4], [2, 3], [10, 3, 2, 3]];
/** The same lines as borders of the legend's marks. */
const LEGEND_LINES = ["solid", "dashed", "dotted", "double"];
const DAY_S = 86_400;
const YEAR_S = 300 * DAY_S;
/** A narrower frame is a click that slipped. */
const LEAST_FRAME_PX = 8;

function series(lines: readonly Line[], unit: string): uPlot.Series[] {
  return lines.flatMap(({ sensor, before }, index): uPlot.Series[] => {
    const line = colour(`line-${index % 4}`);
    const value = (_: uPlot, at: number | null): string => (at === null || at === undefined ? "–" : withUnit(at, unit));
    const hidden = { stroke: "transparent", width: 0, points: { show: false }, class: "edge" };
    return [
      {
        label: `${sensor.id} ${say(sensor.label)}${before ? ` ${word("chart.week-before")}` : ""}`,
        stroke: line,
        width: 1.6,
        dash: DASHES[index % 4] ?? [],
        points: { show: true, size: 5, fill: line, filter: (plot, column) => alone(plot.data[column]!) },
        value,
      },
      hidden,
      hidden,
    ];
  });
}

function times(_: uPlot, splits: number[]): string[] {
  const span = (splits.at(-1) ?? 0) - (splits[0] ?? 0);
  const style = span > YEAR_S ? "date" : span > DAY_S ? "day" : "time";
  return splits.map((at) => clock(new Date(at * 1000), style));
}

function shade(plot: uPlot, start: number, end: number): void {
  const from = Math.max(plot.valToPos(start / 1000, "x", true), plot.bbox.left);
  const to = Math.min(plot.valToPos(end / 1000, "x", true), plot.bbox.left + plot.bbox.width);
  if (to <= from) return;
  plot.ctx.fillStyle = colour("shade");
  plot.ctx.fillRect(from, plot.bbox.top, to - from, plot.bbox.height);
}

function drawLimits(plot: uPlot, limits: readonly Limit[], words: boolean): void {
  const pen = plot.ctx;
  const { left, top, width, height } = plot.bbox;
  pen.save();
  pen.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  pen.textAlign = "left";
  for (const { value, severity } of limits) {
    const y = plot.valToPos(value, "y", true);
    if (y < top || y > top + height) continue;
    pen.strokeStyle = pen.fillStyle = colour(severity ? `severity-${severity}-text` : "quiet");
    pen.lineWidth = devicePixelRatio;
    pen.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
    pen.beginPath();
    pen.moveTo(left, y);
    pen.lineTo(left + width, y);
    pen.stroke();
    const said = severity ? word(`severity.${severity as 1 | 2 | 3 | 4}`) : word("alert.limit");
    if (words) pen.fillText(`${said} ${amount(value)}`, left + 4 * devicePixelRatio, y - 4 * devicePixelRatio);
  }
  pen.restore();
}

/** Where readings were suspect or bad: a short tick below the line, longer for the worse. */
function drawQuality(plot: uPlot, histories: readonly HistoryAnswer[]): void {
  const { left, top, width, height } = plot.bbox;
  for (const history of histories) {
    for (const { time, suspect, bad } of history.points) {
      if (!suspect && !bad) continue;
      const x = plot.valToPos(Date.parse(time) / 1000, "x", true);
      if (x < left || x > left + width) continue;
      const length = (bad ? 10 : 5) * devicePixelRatio;
      plot.ctx.fillStyle = colour(bad ? "severity-4-text" : "state-attention");
      plot.ctx.fillRect(x, top + height - length, 2 * devicePixelRatio, length);
    }
  }
}

function options(request: ChartRequest, histories: readonly HistoryAnswer[], data: uPlot.AlignedData, width: number): uPlot.Options {
  const { sensors, height, small, alert } = request;
  const unit = sensors[0]?.unit ?? "";
  const limits = limitsOf(sensors.flatMap((sensor) => sensor.thresholds), alert?.threshold ?? null);
  const axis = { stroke: colour("quiet"), grid: { stroke: colour("grid"), width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
  const lines = linesOf(request);
  const bands = sensors.map((_, index) => ({
    series: [index * 3 + 3, index * 3 + 2] as [number, number],
    fill: colour(`band-${index % 4}`),
  }));
  return {
    width,
    height,
    padding: [8, 8, 0, 0],
    legend: { show: !small, markers: { width: 2, dash: (_, index) => LEGEND_LINES[Math.floor((index - 1) / 3) % 4] ?? "solid" } },
    cursor: { y: false, drag: { x: request.zoom !== undefined, y: false, setScale: false } },
    scales: {
      x: { time: true, range: () => [request.start / 1000, request.end / 1000] },
      y: { range: () => valueSpan(data, limits, alert?.threshold ?? null) },
    },
    axes: [
      { ...axis, values: times, space: small ? 70 : 80, size: 26 },
      { ...axis, values: (_, splits) => splits.map(amount), size: 52, space: small ? 30 : 34 },
    ],
    series: [{ label: word("sensor.time"), value: (_, at) => (at ? `${clock(new Date(at * 1000), "day")}` : "–") }, ...series(lines, unit)],
    bands,
    hooks: {
      drawClear: [(plot) => alert && shade(plot, alert.start, alert.end)],
      draw: [(plot) => drawLimits(plot, limits, !small), (plot) => small || drawQuality(plot, histories)],
      setSelect: [
        (plot) => {
          const { left, width: drawn } = plot.select;
          if (drawn < LEAST_FRAME_PX) return;
          request.zoom?.(plot.posToVal(left, "x") * 1000, plot.posToVal(left + drawn, "x") * 1000);
        },
      ],
    },
  };
}

/** Draws anew on other data, theme, language or width; cheap enough at a few redraws a minute. */
function useDrawing(request: ChartRequest, histories: readonly HistoryAnswer[], data: uPlot.AlignedData | null) {
  const holder = useRef<HTMLDivElement>(null);
  const [shownTheme, shownLanguage] = [theme.value, language.value];
  useEffect(() => {
    const place = holder.current;
    if (!place || !data) return undefined;
    let plot: uPlot | null = null;
    const draw = (): void => {
      const width = Math.floor(place.clientWidth);
      if (!width || plot?.width === width) return;
      if (plot) return plot.setSize({ width, height: request.height });
      plot = new uPlot(options(request, histories, data, width), data, place);
    };
    const watch = new ResizeObserver(draw);
    watch.observe(place);
    draw();
    return () => {
      watch.disconnect();
      plot?.destroy();
    };
  }, [data, shownTheme, shownLanguage, request.height, request.alert?.end, request.alert?.threshold]);
  return holder;
}

export function SensorChart(request: ChartRequest): JSX.Element {
  const histories = useHistories(request.sensors, request.start, request.end, request.small ? 120 : 600);
  // The same answer must give the same columns, or every redraw of the page would redraw the chart.
  const past = useHistories(request.compare ? request.sensors : [], request.start - WEEK_MS, request.end - WEEK_MS);
  const before = request.compare ? past?.of : undefined;
  const shown = useMemo(() => {
    // Without the week before yet, its columns stay empty, so that the lines keep their places.
    const beside = request.compare ? (before ?? []).map(moved) : [];
    return histories?.of.length ? [...histories.of, ...beside] : [];
  }, [histories?.of, before]);
  const whole = shown.length === linesOf(request).length;
  const data = useMemo(() => (whole ? columns(shown, request.sensors) : null), [shown, whole]);
  const empty = data !== null && !data[0].length;
  const drawn = histories ? { ...request, start: histories.start, end: histories.end } : request;
  const holder = useDrawing(drawn, shown, empty ? null : data);
  const points = histories?.of.flatMap((history) => history.points) ?? [];
  const bad = points.reduce((sum, point) => sum + point.bad, 0);
  const suspect = points.reduce((sum, point) => sum + (point.suspect ?? 0), 0);
  const names = request.sensors.map((sensor) => `${sensor.id} ${say(sensor.label)}`).join(", ");
  const label = `${word("chart.title", { name: names, unit: unitText(request.sensors[0]?.unit) })}. ${utc(request.start)} – ${utc(request.end)}`;
  return (
    <figure class={request.small ? "chart small" : "chart"} data-testid="chart" aria-label={label}>
      <div ref={holder} class="chart-canvas" style={{ minHeight: `${request.height}px` }}>
        {!histories && <p class="quiet chart-note">{word("loading")}</p>}
        {histories?.failed && !data && <p class="quiet chart-note">{word("unreachable")}</p>}
        {empty && <p class="quiet chart-note">{word("chart.none")}</p>}
      </div>
      {!request.small && (
        <figcaption class="quiet">
          {word("chart.band")}
          {request.alert && ` · ${word("chart.span")}`}
          {suspect > 0 && ` · ${word("chart.suspect", { count: suspect })}`}
          {bad > 0 && ` · ${word("chart.bad", { count: bad })}`}
          {histories?.of[0] && ` · ${word("chart.source", { bucket: duration(histories.of[0].bucket_s * 1000) })}`}
        </figcaption>
      )}
    </figure>
  );
}
