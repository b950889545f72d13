/** What the API answers about the centre's own affairs: who is told, who is on duty, what is kept quiet. */
import type { LifelineId, NotificationAnswer, Severity, Text } from "./types";

export type SilenceKind = "shelving" | "silence" | "maintenance";

export interface Matcher {
  lifeline: LifelineId | null;
  zone: string | null;
  asset: string | null;
  kind: string | null;
  sensor: string | null;
}

export interface SilenceAnswer {
  id: string;
  kind: SilenceKind;
  matcher: Matcher;
  starts_at: string;
  ends_at: string;
  recurrence: string | null;
  mutes_to: Severity;
  records: boolean;
  reason: string;
  author: string;
  created_at: string;
  ended_at: string | null;
  ended_by: string | null;
  in_force: boolean;
  over_at: string | null;
}

export interface InhibitionAnswer {
  id: string;
  lifeline: LifelineId;
  causes: string[];
  effects: string[];
  reach: string;
  mutes_to: Severity;
  reason: Text;
  enabled: boolean;
}

export type OrganisationRole = "owner" | "regulator" | "emergency" | "centre";

export interface PersonAnswer {
  id: string;
  name: string;
  post: Text;
}

export interface OrganisationAnswer {
  id: string;
  name: Text;
  role: OrganisationRole;
  lifelines: LifelineId[];
  people: PersonAnswer[];
}

export interface ShiftAnswer {
  id: string;
  organisation: string;
  role: string;
  person: string;
  starts_at: string;
  ends_at: string;
  source: string;
  /** The person they stand in for. */
  substitutes: string | null;
}

export interface HoleAnswer {
  organisation: string;
  role: string;
  starts_at: string;
  ends_at: string;
}

export interface DutyAnswer {
  shifts: ShiftAnswer[];
  holes: HoleAnswer[];
}

export interface RotaAnswer {
  shifts: number;
  holes: HoleAnswer[];
}

export const CHANNELS = [
  "webhook",
  "alertmanager",
  "dingtalk",
  "wecom",
  "feishu",
  "email",
  "sms",
  "voice",
  "mqtt",
  "cap",
] as const;
export type Channel = (typeof CHANNELS)[number];

export interface ReceiverHealthAnswer {
  /** Paused: left alone until `paused_until`, then tried by one message. */
  state: "unknown" | "ok" | "failing" | "paused";
  failures: number;
  paused_until: string | null;
  last_success_at: string | null;
  last_failure_at: string | null;
  last_error: string | null;
}

export interface ReceiverAnswer {
  id: string;
  organisation: string;
  channel: Channel;
  url: string;
  minimum_severity: Severity;
  settings: Record<string, unknown>;
  secrets: string[];
  is_signed: boolean;
  has_previous_secret: boolean;
  enabled: boolean;
  health: ReceiverHealthAnswer;
}

export interface CreatedReceiverAnswer extends ReceiverAnswer {
  /** Shown this once. */
  secret: string | null;
}

export interface RotatedSecretAnswer {
  /** Shown this once. */
  secret: string | null;
  previous_until: string;
}

export interface DeliveryFiguresAnswer {
  receiver: string;
  messages: number;
  delivered: number;
  failed: number;
  pending: number;
  success: number | null;
  attempts: number;
  median_ms: number | null;
  p95_ms: number | null;
  median_delay_s: number | null;
}

export interface NotificationDetailAnswer extends NotificationAnswer {
  body: string;
  acknowledgements: { device: string; done: boolean; reason: string | null; at: string }[];
}

export const DECISIONS = ["rule", "rule-then-approved", "approved-first", "person"] as const;
export type Decision = (typeof DECISIONS)[number];

export interface PublishingRule {
  lifeline: LifelineId | null;
  kind: string | null;
  zone: string | null;
  severity_from: number;
  decision: Decision;
}

export interface EscalationStep {
  after_s: number;
  tell: OrganisationRole[];
  severity_from: number;
  repeats: number;
}

export interface WarningPolicy {
  rules: PublishingRule[];
  escalation: EscalationStep[];
  valid_for_s: number | null;
}

export interface PolicyAnswer {
  /** Null: the default, in force until the centre keeps a policy of its own. */
  version: number | null;
  policy: WarningPolicy;
  author: string | null;
  reason: string | null;
  created_at: string | null;
}

export type ClockStep = "acknowledged" | "published" | "received" | "on_site" | "under_control" | "closed";

export interface ClockAnswer {
  count: number;
  median_s: number;
  ninth_decile_s: number;
}

export interface VerdictsAnswer {
  detector: string;
  kind: string;
  false_alarms: number;
  true_alarms: number;
  unjudged: number;
}

export interface AlarmFiguresAnswer {
  start: string;
  end: string;
  alerts: number;
  told: number;
  warnings: number;
  per_hour: number;
  busiest: number;
  in_flood: number;
  by_severity: Partial<Record<string, number>>;
  suppressed: Record<string, number>;
  top_sources: { lifeline: LifelineId; kind: string; asset: string; times: number }[];
  chattering: number;
  stale: number;
  verdicts: VerdictsAnswer[];
  clocks: Partial<Record<ClockStep, ClockAnswer>>;
}

export interface AuditAnswer {
  id: number;
  at: string;
  actor: string;
  action: string;
  subject_kind: string;
  subject: string;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  address: string | null;
  key_name: string | null;
}

/** A signed statement about the trail. */
export interface CheckpointAnswer {
  kind: string;
  position: number;
  hash: string;
  at: string;
}
