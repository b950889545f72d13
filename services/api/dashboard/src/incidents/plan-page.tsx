/** One plan with its versions: who does what by when, with what, and what of it is missing today. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { post } from "../api/client";
import type { ActivationAnswer, PlanAnswer, PlanStep } from "../api/disposal";
import { may } from "../api/session";
import { isGone, useAnswer } from "../api/use-answer";
import { organisationName, useDirectory } from "../city/directory";
import { assetsById } from "../city/store";
import { PlanForm } from "../office/plan-form";
import { incidentAddress } from "../route";
import { ConfirmedButton } from "../shell/confirmed-button";
import { LifelineMark, Loading, Time } from "../shell/marks";
import { Refusal, Trouble, useDeed } from "../shell/trouble";
import { amount, duration } from "../words/format";
import { say, word, wordFor } from "../words/language";
import { IncidentNavigation } from "./incident-navigation";

function responsible(step: PlanStep): string {
  if (step.person) return `${step.person.name} ${say(step.person.post)}`;
  return step.organisation ? organisationName(step.organisation) : word(`organisation.${step.role}`);
}

/** An exercise (演练) begins an incident that is marked as one; the public is told nothing. */
function ExerciseForm({ plan }: { plan: PlanAnswer }): JSX.Element {
  const deed = useDeed();
  const asset = useSignal(plan.plan.asset ?? "");
  const known = assetsById.value.has(asset.value);
  const begin = (): void =>
    void deed.run(async () => {
      const begun = await post<ActivationAnswer>("plan-activations", { plan: plan.id, exercise_at: asset.value });
      location.hash = incidentAddress(begun.incident);
    });
  return (
    <section class="boxed" aria-label={word("plan.exercise")}>
      <h2>{word("plan.exercise")}</h2>
      <p class="quiet">{word("plan.exercise.meaning")}</p>
      <div class="row">
        <label class="row">
          {word("plan.exercise.at")}
          <input
            list="exercise-assets"
            data-testid="exercise-asset"
            value={asset.value}
            onInput={(event) => (asset.value = event.currentTarget.value.trim())}
          />
        </label>
        <datalist id="exercise-assets">
          {[...assetsById.value.values()]
            .filter(({ properties }) => properties.lifeline === plan.plan.lifeline)
            .slice(0, 500)
            .map(({ properties }) => (
              <option key={properties.id} value={properties.id}>
                {say(properties.name)}
              </option>
            ))}
        </datalist>
        <ConfirmedButton
          name="exercise-begin"
          label={word("plan.exercise.begin")}
          meaning={word("plan.exercise.sure")}
          busy={deed.busy || !known}
          run={begin}
        />
      </div>
      <Refusal deed={deed} />
    </section>
  );
}

function Version({ version, shown, choose }: { version: PlanAnswer; shown: boolean; choose: () => void }): JSX.Element {
  return (
    <li>
      <button type="button" aria-pressed={shown} data-testid="plan-version" onClick={choose}>
        {version.is_default ? word("plan.default") : version.version}
      </button>{" "}
      <Time at={version.created_at} empty="" /> <span class="quiet">{version.author}</span> {version.reason}
    </li>
  );
}

export function PlanPage({ id }: { id: string }): JSX.Element {
  useDirectory();
  const { answer, problem, again } = useAnswer<PlanAnswer[]>(`response-plans/${encodeURIComponent(id)}`);
  const chosen = useSignal(0);
  /** What the next version begins with, and the newest version by then. */
  const writing = useSignal<{ from: PlanAnswer; seen: number } | null>(null);
  const shown = answer?.[chosen.value];
  if (!shown && problem) return isGone(problem) ? <p class="trouble">{word("plan.gone")}</p> : <Trouble problem={problem} again={again} />;
  if (!answer || !shown) return <Loading />;
  const { plan } = shown;
  return (
    <div class="office" data-testid="plan-page">
      <IncidentNavigation />
      <article class="record panel">
        <h1>
          <LifelineMark lifeline={plan.lifeline} /> {say(plan.title)}
        </h1>
        {shown.gaps.length > 0 && (
          <ul class="holes" data-testid="plan-gaps">
            {shown.gaps.map((gap) => (
              <li key={`${gap.step} ${gap.reason.en}`}>
                <span aria-hidden="true">▲ </span>
                {gap.step !== null && `${word("plan.step", { number: gap.step })} · `}
                {say(gap.reason)}
              </li>
            ))}
          </ul>
        )}
        <section class="boxed" aria-label={word("plan.steps")}>
          <h2>{word("plan.steps")}</h2>
          <ol class="plan-steps">
            {plan.steps.map((step, index) => (
              <li key={index}>
                <span class="step-sign" aria-hidden="true">
                  {index + 1}
                </span>
                <span>
                  {say(step.label)} <span class="quiet">{responsible(step)}</span>
                </span>
                <span class="plan-step-when quiet">{word("plan.within", { time: duration(step.within_s * 1000) })}</span>
              </li>
            ))}
          </ol>
          {plan.exclusion_radius_m > 0 && <p>{word("plan.radius", { radius: amount(plan.exclusion_radius_m) })}</p>}
          {plan.public_message && (
            <p>
              <span class="quiet">{word("plan.public")}</span> {say(plan.public_message)}
            </p>
          )}
          {plan.materials.length > 0 && (
            <p>
              <span class="quiet">{word("plan.materials")}</span>{" "}
              {plan.materials.map((material) => `${say(material.name)} ${amount(material.needed)} ${wordFor("unit", material.unit)}`).join(word("comma"))}
            </p>
          )}
          {plan.phones.map((number) => (
            <p key={number.phone}>
              {say(number.name)} <a href={`tel:${number.phone}`}>{number.phone}</a>
            </p>
          ))}
        </section>
        {writing.value && (
          <PlanForm
            {...writing.value}
            taken={new Set()}
            done={() => (writing.value = null)}
            again={() => {
              chosen.value = 0;
              again();
            }}
          />
        )}
        {!writing.value && may("approve") && (
          <button
            type="button"
            class="begin"
            data-testid="plan-write"
            onClick={() => (writing.value = { from: shown, seen: answer[0]?.version ?? shown.version })}
          >
            {word("plan.write")}
          </button>
        )}
        <ExerciseForm plan={answer[0] ?? shown} />
        <section class="boxed" aria-label={word("plan.versions")}>
          <h2>{word("plan.versions")}</h2>
          <ul class="plain">
            {answer.map((version, index) => (
              <Version key={version.version} version={version} shown={index === chosen.value} choose={() => (chosen.value = index)} />
            ))}
          </ul>
        </section>
      </article>
    </div>
  );
}
