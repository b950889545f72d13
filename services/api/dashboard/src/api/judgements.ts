/** What judgements teach, as the API tells it. */
import type { LifelineId, Severity, Text } from "./types";

export const ROOT_CAUSES = [
  "corrosion",
  "joint",
  "ground-movement",
  "third-party-works",
  "material",
  "operation",
  "blockage",
  "pump-or-power",
  "overload",
  "weather",
  "sewer-gas",
  "device",
  "communication",
  "threshold",
  "unknown",
] as const;

export interface DetectorScoreAnswer {
  judged: number;
  true_alarms: number;
  false_alarms: number;
  precision: number;
  precision_low: number;
  precision_high: number;
}

export type RiskColour = "red" | "orange" | "yellow" | "blue";

/** The worst first; each has the shape of the severity that is as bad. */
export const RISK_SEVERITIES: Record<RiskColour, Severity> = { red: 4, orange: 3, yellow: 2, blue: 1 };

export interface AssetRiskAnswer {
  asset: string;
  name: Text;
  lifeline: LifelineId;
  colour: RiskColour;
  score: number;
  breaks: number;
  struck: number;
  reasons: Text[];
}
