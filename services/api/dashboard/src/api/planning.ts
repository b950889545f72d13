/** What the API answers about deadlines, depots and hand-overs. */
import type { LifelineId, Text } from "./types";

/** The steps that have a deadline, as `services/core/disposal_rule.py` names them. */
export const TIMED_STEPS = ["send", "receive", "arrive", "control", "hand-back", "verify", "close"] as const;
export type TimedStep = (typeof TIMED_STEPS)[number];

export interface DisposalRule {
  hold_s: number;
  watch_s: number;
  /** By severity; a step that is not named has no deadline. */
  deadlines_s: Partial<Record<string, Partial<Record<TimedStep, number>>>>;
  pauses_up_to: number;
  pauses_under_control: boolean;
  warns_at: number;
  passing_kinds: string[];
  is_default: boolean;
}

export interface DisposalRuleAnswer {
  lifeline: LifelineId;
  /** 0: a default. */
  version: number;
  rule: DisposalRule;
  author: string | null;
  reason: string | null;
  created_at: string | null;
}

export interface StockAnswer {
  id: string;
  name: Text;
  stock: number;
  unit: string;
  counted_at: string;
  counted_by: string;
}

export interface DepotAnswer {
  id: string;
  organisation: string;
  name: Text;
  /** Longitude, latitude. */
  position: [number, number];
  materials: StockAnswer[];
  version: number;
}

export interface ShiftChangeAnswer {
  organisation: string;
  role: string;
  at: string;
  goes: string[];
  comes: string[];
  handover: string | null;
  state: "ahead" | "waiting" | "confirmed" | "missing" | "nobody";
}

export const OPEN_KINDS = ["alerts", "drafts", "warnings", "silences", "orders"] as const;

export interface HandoverAnswer {
  id: string;
  state: "waiting" | "confirmed" | "withdrawn";
  organisation: string;
  role: string;
  outgoing: string | null;
  incoming: string | null;
  open: Partial<Record<(typeof OPEN_KINDS)[number], { count: number; named: Record<string, unknown>[] }>>;
  note: string;
  offered_by: string;
  offered_at: string;
  confirmed_by: string | null;
  confirmed_at: string | null;
  withdrawn_at: string | null;
}
