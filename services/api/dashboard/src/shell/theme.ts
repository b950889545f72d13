/** Dark by default, light on request, remembered. */
import { effect, signal } from "@preact/signals";

export type Theme = "dark" | "light";

const STORED = "lifeline.theme";

export const theme = signal<Theme>(localStorage.getItem(STORED) === "light" ? "light" : "dark");

effect(() => {
  document.documentElement.dataset["theme"] = theme.value;
});

export function switchTheme(): void {
  theme.value = theme.value === "dark" ? "light" : "dark";
  localStorage.setItem(STORED, theme.value);
}

/** A colour of the style sheet, for what is drawn on a canvas. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
