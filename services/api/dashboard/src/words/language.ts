/** The language of the page: remembered, else the browser's. */
import { effect, signal } from "@preact/signals";
import type { Text } from "../api/types";
import { WORDS, type Word } from "./texts";

export type Language = "zh" | "en";

const STORED = "lifeline.language";

function first(): Language {
  const stored = localStorage.getItem(STORED);
  if (stored === "zh" || stored === "en") return stored;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

export const language = signal<Language>(first());

effect(() => {
  document.documentElement.lang = language.value === "zh" ? "zh-CN" : "en";
});

export function chooseLanguage(chosen: Language): void {
  localStorage.setItem(STORED, chosen);
  language.value = chosen;
}

/** A text of the server in the language of the page. */
export function say(text: Text | null | undefined): string {
  if (!text) return "";
  return text[language.value] || text.en || text.zh;
}

/** A word of the page itself; `{name}` is replaced by what is given for it. */
export function word(key: Word, given: Record<string, string | number> = {}): string {
  const [en, zh] = WORDS[key];
  const text = language.value === "zh" ? zh : en;
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(given[name] ?? ""));
}

/** A word for a code of the server, or the code itself where the page has no word for it. */
export function wordFor(prefix: string, code: string): string {
  const key = `${prefix}.${code}`;
  return key in WORDS ? word(key as Word) : code;
}

/** A heading word beside a list, with the right pause for the language. */
export function colon(): string {
  return language.value === "zh" ? "：" : ": ";
}
