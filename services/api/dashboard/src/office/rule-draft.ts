/** A rule of deadlines while it is written: in minutes, as people say them. */
import { type DisposalRule, TIMED_STEPS, type TimedStep } from "../api/planning";

const MINUTE_S = 60;
export const RULE_SEVERITIES = [4, 3, 2, 1] as const;

export interface RuleDraft {
  holdMin: number;
  watchMin: number;
  /** By severity and step; null: no deadline. */
  deadlinesMin: Record<number, Record<TimedStep, number | null>>;
  pausesUpTo: number;
  pausesUnderControl: boolean;
  warnsAtPercent: number;
  reason: string;
}

export function draftOfRule(rule: DisposalRule): RuleDraft {
  const minutes = (severity: number, step: TimedStep): number | null => {
    const seconds = rule.deadlines_s[String(severity)]?.[step];
    return seconds === undefined ? null : seconds / MINUTE_S;
  };
  const row = (severity: number): Record<TimedStep, number | null> =>
    Object.fromEntries(TIMED_STEPS.map((step) => [step, minutes(severity, step)])) as Record<TimedStep, number | null>;
  return {
    holdMin: rule.hold_s / MINUTE_S,
    watchMin: rule.watch_s / MINUTE_S,
    deadlinesMin: Object.fromEntries(RULE_SEVERITIES.map((severity) => [severity, row(severity)])),
    pausesUpTo: rule.pauses_up_to,
    pausesUnderControl: rule.pauses_under_control,
    warnsAtPercent: Math.round(rule.warns_at * 100),
    reason: "",
  };
}

/** The rule that was written; what the form does not show stays as `before` has it. */
export function ruleOf(draft: RuleDraft, before: DisposalRule): DisposalRule {
  const seconds = (row: Record<TimedStep, number | null>): Partial<Record<TimedStep, number>> =>
    Object.fromEntries(TIMED_STEPS.flatMap((step) => (row[step] === null ? [] : [[step, row[step] * MINUTE_S]])));
  return {
    ...before,
    hold_s: draft.holdMin * MINUTE_S,
    watch_s: draft.watchMin * MINUTE_S,
    deadlines_s: Object.fromEntries(Object.entries(draft.deadlinesMin).map(([severity, row]) => [severity, seconds(row)])),
    pauses_up_to: draft.pausesUpTo,
    pauses_under_control: draft.pausesUnderControl,
    warns_at: draft.warnsAtPercent / 100,
  };
}
