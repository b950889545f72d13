/** The session of a person in this browser: looked for at the start, opened with name and password, ended by leaving. */
import { effect, signal } from "@preact/signals";
import { API, get, post } from "./client";
import { apiKey, forgetKey, sessionToken, signedIn } from "./key";

export type Role = "operator" | "analyst" | "dispatcher" | "field-crew" | "regulator" | "administrator";

export interface Me {
  name: string;
  label: string;
  is_user: boolean;
  roles: Role[];
  permissions: string[];
  limits: { organisations: string[] | null; lifelines: string[] | null; zones: string[] | null };
  csrf_token: string | null;
}

/** Who works with this page, once it is known. */
export const me = signal<Me | null>(null);

/** Whether whoever works with this page may do such a thing; the server decides, this spares them the attempt. */
export function may(permission: string): boolean {
  return me.value?.permissions.includes(permission) ?? false;
}

/** Whether it is known by now that there is a session, or none. */
export const looked = signal(apiKey.value !== null);

export class WaitError extends Error {
  constructor(readonly seconds: number) {
    super("too many attempts");
  }
}

export async function lookForSession(): Promise<void> {
  const key = apiKey.value;
  try {
    const found = await get<Me>("me");
    if (apiKey.value === key) {
      sessionToken.value = found.csrf_token;
      me.value = found;
    }
  } catch {
    // No session, or nobody answers: the login page says which when somebody tries.
  }
  // A key that came meanwhile belongs to somebody else than who was looked for.
  if (apiKey.value !== null && apiKey.value !== key) await lookForSession();
  looked.value = true;
}

/** False: name or password is wrong. */
export async function enter(name: string, password: string): Promise<boolean> {
  const answer = await fetch(`${API}login`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify({ name, password }),
    cache: "no-store",
  });
  if (answer.status === 429) throw new WaitError(Number(answer.headers.get("Retry-After") ?? 60));
  if (!answer.ok) return false;
  const found = (await answer.json()) as Me;
  me.value = found;
  sessionToken.value = found.csrf_token;
  return true;
}

export async function leave(): Promise<void> {
  try {
    if (sessionToken.value) await post("logout", {});
  } finally {
    forgetKey();
  }
}

// A key that comes later, by the address or the login page, belongs to somebody as well.
effect(() => {
  if (!signedIn.value) me.value = null;
  else if (apiKey.value && looked.peek()) void lookForSession();
});
