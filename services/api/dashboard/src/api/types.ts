/** What the API answers, as `services/api/schemas.py` declares it. Times are RFC 3339 in UTC. */
import type { Feature, FeatureCollection, Geometry } from "geojson";

export type LifelineId = "gas" | "water" | "drainage" | "bridge" | "heat" | "tunnel" | "power" | "telecom";
export type Severity = 0 | 1 | 2 | 3 | 4;
export type Scheme = "emergency" | "device" | "bridge";
export type AlertState = "open" | "acknowledged" | "cleared";
export type AlertMove = "acknowledge" | "clear" | "reopen";
export type SuppressionKind = "silence" | "maintenance" | "inhibition" | "chattering";
export type Verdict = "true-alarm" | "false-alarm" | "test";
export type WarningState = "draft" | "published" | "received" | "lifted" | "cancelled" | "rejected";
export type WarningMove = "approve" | "reject" | "receive" | "lift" | "cancel";
export type WorkOrderSideMove = "reject" | "transfer" | "hold" | "reopen";
export type WorkOrderMove = "receive" | "arrive" | "control" | "hand-back" | "verify" | "close" | "send" | "resume";
export type WorkOrderState =
  | "dispatched"
  | "received"
  | "on-site"
  | "under-control"
  | "handled"
  | "verified"
  | "closed"
  | "draft"
  | "rejected"
  | "on-hold";
export type NotificationState = "pending" | "delivered" | "failed";

export interface Text {
  en: string;
  zh: string;
}

export interface Page<Item> {
  items: Item[];
  next?: string | null;
}

export interface LifelineAnswer {
  id: LifelineId;
  label: Text;
  assets: number;
  sensors: number;
  open_alerts: number;
  worst_severity: Severity;
}

export interface ZoneAnswer {
  id: string;
  lifeline: LifelineId;
  name: Text;
  geometry: Geometry | null;
}

export interface AssetFacts {
  id: string;
  lifeline: LifelineId;
  kind: string;
  zone: string;
  name: Text;
  organisation: string | null;
  facts: Record<string, unknown>;
}

export type AssetFeature = Feature<Geometry, AssetFacts>;
export type AssetCollection = FeatureCollection<Geometry, AssetFacts>;

export interface ThresholdAnswer {
  severity: Severity;
  side: "above" | "below";
  raise_at: number;
  clear_at: number;
  on_delay_s: number;
  off_delay_s: number;
  source: string;
}

/** The limits of a sensor that count, and those that would if nobody had set any by hand. */
export interface SensorThresholdsAnswer {
  sensor: string;
  unit: string;
  plausible: [number, number];
  in_force: ThresholdAnswer[];
  by_hand: { reason: string; author: string; at: string } | null;
  registered: ThresholdAnswer[];
  version: number;
}

export interface ExceedanceAnswer {
  side: "above" | "below";
  started_at: string;
  ended_at: string | null;
  severity: Severity;
  peak_value: number;
  peak_at: string;
  is_shared: boolean;
}

export interface TrialSideAnswer {
  count: number;
  per_day: number;
  unshared: number;
  severities: { severity: Severity; count: number; duration_s: number }[];
  exceedances: ExceedanceAnswer[];
}

export interface ThresholdTrialAnswer {
  sensor: string;
  unit: string;
  start: string;
  end: string;
  readings: number;
  bad: number;
  in_force: TrialSideAnswer;
  tried: TrialSideAnswer;
}

export interface SensorAnswer {
  id: string;
  lifeline: LifelineId;
  quantity: string;
  label: Text;
  unit: string;
  asset: string;
  zone: string;
  longitude: number;
  latitude: number;
  interval_s: number;
  gateway: string | null;
  plausible: [number, number];
  thresholds: ThresholdAnswer[];
}

export interface LatestAnswer {
  sensor: string;
  time: string;
  value: number;
  quality: 0 | 1 | 2;
  reason: string | null;
  received_at: string;
}

export interface HistoryPoint {
  time: string;
  minimum: number | null;
  maximum: number | null;
  mean: number | null;
  count: number;
  suspect: number;
  bad: number;
}

export interface GapAnswer {
  start: string;
  end: string;
  /** Null: it lasts. */
  first_after: string | null;
  missing: number;
}

export interface AvailabilityAnswer {
  sensor: string;
  interval_s: number;
  days: { day: string; expected: number; received: number; bad: number; received_percent: number | null; usable_percent: number | null }[];
}

