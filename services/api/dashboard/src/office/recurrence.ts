/** Recurrences that the form offers, and how any rule reads. */
import { type Word } from "../words/texts";
import { word } from "../words/language";

/** Counted from the start and without a weekday in the rule, because that would be one of UTC. */
export const RECURRENCES = {
  "FREQ=DAILY": "recurrence.daily",
  "FREQ=WEEKLY": "recurrence.weekly",
  "FREQ=WEEKLY;INTERVAL=2": "recurrence.fortnightly",
  "FREQ=MONTHLY": "recurrence.monthly",
} as const satisfies Record<string, Word>;

/** A rule in words where it is one of the usual ones, else the rule itself. */
export function recurrenceText(rule: string): string {
  const usual = RECURRENCES[rule as keyof typeof RECURRENCES] as Word | undefined;
  return usual ? word(usual) : rule;
}
