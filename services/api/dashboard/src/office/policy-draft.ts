/** A warning policy while it is being written: times in the units people think in. */
import type { EscalationStep, PublishingRule, WarningPolicy } from "../api/office";

const MINUTE_S = 60;
const HOUR_S = 3600;

export interface PolicyDraft {
  rules: PublishingRule[];
  steps: { afterMin: number; tell: EscalationStep["tell"]; severityFrom: number; repeats: number }[];
  /** Empty: a warning holds until it is lifted. */
  validHours: string;
}

export const NEW_RULE: PublishingRule = { lifeline: null, kind: null, zone: null, severity_from: 1, decision: "approved-first" };
export const NEW_STEP: PolicyDraft["steps"][number] = { afterMin: 5, tell: ["centre"], severityFrom: 1, repeats: 0 };

export function draftOf(policy: WarningPolicy): PolicyDraft {
  return {
    rules: policy.rules.map((rule) => ({ ...rule })),
    steps: policy.escalation.map((step) => ({
      afterMin: step.after_s / MINUTE_S,
      tell: [...step.tell],
      severityFrom: step.severity_from,
      repeats: step.repeats,
    })),
    validHours: policy.valid_for_s === null ? "" : String(policy.valid_for_s / HOUR_S),
  };
}

export function policyOf(draft: PolicyDraft): WarningPolicy {
  return {
    rules: draft.rules.map((rule) => ({ ...rule, kind: rule.kind || null, zone: rule.zone || null, lifeline: rule.lifeline || null })),
    escalation: draft.steps.map((step) => ({
      after_s: step.afterMin * MINUTE_S,
      tell: step.tell,
      severity_from: step.severityFrom,
      repeats: step.repeats,
    })),
    valid_for_s: draft.validHours.trim() ? Number(draft.validHours) * HOUR_S : null,
  };
}