export interface HistoryAnswer {
  sensor: string;
  unit: string;
  /** What was read: the readings, or what is kept of each minute, hour or day. */
  source: "raw" | "minute" | "hour" | "day" | string;
  bucket_s: number;
  points: HistoryPoint[];
}

/** Whether the sensors behind a gateway are heard. */
export interface GatewayAnswer {
  gateway: string;
  state: "heard" | "partly" | "silent" | string;
  sensors: number;
  silent: number;
  never: number;
  last_received_at: string | null;
}

export interface AlertAnswer {
  id: string;
  state: AlertState;
  lifeline: LifelineId;
  kind: string;
  kind_label: Text;
  zone: string;
  asset: string;
  asset_name: Text;
  position: [number, number] | null;
  sensors: string[];
  severity: Severity;
  highest_severity: Severity;
  label: Text;
  scheme: Scheme;
  sensor_fault: boolean;
  started_at: string;
  detected_at: string;
  last_at: string;
  cleared_at: string | null;
  finding_count: number;
  peak_value: number | null;
  peak_at: string | null;
  threshold: number | null;
  unit: string | null;
  rule: string;
  detector: string;
  detector_version: string;
  explanation: Text;
  acknowledged_by: string | null;
  acknowledged_at: string | null;
  verdict: Verdict | null;
  verdict_reason: string | null;
  root_cause: string | null;
  warning: string | null;
  work_order: string | null;
  suppression: Suppression | null;
  explained_by: string | null;
  reopened: number;
  assignee: string | null;
  moves: AlertMove[];
  version: number;
}

/** What keeps an alert quiet. */
export interface Suppression {
  kind: SuppressionKind;
  source: string | null;
  reason: Text;
  mutes_to: Severity;
}

export interface TraceCandidate {
  asset: string;
  name: Text;
  probability: number;
  reason: Text;
  geometry: Geometry | null;
}

export interface TraceAlternative {
  stuck: string;
  isolation: string[];
  complete: boolean;
  households: number;
}

export interface TraceAsset {
  asset: string;
  kind: string | null;
  name: Text;
  geometry: Geometry | null;
}

export interface TraceLoss {
  flow_m3h: number;
  basis: "model" | "excess-flow";
  cost_per_day: number;
  currency: string;
  price_per_m3: number;
  price_source: string;
}

export interface TraceMeasurement extends TraceAsset {
  chance: number;
  entropy_bits: number;
  expected_entropy_bits: number;
}

export interface TraceAnswer {
  candidates: TraceCandidate[];
  upstream: string[];
  isolation: string[];
  downstream: string[];
  isolation_complete: boolean | null;
  isolation_alternatives: TraceAlternative[];
  customers: { households: number; is_estimated: boolean } | null;
  critical: TraceAsset[];
  loss: TraceLoss | null;
  next_measurement: TraceMeasurement | null;
  gas: TraceGas | null;
  affected: TraceAffected[];
  across: TraceAcross | null;
}

/** What trouble may reach in other lifelines, and from which neighbour it may come. */
export interface TraceAcross {
  endangered: (TraceAsset & { part: string; distance_m: number; steps: number; path: Text; threat: Text })[];
  causes: (TraceAsset & { part: string; probability: number; distance_m: number; reason: Text; alert: string | null })[];
  own: number;
  rained: boolean | null;
}

/** What stands beside water on the street; `in_min` is 0 where it stands there already. */
export interface TraceAffected extends TraceAsset {
  water_at: string;
  distance_m: number;
  in_min: number;
}

/** What follows from a suspected gas leak; the radius is an estimate. */
export interface TraceGas {
  causes: Record<string, number>;
  next_spaces: (TraceAsset & { chance: number; gain_bits: number })[];
  centre: [number, number];
  radius_m: number;
  buildings: (TraceAsset & { use: string; people: number; distance_m: number })[];
  people: number;
  people_is_estimated: boolean;
}

export interface FindingAnswer {
  id: string;
  state: string;
  kind: string;
  severity: Severity;
  time: string;
  started_at: string;
  score: number;
  value: number | null;
  threshold: number | null;
  rule: string;
  detector: string;
  detector_version: string;
  sensors: string[];
  explanation: Text;
  evidence: Record<string, unknown>;
}

