/** What the API answers about who may, as `services/api/access_answers.py` declares it. */
import type { Role } from "./session";
import type { LifelineId } from "./types";

/** To which part of the city somebody is confined; null: all of it. */
export interface LimitsAnswer {
  organisations: string[] | null;
  lifelines: LifelineId[] | null;
  zones: string[] | null;
}

export interface UserAnswer {
  name: string;
  label: string;
  roles: Role[];
  limits: LimitsAnswer;
  enabled: boolean;
  /** The identity provider that answers for them; null: a password here. */
  provider: string | null;
  created_at: string;
  last_login_at: string | null;
  version: number;
}

export interface UserPasswordAnswer extends UserAnswer {
  /** Shown this once. */
  password: string | null;
}

export const PERMISSIONS = ["read", "operate", "approve", "handle", "report", "audit", "administer"] as const;
export type Permission = (typeof PERMISSIONS)[number];

export interface KeyAnswer {
  id: string;
  actor: string;
  permissions: Permission[];
  limits: LimitsAnswer;
  created_at: string;
  expires_at: string | null;
  revoked_at: string | null;
  /** How long the key before it works beside it. */
  previous_until: string | null;
  /** To the hour. */
  last_used_at: string | null;
  version: number;
}

export interface IssuedKeyAnswer extends KeyAnswer {
  /** Shown this once. */
  key: string;
}

export interface RegisterPartAnswer {
  part: string;
  added: number;
  changed: number;
  unchanged: number;
}

export interface RegisterChangeAnswer {
  part: string;
  name: string;
  is_new: boolean;
  fields: { field: string; before: unknown; after: unknown }[];
}

export interface RegisterImportAnswer {
  fingerprint: string;
  parts: RegisterPartAnswer[];
  changes: RegisterChangeAnswer[];
  /** Changes that are not listed. */
  more: number;
  /** Files of the zip that nobody has read. */
  ignored: string[];
}
