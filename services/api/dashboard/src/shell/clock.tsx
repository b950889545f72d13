/** The time of the wall, that of the newest data where they differ, and whether the page is live. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { connection } from "../api/stream";
import { cityNow, latest } from "../city/store";
import { clock, utc } from "../words/format";
import { word } from "../words/language";

/** From here on the newest reading is so far from the clock that both are shown. */
const APART_MS = 180_000;

export function Clock(): JSX.Element {
  const now = useSignal(Date.now());
  useEffect(() => {
    const timer = setInterval(() => (now.value = Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  const city = cityNow.value;
  const apart = latest.value.size > 0 && Math.abs(now.value - city) > APART_MS;
  return (
    <div class="clock">
      <time data-testid="clock" dateTime={new Date(now.value).toISOString()} title={utc(now.value)}>
        {clock(new Date(now.value))}
      </time>
      {apart && (
        <time class="data-time" dateTime={new Date(city).toISOString()} title={`${utc(city)}\n${word("data.time.why")}`}>
          {word("data.time", { time: clock(new Date(city), "day") })}
        </time>
      )}
    </div>
  );
}

const SIGNS = { connecting: "○", live: "●", lost: "▲" };

export function ConnectionState(): JSX.Element {
  const { state, since } = connection.value;
  const text = state === "lost" ? word("reconnecting", { time: clock(new Date(since)) }) : word(state);
  return (
    <span class={`connection ${state}`} data-testid="connection-state" data-state={state} role="status" title={utc(since)}>
      <span aria-hidden="true">{SIGNS[state]}</span> {text}
    </span>
  );
}
