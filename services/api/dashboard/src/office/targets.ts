/**
 * What a centre should stay below, after EEMUA 191 and ISA-18.2 as they are widely quoted (the documents themselves
 * were not read): an operator takes about one alert in ten minutes and can cope with two; at most ten in any ten
 * minutes; floods at most 1 % of the time; severities about 80 / 15 / 5; the ten noisiest sources at most 5 % of all;
 * nothing that chatters or stands for days.
 */
import type { AlarmFiguresAnswer } from "../api/office";

export const TARGETS = {
  perTenMinutes: 1,
  copedWith: 2,
  busiest: 10,
  inFlood: 0.01,
  topShare: 0.05,
  chattering: 0,
  stale: 5,
} as const;

/** With fewer alerts ten sources raise more than their share even if every alert has a source of its own. */
export const ENOUGH_FOR_TOP_SHARE = 10 / TARGETS.topShare;

/** Low, medium, high: shares of the told alerts. */
export const SEVERITY_SHARES = { low: 0.8, medium: 0.15, high: 0.05 } as const;
export type Band = keyof typeof SEVERITY_SHARES;

/** Blue and yellow are low, orange is medium, red is high. */
const BANDS: Readonly<Record<Band, readonly string[]>> = { low: ["0", "1", "2"], medium: ["3"], high: ["4"] };

export function perTenMinutes(figures: AlarmFiguresAnswer, operators: number): number {
  return figures.per_hour / 6 / operators;
}

export function shares(figures: AlarmFiguresAnswer): Record<Band, number> | null {
  if (!figures.told) return null;
  const of = (band: Band): number =>
    BANDS[band].reduce((sum, severity) => sum + (figures.by_severity[severity] ?? 0), 0) / figures.told;
  return { low: of("low"), medium: of("medium"), high: of("high") };
}

/** The share of all episodes that the ten noisiest sources raise; null without any alert. */
export function topShare(figures: AlarmFiguresAnswer): number | null {
  if (!figures.alerts) return null;
  // Episodes that came back are counted each time among the sources, and once among the alerts.
  const top = figures.top_sources.reduce((sum, source) => sum + source.times, 0);
  return Math.min(1, top / Math.max(figures.alerts, top));
}

/** False alarms of those that were judged; null where none was. */
export function falseShare(verdicts: AlarmFiguresAnswer["verdicts"]): number | null {
  const wrong = verdicts.reduce((sum, one) => sum + one.false_alarms, 0);
  const judged = wrong + verdicts.reduce((sum, one) => sum + one.true_alarms, 0);
  return judged ? wrong / judged : null;
}
