/** The header: name, lifeline counters, clock, connection, switches. */
import type { JSX } from "preact";
import { leave, me } from "../api/session";
import type { LifelineAnswer } from "../api/types";
import { sound, switchSound } from "../city/sound";
import { chosenLifeline, lifelines } from "../city/store";
import { isOffice, type Route, route } from "../route";
import { chooseLanguage, language, say, word } from "../words/language";
import { Clock, ConnectionState } from "./clock";
import { LifelineMark, SeverityMark } from "./marks";
import { switchTheme, theme } from "./theme";

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

type NavigationWord = "nav.wall" | "nav.overview" | "nav.incidents" | "nav.storm" | "nav.bridges" | "nav.sensors" | "nav.field" | "nav.office";

const PAGES: readonly (readonly [Route["page"], string, NavigationWord])[] = [
  ["overview", "#/", "nav.overview"],
  ["wall", "#/wall", "nav.wall"],
  ["field", "#/field", "nav.field"],
  ["incidents", "#/incidents", "nav.incidents"],
  ["storm", "#/storm", "nav.storm"],
  ["bridges", "#/bridges", "nav.bridges"],
  ["sensors", "#/sensors", "nav.sensors"],
  ["figures", "#/figures", "nav.office"],
];

/** The entry of the navigation that a page belongs to. */
function entryOf(page: Route["page"]): Route["page"] {
  if (page === "sensor" || page === "assets" || page === "asset") return "sensors";
  if (page === "incident" || page === "plans" || page === "plan") return "incidents";
  return isOffice(page) ? "figures" : page;
}

function Navigation(): JSX.Element {
  const at = entryOf(route.value.page);
  return (
    <nav aria-label={word("nav")}>
      {PAGES.map(([page, address, name]) => (
        <a key={page} class={`to-${page}`} href={address} aria-current={at === page ? "page" : undefined}>
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
      {me.value && (
        <span class="signed-in" data-testid="signed-in" title={me.value.roles.map((role) => word(`role.${role}`)).join(", ")}>
          {me.value.label}
        </span>
      )}
      <button type="button" class="sign-out" onClick={() => void leave()}>
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
