/** What the API answers about disposal, as `services/api/disposal_answers.py` and its neighbours declare it. */
import type { OrganisationRole } from "./office";
import type { LifelineId, Severity, Text, Verdict, WorkOrderAnswer } from "./types";

export interface IncidentAnswer {
  id: string;
  lifeline: LifelineId;
  asset: string;
  title: Text;
  is_exercise: boolean;
  opened_at: string;
  opened_by: string;
  closed_at: string | null;
  lessons: string | null;
  lessons_by: string | null;
  version: number;
}

export interface CostAnswer {
  id: string;
  label: string;
  amount: string;
  currency: string;
  author: string;
  at: string;
}

export interface IncidentDetailAnswer extends IncidentAnswer {
  alerts: string[];
  orders: WorkOrderAnswer[];
  costs: CostAnswer[];
}

export interface PlanStep {
  label: Text;
  role: OrganisationRole;
  organisation: string | null;
  person: { id: string; name: string; post: Text } | null;
  within_s: number;
}

export interface PlanAnswer {
  id: string;
  /** 0: a default that nobody has changed. */
  version: number;
  plan: {
    lifeline: LifelineId;
    kind: string | null;
    severity_from: Severity;
    zone: string | null;
    asset: string | null;
    title: Text;
    steps: PlanStep[];
    materials: { id: string; name: Text; needed: number; unit: string }[];
    phones: { name: Text; phone: string }[];
    exclusion_radius_m: number;
    public_message: Text | null;
  };
  is_default: boolean;
  author: string | null;
  reason: string | null;
  created_at: string | null;
  gaps: { step: number | null; reason: Text }[];
}

export interface ActivatedStepAnswer {
  number: number;
  label: Text;
  role: OrganisationRole;
  organisation: string | null;
  person_name: string | null;
  post: Text | null;
  phone: string | null;
  due_at: string;
  done_at: string | null;
  done_by: string | null;
  note: string | null;
}

export interface ActivationAnswer {
  id: string;
  plan: string;
  plan_version: number;
  title: Text;
  incident: string;
  is_exercise: boolean;
  exclusion_radius_m: number;
  public_message: Text | null;
  activated_at: string;
  activated_by: string;
  ended_at: string | null;
  ended_by: string | null;
  steps: ActivatedStepAnswer[];
}

export interface CaseAnswer {
  alert: string;
  /** The share of what was sought that the case has, 0 to 1. */
  likeness: number;
  lifeline: LifelineId;
  kind: string;
  asset: string;
  asset_name: Text;
  severity: Severity;
  started_at: string;
  ended_at: string | null;
  verdict: Verdict | null;
  root_cause: string | null;
  explanation: Text;
  told: string;
}

export interface MeasurementAnswer {
  quantity: string;
  value: number;
  unit: string;
}

export interface FieldFeedbackAnswer {
  id: string;
  work_order: string;
  round: number;
  author: string;
  at: string;
  received_at: string;
  text: string;
  measurements: MeasurementAnswer[];
  position: [number, number] | null;
}

export interface AttachmentAnswer {
  id: string;
  work_order: string;
  feedback: string | null;
  sha256: string;
  name: string;
  media_type: string;
  size_bytes: number;
  has_thumbnail: boolean;
  author: string;
  at: string;
}

export interface OrderRecordAnswer {
  steps: { at: string; actor: string; move: string; note: string | null; round: number }[];
  feedback: FieldFeedbackAnswer[];
  attachments: AttachmentAnswer[];
  supervisions: { id: string; author: string; at: string; text: string; due_at: string; answer: string | null; answered_by: string | null }[];
}

export interface AssigneeAnswer {
  organisation: string;
  organisation_name: Text;
  person: string | null;
  person_name: string | null;
  phone: string | null;
  owns_asset: boolean;
  on_duty: boolean;
  running_orders: number;
  distance_m: number | null;
  reasons: Text[];
}
