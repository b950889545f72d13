/** A plan that runs: its steps with names and clocks, ticked off one by one. */
import type { JSX } from "preact";
import { post } from "../api/client";
import type { ActivatedStepAnswer, ActivationAnswer } from "../api/disposal";
import { organisationName } from "../city/directory";
import { incidentAddress } from "../route";
import { Time } from "../shell/marks";
import { ReasonForm } from "../shell/reason-form";
import { Refusal, useDeed } from "../shell/trouble";
import { amount } from "../words/format";
import { say, word } from "../words/language";
import { Exercise } from "./incidents-page";

function Who({ step }: { step: ActivatedStepAnswer }): JSX.Element {
  return (
    <span class="quiet">
      {step.person_name ?? (step.organisation ? organisationName(step.organisation) : word(`organisation.${step.role}`))}{" "}
      {say(step.post)} {step.phone && <a href={`tel:${step.phone}`}>{step.phone}</a>}
    </span>
  );
}

interface Step {
  step: ActivatedStepAnswer;
  running: boolean;
  tick: (number: number) => void;
  busy: boolean;
}

function StepLine({ step, running, tick, busy }: Step): JSX.Element {
  const late = !step.done_at && running && Date.parse(step.due_at) < Date.now();
  return (
    <li class={step.done_at ? "done" : late ? "late" : ""} data-testid="plan-step" data-number={step.number} data-done={step.done_at !== null}>
      <span class="step-sign" aria-hidden="true">
        {step.done_at ? "✓" : step.number}
      </span>
      <span>
        {say(step.label)} <Who step={step} />
        {step.note && <q>{step.note}</q>}
      </span>
      <span class="plan-step-when">
        {step.done_at ? (
          <>
            <Time at={step.done_at} /> <span class="quiet">{step.done_by}</span>
          </>
        ) : (
          <>
            {late && <b class="overdue">▲ {word("wall.overdue")} </b>}
            <span class="quiet">{word("plan.step.due")}</span> <Time at={step.due_at} />
          </>
        )}
      </span>
      {running && !step.done_at && (
        <button type="button" disabled={busy} data-testid="plan-step-tick" onClick={() => tick(step.number)}>
          {word("plan.step.done")}
        </button>
      )}
    </li>
  );
}

interface Running {
  activation: ActivationAnswer;
  changed: () => void;
  /** With the way to the incident, where the panel stands elsewhere. */
  linked?: boolean;
}

export function ActivationPanel({ activation, changed, linked = false }: Running): JSX.Element {
  const deed = useDeed();
  const running = activation.ended_at === null;
  const done = activation.steps.filter((step) => step.done_at).length;
  const tick = (number: number): void =>
    void deed.run(() => post(`plan-activations/${activation.id}/steps/${number}/done`, {})).then(changed);
  return (
    <section
      class={activation.is_exercise ? "boxed drill" : "boxed"}
      aria-label={say(activation.title)}
      data-testid="activation"
      data-exercise={activation.is_exercise}
      data-running={running}
    >
      <h2>
        <Exercise shown={activation.is_exercise} /> {say(activation.title)}{" "}
        <span class="count">
          {done}/{activation.steps.length}
        </span>
      </h2>
      <p class="quiet">
        {word("plan.activated")} <Time at={activation.activated_at} /> {activation.activated_by}
        {activation.ended_at && (
          <>
            {" · "}
            {word("plan.ended")} <Time at={activation.ended_at} /> {activation.ended_by}
          </>
        )}
        {activation.exclusion_radius_m > 0 && ` · ${word("plan.radius", { radius: amount(activation.exclusion_radius_m) })}`}
        {linked && (
          <>
            {" · "}
            <a href={incidentAddress(activation.incident)}>{word("incident")}</a>
          </>
        )}
      </p>
      <ol class="plan-steps">
        {activation.steps.map((step) => (
          <StepLine key={step.number} step={step} running={running} tick={tick} busy={deed.busy} />
        ))}
      </ol>
      <Refusal deed={deed} />
      {running && (
        <ReasonForm
          name="plan-end"
          ask={word("plan.end")}
          meaning={word("plan.end.meaning")}
          save={word("plan.end")}
          send={(note) => post(`plan-activations/${activation.id}/end`, { note })}
          changed={changed}
        />
      )}
    </section>
  );
}
