/** A chart of sensors with the same unit: mean line, band from lowest to highest, limits, an alert's span. */
import type { JSX } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { SensorAnswer } from "../api/types";
import { colour, theme } from "../shell/theme";
import { amount, clock, unitText, utc, withUnit } from "../words/format";
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
}

const DASHES: readonly number[][] = [[], [7, 4], [2, 3], [10, 3, 2, 3]];
/** The same lines as borders of the legend's marks. */
const LEGEND_LINES = ["solid", "dashed", "dotted", "double"];
const DAY_S = 86_400;

function series(sensors: readonly SensorAnswer[], unit: string): uPlot.Series[] {
  return sensors.flatMap((sensor, index): uPlot.Series[] => {
    const line = colour(`line-${index % 4}`);
    const value = (_: uPlot, at: number | null): string => (at === null || at === undefined ? "–" : withUnit(at, unit));
    const hidden = { stroke: "transparent", width: 0, points: { show: false }, class: "edge" };
    return [
      {
        label: `${sensor.id} ${say(sensor.label)}`,
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
  const long = (splits.at(-1) ?? 0) - (splits[0] ?? 0) > DAY_S;
  return splits.map((at) => clock(new Date(at * 1000), long ? "day" : "time"));
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

function options(request: ChartRequest, data: uPlot.AlignedData, width: number): uPlot.Options {
  const { sensors, height, small, alert } = request;
  const unit = sensors[0]?.unit ?? "";
  const limits = limitsOf(sensors.flatMap((sensor) => sensor.thresholds), alert?.threshold ?? null);
  const axis = { stroke: colour("quiet"), grid: { stroke: colour("grid"), width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
  const bands = sensors.map((_, index) => ({
    series: [index * 3 + 3, index * 3 + 2] as [number, number],
    fill: colour(`band-${index % 4}`),
  }));
  return {
    width,
    height,
    padding: [8, 8, 0, 0],
    legend: { show: !small, markers: { width: 2, dash: (_, index) => LEGEND_LINES[Math.floor((index - 1) / 3) % 4] ?? "solid" } },
    cursor: { y: false, drag: { x: false, y: false } },
    scales: {
      x: { time: true, range: () => [request.start / 1000, request.end / 1000] },
      y: { range: () => valueSpan(data, limits, alert?.threshold ?? null) },
    },
    axes: [
      { ...axis, values: times, space: small ? 70 : 80, size: 26 },
      { ...axis, values: (_, splits) => splits.map(amount), size: 52, space: small ? 30 : 34 },
    ],
    series: [{ label: word("sensor.time"), value: (_, at) => (at ? `${clock(new Date(at * 1000), "day")}` : "–") }, ...series(sensors, unit)],
    bands,
    hooks: {
      drawClear: [(plot) => alert && shade(plot, alert.start, alert.end)],
      draw: [(plot) => drawLimits(plot, limits, !small)],
    },
  };
}

/** Draws anew on other data, theme, language or width; cheap enough at a few redraws a minute. */
function useDrawing(request: ChartRequest, data: uPlot.AlignedData | null) {
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
      plot = new uPlot(options(request, data, width), data, place);
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
  const data = useMemo(() => (histories?.of.length ? columns(histories.of, request.sensors) : null), [histories?.of]);
  const empty = data !== null && !data[0].length;
  const drawn = histories ? { ...request, start: histories.start, end: histories.end } : request;
  const holder = useDrawing(drawn, empty ? null : data);
  const bad = histories?.of.reduce((sum, history) => sum + history.points.reduce((n, point) => n + point.bad, 0), 0) ?? 0;
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
          {bad > 0 && ` · ${word("chart.bad", { count: bad })}`}
        </figcaption>
      )}
    </figure>
  );
}
