/** How much of what a sensor ought to have reported came in, by day, and when it was not heard. */
import type { JSX } from "preact";
import type { AvailabilityAnswer, GapAnswer, Page } from "../api/types";
import { useAnswer } from "../api/use-answer";
import { Time } from "../shell/marks";
import { amount, duration } from "../words/format";
import { word } from "../words/language";

const DAYS = 30;
const DAY_MS = 86_400_000;
/** Days below this are marked; the words of the panel name it too. */
const ENOUGH_PERCENT = 95;
const MOST_GAPS = 8;

function firstDay(): string {
  return new Date(Date.now() - (DAYS - 1) * DAY_MS).toISOString().slice(0, 10);
}

export function AvailabilityPanel({ sensor }: { sensor: string }): JSX.Element {
  const { answer } = useAnswer<Page<AvailabilityAnswer>>("availability", { sensor, first: firstDay() });
  const gaps = useAnswer<Page<GapAnswer>>(`sensors/${encodeURIComponent(sensor)}/gaps`, { limit: 200 });
  const days = answer?.items[0]?.days.filter((one) => one.expected > 0) ?? [];
  const poor = days.filter((one) => (one.usable_percent ?? 100) < ENOUGH_PERCENT);
  const expected = days.reduce((sum, one) => sum + one.expected, 0);
  const received = days.reduce((sum, one) => sum + Math.min(one.received, one.expected), 0);
  return (
    <section class="panel" aria-label={word("availability")} data-testid="availability">
      <h2>
        {word("availability")} <span class="count">{expected ? `${amount((100 * received) / expected)} %` : "–"}</span>
      </h2>
      <p class="quiet">{word("availability.why", { days: DAYS })}</p>
      <div class="availability-days" role="img" aria-label={word("availability.said", { days: days.length, poor: poor.length })}>
        {days.map((one) => (
          <i
            key={one.day}
            class={(one.usable_percent ?? 100) < ENOUGH_PERCENT ? "poor" : ""}
            style={{ height: `${Math.max(4, one.usable_percent ?? 0)}%` }}
            title={`${one.day} ${amount(one.usable_percent)} %`}
          />
        ))}
      </div>
      {gaps.answer && gaps.answer.items.length > 0 && (
        <details>
          <summary>{word("availability.gaps", { count: gaps.answer.items.length })}</summary>
          <ul class="plain">
            {gaps.answer.items.slice(-MOST_GAPS).map((gap) => (
              <li key={gap.start}>
                <Time at={gap.start} /> – <Time at={gap.first_after} empty={word("availability.lasts")} />{" "}
                <span class="quiet">
                  {duration(Date.parse(gap.end) - Date.parse(gap.start))}, {word("availability.missing", { count: gap.missing })}
                </span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}
