/** Limits as they are written: numbers that may still be missing, delays in minutes. */
import type { Severity, ThresholdAnswer } from "../api/types";

export interface GradeDraft {
  severity: Severity;
  side: "above" | "below";
  raiseAt: number | null;
  clearAt: number | null;
  onDelayMin: number;
  offDelayMin: number;
  source: string;
}

export function draftOf(limits: readonly ThresholdAnswer[]): GradeDraft[] {
  return limits.map((limit) => ({
    severity: limit.severity,
    side: limit.side,
    raiseAt: limit.raise_at,
    clearAt: limit.clear_at,
    onDelayMin: limit.on_delay_s / 60,
    offDelayMin: limit.off_delay_s / 60,
    source: limit.source,
  }));
}

/** A grade beside those that are there: the next worse one of the same side, as far as there is one. */
export function oneMore(grades: readonly GradeDraft[]): GradeDraft[] {
  const last = grades.at(-1);
  const severity = Math.min(4, (last?.severity ?? 0) + 1) as Severity;
  const added = { severity, side: last?.side ?? "above", raiseAt: null, clearAt: null, onDelayMin: 0, offDelayMin: 0, source: "" } as const;
  return [...grades, added];
}

export function isWhole(grades: readonly GradeDraft[]): boolean {
  return grades.length > 0 && grades.every((grade) => grade.raiseAt !== null && grade.clearAt !== null);
}

/** Whoever changes a number is its source from then on; what was left as it was keeps its own. */
export function limitsOf(grades: readonly GradeDraft[], before: readonly ThresholdAnswer[], byHand: string): ThresholdAnswer[] {
  return grades.map((grade) => {
    const limit = {
      severity: grade.severity,
      side: grade.side,
      raise_at: grade.raiseAt ?? NaN,
      clear_at: grade.clearAt ?? NaN,
      on_delay_s: grade.onDelayMin * 60,
      off_delay_s: grade.offDelayMin * 60,
    };
    const same = before.some((each) => Object.entries(limit).every(([name, value]) => each[name as keyof typeof limit] === value));
    return { ...limit, source: same ? grade.source : byHand };
  });
}
