/** What the API answers about bridges, as `services/api/bridge_answers.py` declares it. */
import type { Text } from "../api/types";

export type HealthGrade = 0 | 1 | 2 | 3 | 4;

export interface HealthEvaluationAnswer {
  zone: string;
  evaluated_at: string;
  grade: HealthGrade;
  label: Text;
  reasons: Text[];
  alerts: string[];
  sensors: number;
  heard: number;
  overloads: number;
  proposes_closure: boolean;
}

export interface OverloadedVehicleAnswer {
  sensor: string;
  asset: string;
  time: string;
  weight_t: number;
  limit_t: number;
}

export interface ModeSightingAnswer {
  seen_at: string;
  frequency_hz: number;
  likeness: number;
  event: string | null;
}

export interface BridgeModeAnswer {
  number: number;
  frequency_hz: number;
  shape: Record<string, number>;
  sightings: number;
  missed: number;
  first_seen_at: string;
  last_seen_at: string;
  recent: ModeSightingAnswer[];
}
