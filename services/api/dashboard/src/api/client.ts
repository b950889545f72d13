/** Requests to the API; every refusal becomes a `RefusedError` with the words of the server. */
import { access, apiKey, forgetKey, sessionToken } from "./key";
import type { Page, Problem } from "./types";

export const API = new URL("/api/v1/", location.origin).href;

export class RefusedError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail ?? problem.title);
  }
}

/** No answer came at all: the network or the service is away. */
export class UnreachableError extends Error {}

export function authorization(key: string | null = apiKey.value): Record<string, string> {
  if (key) return { Authorization: `Bearer ${key}` };
  return sessionToken.value ? { "X-CSRF-Token": sessionToken.value } : {};
}

export type Query = Record<string, string | number | boolean | null | undefined>;

function address(path: string, query: Query): string {
  const url = new URL(path.replace(/^\//, ""), API);
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") url.searchParams.set(name, String(value));
  }
  return url.href;
}

async function problemOf(response: Response): Promise<Problem> {
  const fallback: Problem = { title: response.statusText || `HTTP ${response.status}`, status: response.status };
  try {
    const body: unknown = await response.json();
    if (typeof body !== "object" || body === null) return fallback;
    const said = body as Partial<Problem>;
    const detail = typeof said.detail === "string" ? said.detail : undefined;
    const errors = Array.isArray(said.errors) ? { errors: said.errors } : {};
    return { ...fallback, ...(said.title ? { title: said.title } : {}), ...(detail ? { detail } : {}), ...errors };
  } catch {
    return fallback;
  }
}

async function request<Answer>(url: string, options: RequestInit): Promise<Answer> {
  const by = access();
  let response: Response;
  try {
    response = await fetch(url, { ...options, cache: "no-store" });
  } catch (error) {
    throw new UnreachableError(error instanceof Error ? error.message : String(error));
  }
  // A refusal of what was asked before somebody came in says nothing of who is in by now.
  if (response.status === 401 && by === access()) forgetKey();
  if (!response.ok) throw new RefusedError(await problemOf(response));
  return response.status === 204 ? (undefined as Answer) : ((await response.json()) as Answer);
}

export function get<Answer>(path: string, query: Query = {}, key: string | null = apiKey.value): Promise<Answer> {
  return request<Answer>(address(path, query), { headers: { ...authorization(key), Accept: "application/json" } });
}

interface Sent {
  /** Names the deed, so that it counts once where it is sent twice. */
  once?: string | undefined;
  /**
   * The version that whoever changes the thing has seen: a change of another one is refused. 0 is a default that nobody
   * has changed, or something new: there is no version that it could be held against.
   */
  seen?: number | undefined;
}

function send<Answer>(method: string, path: string, body: BodyInit, type: string, { once, seen }: Sent = {}): Promise<Answer> {
  return request<Answer>(address(path, {}), {
    method,
    headers: {
      ...authorization(),
      "Content-Type": type,
      Accept: "application/json",
      ...(once ? { "Idempotency-Key": once } : {}),
      ...(seen ? { "If-Match": `"${seen}"` } : {}),
    },
    body,
  });
}

/** Whether a change was refused because the thing has changed since it was looked at. */
export function isChangedMeanwhile(error: unknown): boolean {
  return error instanceof RefusedError && error.problem.status === 412;
}

export function post<Answer>(path: string, body: object, sent: Sent = {}): Promise<Answer> {
  return send<Answer>("POST", path, JSON.stringify(body), "application/json", sent);
}

/** Posts a file as it is; what it is, the service finds in its content. */
export function postFile<Answer>(path: string, query: Query, file: Blob): Promise<Answer> {
  return request<Answer>(address(path, query), {
    method: "POST",
    headers: { ...authorization(), "Content-Type": "application/octet-stream", Accept: "application/json" },
    body: file,
  });
}

/** Posts a zip; `seen` is the fingerprint of what was shown of it. */
export function postZip<Answer>(path: string, zip: Blob, seen?: string): Promise<Answer> {
  return request<Answer>(address(path, {}), {
    method: "POST",
    headers: {
      ...authorization(),
      "Content-Type": "application/zip",
      Accept: "application/json",
      ...(seen ? { "If-Match": `"${seen}"` } : {}),
    },
    body: zip,
  });
}

export function remove(path: string): Promise<void> {
  return request<void>(address(path, {}), { method: "DELETE", headers: { ...authorization(), Accept: "application/json" } });
}

/** Changes a thing; `seen` is the version of it that the change was made from. */
export function patch<Answer>(path: string, body: object, seen?: number): Promise<Answer> {
  return send<Answer>("PATCH", path, JSON.stringify(body), "application/json", { seen });
}

/** Puts a whole document, as it came from a file. */
export function put<Answer>(path: string, document: BodyInit, type: string, seen?: number): Promise<Answer> {
  return send<Answer>("PUT", path, document, type, { seen });
}

/** Every item of a paged list, at most `most`. */
export async function getAll<Item>(path: string, query: Query, most = 100_000): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | null | undefined;
  do {
    const page: Page<Item> = await get<Page<Item>>(path, { ...query, cursor });
    items.push(...page.items);
    cursor = page.next;
  } while (cursor && items.length < most);
  return items;
}
