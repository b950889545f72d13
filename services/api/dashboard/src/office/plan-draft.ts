/** A response plan while it is written: minutes instead of seconds, empty words where nothing is said yet. */
import type { PlanAnswer, PlanStep } from "../api/disposal";
import type { Text } from "../api/types";

type Plan = PlanAnswer["plan"];

const MINUTE_S = 60;
const NOTHING: Text = { en: "", zh: "" };

export interface StepDraft extends Omit<PlanStep, "within_s"> {
  minutes: number;
}

export interface PlanDraft extends Omit<Plan, "steps" | "public_message"> {
  steps: StepDraft[];
  message: Text;
}

export const NEW_PLAN_STEP: StepDraft = { label: NOTHING, role: "owner", organisation: null, person: null, minutes: 30 };
export const NEW_PLAN_MATERIAL: Plan["materials"][number] = { id: "", name: NOTHING, needed: 1, unit: "" };
export const NEW_PHONE: Plan["phones"][number] = { name: NOTHING, phone: "" };

export const FRESH_PLAN: PlanDraft = {
  lifeline: "gas",
  kind: null,
  severity_from: 1,
  zone: null,
  asset: null,
  title: NOTHING,
  steps: [NEW_PLAN_STEP],
  materials: [],
  phones: [],
  exclusion_radius_m: 0,
  message: NOTHING,
};

export function draftOfPlan({ steps, public_message, ...plan }: Plan): PlanDraft {
  return {
    ...plan,
    steps: steps.map(({ within_s, ...step }) => ({ ...step, minutes: within_s / MINUTE_S })),
    message: public_message ?? NOTHING,
  };
}

export function planOf({ steps, message, ...plan }: PlanDraft): Plan {
  return {
    ...plan,
    asset: plan.asset?.trim() || null,
    steps: steps.map(({ minutes, ...step }) => ({ ...step, within_s: minutes * MINUTE_S })),
    public_message: message.en && message.zh ? message : null,
  };
}

/** A step, with the one before it, in the other order. */
export function earlier(steps: readonly StepDraft[], place: number): StepDraft[] {
  const before = steps[place - 1];
  const moved = steps[place];
  if (!before || !moved) return [...steps];
  return [...steps.slice(0, place - 1), moved, before, ...steps.slice(place + 1)];
}
