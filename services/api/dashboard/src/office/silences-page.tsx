/** What is kept quiet, by whom, until when and why; and which alert explains which. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { post } from "../api/client";
import type { InhibitionAnswer, SilenceAnswer } from "../api/office";
import type { Page } from "../api/types";
import { useAnswer } from "../api/use-answer";
import { kindName, lifelineName } from "../city/directory";
import { useEvery } from "../records/use-every";
import { ConfirmedButton } from "../shell/confirmed-button";
import { LifelineMark, Time } from "../shell/marks";
import { ReasonForm } from "../shell/reason-form";
import { Refusal, useDeed } from "../shell/trouble";
import { WideTable } from "../shell/wide-table";
import { say, word, wordFor } from "../words/language";
import { described } from "./matcher";
import { OfficePage } from "./office-page";
import { recurrenceText } from "./recurrence";
import { SilenceForm } from "./silence-form";

type State = "in-force" | "coming" | "ended" | "over";

const SIGNS: Record<State, string> = { "in-force": "●", coming: "◷", ended: "■", over: "○" };

/** What a reason names of the explaining alert, once there is one. */
const PLACES = /\{(kind|asset)\}/g;

function stateOf(silence: SilenceAnswer, now: number): State {
  if (silence.in_force) return "in-force";
  if (silence.ended_at) return "ended";
  return silence.recurrence || Date.parse(silence.starts_at) > now ? "coming" : "over";
}

function SilenceRow({ silence, changed }: { silence: SilenceAnswer; changed: () => void }): JSX.Element {
  const deed = useDeed();
  const state = stateOf(silence, Date.now());
  const end = async (): Promise<void> => {
    await deed.run(() => post(`silences/${silence.id}/end`, {}));
    changed();
  };
  return (
    <tr data-testid="silence-row" data-state={state}>
      <td class="nowrap">
        <span class={`office-state ${state}`}>
          <span aria-hidden="true">{SIGNS[state]}</span> {word(`silence.state.${state}`)}
        </span>
        <br />
        <span class="tag">{word(`silence.kind.${silence.kind}`)}</span>
      </td>
      <td>
        <ul class="plain">
          {described(silence.matcher).map((part) => (
            <li key={part}>{part}</li>
          ))}
        </ul>
      </td>
      <td class="nowrap">
        <Time at={silence.starts_at} /> – <Time at={silence.ends_at} />
        {silence.recurrence && <div>↻ {recurrenceText(silence.recurrence)}</div>}
        {silence.recurrence && silence.over_at && (
          <div class="quiet">
            {word("silence.this-time-until")} <Time at={silence.over_at} />
          </div>
        )}
      </td>
      <td>
        {word(`severity.${silence.mutes_to}`)}
        {!silence.records && <div class="quiet">{word("silence.records-not.short")}</div>}
      </td>
      <td class="reason-cell">
        {silence.reason}
        <div class="quiet">
          {silence.author}, <Time at={silence.created_at} />
        </div>
      </td>
      <td>
        {silence.ended_at ? (
          <span class="quiet">
            <Time at={silence.ended_at} /> {silence.ended_by}
          </span>
        ) : (
          state !== "over" && (
            <ConfirmedButton
              name="silence-end"
              label={word("silence.end")}
              meaning={word("silence.end.meaning")}
              busy={deed.busy}
              run={() => void end()}
            />
          )
        )}
        <Refusal deed={deed} />
      </td>
    </tr>
  );
}

function SilenceTable({ silences, changed }: { silences: readonly SilenceAnswer[]; changed: () => void }): JSX.Element {
  if (!silences.length) return <p class="quiet">{word("silences.none")}</p>;
  return (
    <WideTable label={word("office.silences")}>
      <table data-testid="silence-table">
        <thead>
          <tr>
            <th>{word("sensor.state")}</th>
            <th>{word("silence.what")}</th>
            <th>{word("silence.when")}</th>
            <th>{word("silence.mutes-to")}</th>
            <th>{word("silence.why")}</th>
            <th>{word("silence.end.head")}</th>
          </tr>
        </thead>
        <tbody>
          {silences.map((silence) => (
            <SilenceRow key={silence.id} silence={silence} changed={changed} />
          ))}
        </tbody>
      </table>
    </WideTable>
  );
}

function Rule({ rule, changed }: { rule: InhibitionAnswer; changed: () => void }): JSX.Element {
  const names = (kinds: readonly string[]): string =>
    kinds.map((kind) => (kind === "*" ? word("inhibition.every") : kindName(kind, rule.lifeline))).join(word("comma"));
  return (
    <tr data-testid="inhibition-row" data-enabled={rule.enabled}>
      <td class="nowrap">
        <LifelineMark lifeline={rule.lifeline} /> {lifelineName(rule.lifeline)}
      </td>
      <td>
        <b>{names(rule.causes)}</b> <span aria-hidden="true">→</span> {names(rule.effects)}
        <div class="quiet">{say(rule.reason).replace(PLACES, "…")}</div>
      </td>
      <td>{wordFor("reach", rule.reach)}</td>
      <td>{word(`severity.${rule.mutes_to}`)}</td>
      <td>
        <span aria-hidden="true">{rule.enabled ? "●" : "○"}</span> {word(rule.enabled ? "switched.on" : "switched.off")}
        <br />
        <ReasonForm
          name="inhibition-switch"
          ask={word(rule.enabled ? "switch.off" : "switch.on")}
          meaning={word("inhibition.switch.meaning")}
          save={word(rule.enabled ? "switch.off" : "switch.on")}
          send={(reason) => post(`inhibitions/${encodeURIComponent(rule.id)}/switch`, { enabled: !rule.enabled, reason })}
          changed={changed}
        />
      </td>
    </tr>
  );
}

function Rules(): JSX.Element | null {
  const { answer, again } = useAnswer<InhibitionAnswer[]>("inhibitions");
  if (!answer?.length) return null;
  return (
    <>
      <h2>{word("inhibitions")}</h2>
      <WideTable label={word("inhibitions")}>
        <table data-testid="inhibition-table">
          <thead>
            <tr>
              <th>{word("filter.lifeline")}</th>
              <th>{word("inhibition.what")}</th>
              <th>{word("inhibition.reach")}</th>
              <th>{word("silence.mutes-to")}</th>
              <th>{word("sensor.state")}</th>
            </tr>
          </thead>
          <tbody>
            {answer.map((rule) => (
              <Rule key={rule.id} rule={rule} changed={again} />
            ))}
          </tbody>
        </table>
      </WideTable>
    </>
  );
}

export function SilencesPage(): JSX.Element {
  const every = useSignal(false);
  const query = every.value ? { limit: 200 } : { in_force: true };
  const { answer, problem, again } = useAnswer<Page<SilenceAnswer>>("silences", query);
  useEvery(again);
  return (
    <OfficePage page="silences" loading={!answer} problem={problem} again={again}>
      <SilenceForm changed={again} />
      <div class="choice" role="group" aria-label={word("filter.state")}>
        <button type="button" aria-pressed={!every.value} data-testid="silences-now" onClick={() => (every.value = false)}>
          {word("silences.now")}
        </button>
        <button type="button" aria-pressed={every.value} data-testid="silences-all" onClick={() => (every.value = true)}>
          {word("alerts.all")}
        </button>
      </div>
      {answer && <SilenceTable silences={answer.items} changed={again} />}
      <Rules />
    </OfficePage>
  );
}
