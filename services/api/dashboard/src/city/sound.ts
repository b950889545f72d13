/** One quiet tone when an alert arrives; off until somebody switches it on. */
import { signal } from "@preact/signals";
import type { AlertAnswer } from "../api/types";

const STORED = "lifeline.sound";
/** Alerts that arrive together ring once. */
const TOGETHER_MS = 3_000;

export const sound = signal(localStorage.getItem(STORED) === "on");

let audio: AudioContext | undefined;
let lastAt = 0;

function wake(): AudioContext {
  audio ??= new AudioContext();
  // Browsers keep sound back until the page was touched; a remembered switch needs that first touch too.
  if (audio.state === "suspended") void audio.resume();
  return audio;
}

function tone(from: AudioContext, start: number, frequency_hz: number): void {
  const gain = from.createGain();
  gain.gain.setValueAtTime(0, start);
  gain.gain.linearRampToValueAtTime(0.18, start + 0.02);
  gain.gain.exponentialRampToValueAtTime(0.001, start + 0.5);
  const oscillator = from.createOscillator();
  oscillator.frequency.value = frequency_hz;
  oscillator.connect(gain).connect(from.destination);
  oscillator.start(start);
  oscillator.stop(start + 0.55);
}

function ring(high: boolean): void {
  const on = wake();
  tone(on, on.currentTime, high ? 660 : 523);
  tone(on, on.currentTime + 0.16, high ? 880 : 659);
}

export function switchSound(): void {
  sound.value = !sound.value;
  localStorage.setItem(STORED, sound.value ? "on" : "off");
  if (sound.value) ring(false);
}

export function soundFor(alert: AlertAnswer): void {
  if (!sound.value || Date.now() - lastAt < TOGETHER_MS) return;
  lastAt = Date.now();
  ring(alert.highest_severity >= 3);
}

addEventListener("pointerdown", () => sound.value && wake(), { once: true });
