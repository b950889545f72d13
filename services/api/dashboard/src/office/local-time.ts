/** What a field of day and time holds: the zone of the browser, without saying so. */

const MINUTE_MS = 60_000;

/** A moment as `<input type="datetime-local">` takes it. */
export function toField(at: Date): string {
  const local = new Date(at.getTime() - at.getTimezoneOffset() * MINUTE_MS);
  return local.toISOString().slice(0, 16);
}

/** The moment of such a field in UTC; null where it holds none. */
export function fromField(value: string): string | null {
  const at = new Date(value);
  return value && !Number.isNaN(at.getTime()) ? at.toISOString() : null;
}