export interface TimelineEntry {
  at: string;
  actor: string;
  action: string;
  subject_kind: string;
  subject: string;
  after: Record<string, unknown> | null;
}

export interface AlertDetailAnswer extends AlertAnswer {
  trace: TraceAnswer | null;
  findings: FindingAnswer[];
  timeline: TimelineEntry[];
}

export interface WarningAnswer {
  id: string;
  alert: string;
  state: WarningState;
  lifeline: LifelineId;
  zone: string;
  asset: string;
  severity: Severity;
  label: Text;
  scheme: Scheme;
  headline: Text;
  instruction: Text;
  organisation: string | null;
  policy: string;
  created_at: string;
  published_at: string | null;
  published_by: string | null;
  received_at: string | null;
  received_by: string | null;
  lifted_at: string | null;
  lifted_by: string | null;
  ended_reason: string | null;
  approval: "none" | "before" | "after";
  approved_at: string | null;
  approved_by: string | null;
  moves: WarningMove[];
  version: number;
}

export interface WorkOrderAnswer {
  id: string;
  alert: string;
  warning: string | null;
  state: WorkOrderState;
  lifeline: LifelineId;
  zone: string;
  asset: string;
  severity: Severity;
  organisation: string | null;
  organisation_name: Text | null;
  title: Text;
  feedback: string | null;
  feedback_by: string | null;
  verification: string | null;
  created_at: string;
  dispatched_at: string | null;
  received_at: string | null;
  on_site_at: string | null;
  under_control_at: string | null;
  handled_at: string | null;
  verified_at: string | null;
  closed_at: string | null;
  moves: WorkOrderMove[];
  side_moves: WorkOrderSideMove[];
  deadline: { step: WorkOrderMove; due_at: string | null; is_default: boolean } | null;
  incident: string | null;
  held_from: WorkOrderState | null;
  round: number;
  reopened: number;
  escalated: number;
  workers: string[];
  cannot_tell: string | null;
  version: number;
}

export interface DeliveryAnswer {
  attempt: number;
  started_at: string;
  duration_ms: number;
  status: number | null;
  response: string | null;
  error: string | null;
}

export interface NotificationAnswer {
  id: string;
  receiver: string;
  type: string;
  subject_kind: string;
  subject: string;
  state: NotificationState;
  attempts: number;
  created_at: string;
  delivered_at: string | null;
  deliveries: DeliveryAnswer[];
}

export interface RejectionAnswer {
  id: number;
  topic: string;
  payload: string;
  reason: string;
  detail: string;
  sensor: string | null;
  count: number;
  kept: number;
  last_seen: string;
  reprocess_requested_at: string | null;
  reprocessed_at: string | null;
}

export interface RejectionDetailAnswer extends RejectionAnswer {
  payloads: { received_at: string; text: string | null; base64: string | null; is_cut: boolean; obstacle: string | null }[];
}

export interface ReprocessAnswer {
  rejections: number;
  payloads: number;
}

export interface Problem {
  type?: string;
  title: string;
  status: number;
  detail?: string;
  /** Each field that is wrong, and what is wrong with it. */
  errors?: { field: string; reason: string }[];
}

export interface ForecastAnswer {
  sensor: string;
  issued_at: string;
  target_time: string;
  value: number;
  low: number;
  high: number;
  detector: string;
  detector_version: string;
  model: string | null;
}

export interface WeatherWarningAnswer {
  id: number;
  sent: string;
  is_exercise: boolean;
  event: Text;
  severity: Severity;
  headline: Text;
  description: Text;
  instruction: Text;
  onset: string;
  expires: string;
  area_names: string[];
}

export interface StormTaskAnswer {
  id: number;
  task: string;
  label: Text;
  quantity: number;
  person: string | null;
  phone: string | null;
  is_exercise: boolean;
  state: "open" | "done" | "stood-down";
  changed_by: string | null;
  changed_at: string | null;
}

export interface LowPointAnswer {
  asset: string;
  name: Text;
  zone: string;
  person: { name: string; post: Text; phone: string } | null;
  pumps: string[];
  prepare_from: number;
  sensor: string | null;
  unit: string | null;
  depth: number | null;
  measured_at: string | null;
  alert: string | null;
  severity: Severity;
  expected: ForecastAnswer[];
  tasks: StormTaskAnswer[];
}

export interface StormAnswer {
  severity: Severity;
  warnings: WeatherWarningAnswer[];
  places: LowPointAnswer[];
}
