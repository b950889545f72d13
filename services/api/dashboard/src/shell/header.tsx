/** The header: name, lifeline counters, clock, connection, switches. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { forgetKey } from "../api/key";
import { connection } from "../api/stream";
import type { LifelineAnswer } from "../api/types";
import { sound, switchSound } from "../city/sound";
import { chosenLifeline, cityNow, latest, lifelines } from "../city/store";
import { isOffice, type Route, route } from "../route";
import { clock, utc } from "../words/format";
import { chooseLanguage, language, say, word } from "../words/language";
import { LifelineMark, SeverityMark } from "./marks";
import { switchTheme, theme } from "./theme";

/** From here on the newest reading is so far from the clock that both are shown. */
const APART_MS = 180_000;

function Clock(): JSX.Element {
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

function ConnectionState(): JSX.Element {
  const { state, since } = connection.value;
  const text = state === "lost" ? word("reconnecting", { time: clock(new Date(since)) }) : word(state);
  return (
    <span class={`connection ${state}`} data-testid="connection-state" data-state={state} role="status" title={utc(since)}>
      <span aria-hidden="true">{SIGNS[state]}</span> {text}
    </span>
  );
}

function Counter({ lifeline }: { lifeline: LifelineAnswer }): JSX.Element {
  const chosen = chosenLifeline.value === lifeline.id;
  const name = say(lifeline.label);
  const worst = lifeline.open_alerts
    ? word("worst", { severity: word(`severity.${lifeline.worst_severity}`) })
    : word("severity.0");
  const choose = (): void => {
    chosenLifeline.value = chosen ? null : lifeline.id;
    if (route.value.page !== "overview") location.hash = "#/";
  };
  return (
    <button
      type="button"
      class="counter"
      data-testid={`lifeline-counter-${lifeline.id}`}
      data-severity={lifeline.open_alerts ? lifeline.worst_severity : 0}
      aria-pressed={chosen}
      title={word("counter.show", { lifeline: name })}
      onClick={choose}
    >
      <LifelineMark lifeline={lifeline.id} />
      <span class="counter-name">{name}</span>
      <SeverityMark severity={lifeline.open_alerts ? lifeline.worst_severity : 0} />
      <span class="counter-number">{lifeline.open_alerts}</span>
      <span class="counter-worst">{worst}</span>
    </button>
  );
}

const PAGES: readonly (readonly [Route["page"], string, "nav.overview" | "nav.storm" | "nav.bridges" | "nav.sensors" | "nav.office"])[] = [
  ["overview", "#/", "nav.overview"],
  ["storm", "#/storm", "nav.storm"],
  ["bridges", "#/bridges", "nav.bridges"],
  ["sensors", "#/sensors", "nav.sensors"],
  ["figures", "#/figures", "nav.office"],
];

/** The entry of the navigation that a page belongs to. */
function entryOf(page: Route["page"]): Route["page"] {
  if (page === "sensor") return "sensors";
  return isOffice(page) ? "figures" : page;
}

function Navigation(): JSX.Element {
  const at = entryOf(route.value.page);
  return (
    <nav aria-label={word("nav")}>
      {PAGES.map(([page, address, name]) => (
        <a key={page} href={address} aria-current={at === page ? "page" : undefined}>
          {word(name)}
        </a>
      ))}
    </nav>
  );
}

function Switches(): JSX.Element {
  return (
    <div class="switches">
      <button type="button" data-testid="sound-switch" aria-pressed={sound.value} title={word("sound.switch")} onClick={switchSound}>
        <span aria-hidden="true">{sound.value ? "♪" : "♪̸"}</span> {word(sound.value ? "sound.on" : "sound.off")}
      </button>
      <button type="button" data-testid="theme-switch" title={word("theme.switch")} onClick={switchTheme}>
        {word(theme.value === "dark" ? "theme.light" : "theme.dark")}
      </button>
      <button
        type="button"
        data-testid="language-switch"
        title={word("language.switch")}
        onClick={() => chooseLanguage(language.value === "zh" ? "en" : "zh")}
      >
        {language.value === "zh" ? "EN" : "中文"}
      </button>
      <button type="button" class="sign-out" onClick={forgetKey}>
        {word("sign-out")}
      </button>
    </div>
  );
}

export function Header(): JSX.Element {
  const watched = lifelines.value.filter((lifeline) => lifeline.sensors > 0 || lifeline.assets > 0);
  return (
    <header>
      <a class="name" href="#/" aria-label={word("name")}>
        <svg viewBox="0 0 32 20" aria-hidden="true">
          <path d="M1 11h8l3-8 5 15 4-10 2 3h8" />
        </svg>
        <span>{word("name")}</span>
      </a>
      <Navigation />
      <div class="counters">
        {watched.map((lifeline) => (
          <Counter key={lifeline.id} lifeline={lifeline} />
        ))}
      </div>
      <div class="right">
        <ConnectionState />
        <Clock />
        <Switches />
      </div>
    </header>
  );
}
