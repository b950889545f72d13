/** Response plans (预案): those that run, and every plan with what it lacks today. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { ActivationAnswer, PlanAnswer } from "../api/disposal";
import { may } from "../api/session";
import { useAnswer } from "../api/use-answer";
import { kindName, lifelineName, useDirectory } from "../city/directory";
import { PlanForm } from "../office/plan-form";
import { useEvery } from "../records/use-every";
import { planAddress } from "../route";
import { LifelineMark, Loading } from "../shell/marks";
import { Trouble } from "../shell/trouble";
import { WideTable } from "../shell/wide-table";
import { say, word } from "../words/language";
import { ActivationPanel } from "./activation-panel";
import { IncidentNavigation } from "./incident-navigation";

function PlanRow({ plan }: { plan: PlanAnswer }): JSX.Element {
  return (
    <tr data-testid="plan-row" data-plan={plan.id}>
      <td>
        <LifelineMark lifeline={plan.plan.lifeline} /> <a href={planAddress(plan.id)}>{say(plan.plan.title)}</a>
      </td>
      <td>
        {lifelineName(plan.plan.lifeline)}
        {plan.plan.kind && ` · ${kindName(plan.plan.kind, plan.plan.lifeline)}`}
      </td>
      <td class="nowrap">{word(`severity.${plan.plan.severity_from}`)}</td>
      <td class="number">{plan.plan.steps.length}</td>
      <td class="nowrap">{plan.is_default ? word("plan.default") : plan.version}</td>
      <td>
        {plan.gaps.length ? (
          <span class="overdue">
            <span aria-hidden="true">▲ </span>
            {word("plan.gaps.count", { count: plan.gaps.length })}
          </span>
        ) : (
          "✓"
        )}
      </td>
    </tr>
  );
}

export function PlansPage(): JSX.Element {
  useDirectory();
  const plans = useAnswer<PlanAnswer[]>("response-plans");
  const running = useAnswer<ActivationAnswer[]>("plan-activations");
  const writing = useSignal(false);
  useEvery(running.again);
  return (
    <div class="office" data-testid="plans-page">
      <IncidentNavigation />
      <article class="record panel">
        <h1>{word("plans")}</h1>
        <p class="quiet">{word("plans.why")}</p>
        {plans.problem && <Trouble problem={plans.problem} again={plans.again} />}
        {!plans.answer && !plans.problem && <Loading />}
        {running.answer && (
          <>
            <h2>
              {word("plans.running")} <span class="count">{running.answer.length}</span>
            </h2>
            {!running.answer.length && <p class="quiet">{word("plans.running.none")}</p>}
            {running.answer.map((activation) => (
              <ActivationPanel key={activation.id} activation={activation} changed={running.again} linked />
            ))}
          </>
        )}
        {plans.answer && writing.value && (
          <PlanForm
            from={null}
            seen={0}
            taken={new Set(plans.answer.map((plan) => plan.id))}
            done={() => (writing.value = false)}
            again={plans.again}
          />
        )}
        {plans.answer && !writing.value && may("approve") && (
          <button type="button" class="begin" data-testid="plan-new" onClick={() => (writing.value = true)}>
            {word("plan.new")}
          </button>
        )}
        {plans.answer && (
          <WideTable label={word("plans")}>
            <table data-testid="plan-table">
              <thead>
                <tr>
                  <th>{word("plan")}</th>
                  <th>{word("plan.for")}</th>
                  <th>{word("plan.from")}</th>
                  <th class="number">{word("plan.steps")}</th>
                  <th>{word("plan.version")}</th>
                  <th>{word("plan.gaps")}</th>
                </tr>
              </thead>
              <tbody>
                {plans.answer.map((plan) => (
                  <PlanRow key={plan.id} plan={plan} />
                ))}
              </tbody>
            </table>
          </WideTable>
        )}
      </article>
    </div>
  );
}
