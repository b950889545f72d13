/** Numbers, times and durations as people read them; times in the zone of the browser. */
import { language } from "./language";

function locale(): string {
  return language.value === "zh" ? "zh-CN" : "en-GB";
}

type Style = "time" | "seconds" | "day" | "date" | "minute" | "full";

const STYLES: Record<Style, Intl.DateTimeFormatOptions> = {
  time: { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  seconds: { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" },
  day: { month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  date: { year: "numeric", month: "2-digit", day: "2-digit" },
  minute: { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" },
  full: { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" },
};

const formatters = new Map<string, Intl.DateTimeFormat>();

function formatter(style: Style): Intl.DateTimeFormat {
  const key = `${locale()} ${style}`;
  const known = formatters.get(key);
  if (known) return known;
  const made = new Intl.DateTimeFormat(locale(), STYLES[style]);
  formatters.set(key, made);
  return made;
}

/** A day with its weekday. */
export function day(at: Date): string {
  return new Intl.DateTimeFormat(locale(), { weekday: "short", month: "2-digit", day: "2-digit" }).format(at);
}

export function clock(at: Date, style: Style = "seconds"): string {
  return formatter(style).format(at);
}

/** The hour and minute, with the day before it when it is not the day of `today`. */
export function moment(time: string, today: number): string {
  const at = new Date(time);
  const sameDay = at.toDateString() === new Date(today).toDateString();
  return formatter(sameDay ? "time" : "day").format(at);
}

export function utc(time: string | number | Date): string {
  return `${new Date(time).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** A measured value: four significant digits, no scientific notation. */
export function amount(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  const digits = Math.abs(value) >= 1000 ? 0 : Math.abs(value) >= 100 ? 1 : 2;
  return new Intl.NumberFormat(locale(), { maximumFractionDigits: Math.abs(value) < 0.1 ? 4 : digits }).format(value);
}

/** A unit as it is printed: `m3/h` with its exponent raised, nothing for a pure number. */
export function unitText(unit: string | null | undefined): string {
  if (!unit || unit === "1") return "";
  return unit.replace(/(?<=[a-z])2(?![0-9])/g, "²").replace(/(?<=[a-z])3(?![0-9])/g, "³");
}

export function withUnit(value: number | null | undefined, unit: string | null | undefined): string {
  const shown = unitText(unit);
  return shown ? `${amount(value)}\u202f${shown}` : amount(value);
}

export function percent(share: number): string {
  return new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: 0 }).format(share);
}

/** Money with its currency's sign or letters. */
export function money(value: number, currency: string): string {
  const digits = Math.abs(value) >= 100 ? 0 : 2;
  try {
    return new Intl.NumberFormat(locale(), {
      style: "currency",
      currency,
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    }).format(value);
  } catch {
    // Not a currency that the browser knows; it stands as it was set.
    return `${amount(value)} ${currency}`;
  }
}

/** A length of time in its two largest units. */
export function duration(ms: number): string {
  const zh = language.value === "zh";
  const seconds = Math.max(0, Math.round(ms / 1000));
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), zh ? " 天" : " d"],
    [Math.floor(seconds / 3_600) % 24, zh ? " 小时" : " h"],
    [Math.floor(seconds / 60) % 60, zh ? " 分" : " min"],
    [seconds % 60, zh ? " 秒" : " s"],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return `0${zh ? " 秒" : " s"}`;
  const shown = parts.slice(first, first + (first >= 2 ? 1 : 2)).filter(([count]) => count > 0);
  return shown.map(([count, unit]) => `${count}${unit}`).join(" ");
}
