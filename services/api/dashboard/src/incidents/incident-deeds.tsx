/** What may be done at an incident: another organisation, a plan, costs, lessons. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { post, put } from "../api/client";
import type { CostAnswer, IncidentDetailAnswer, PlanAnswer } from "../api/disposal";
import { useAnswer } from "../api/use-answer";
import { organisations } from "../city/directory";
import { ConfirmedButton } from "../shell/confirmed-button";
import { Time } from "../shell/marks";
import { Refusal, useDeed } from "../shell/trouble";
import { money } from "../words/format";
import { say, word } from "../words/language";

interface Deeds {
  incident: IncidentDetailAnswer;
  changed: () => void;
}

/** An order beside the first one; its words are written once and stand in both languages as they are. */
export function JointOrderForm({ incident, changed }: Deeds): JSX.Element {
  const deed = useDeed();
  const open = useSignal(false);
  const organisation = useSignal("");
  const title = useSignal("");
  if (!open.value) {
    return (
      <button type="button" class="link" data-testid="joint-order" onClick={() => (open.value = true)}>
        {word("incident.joint")}
      </button>
    );
  }
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const said = title.value.trim();
    const body = { organisation: organisation.value, title: { en: said, zh: said } };
    if (await deed.run(() => post(`incidents/${incident.id}/orders`, body))) {
      open.value = false;
      title.value = "";
    }
    changed();
  };
  return (
    <form class="deed" onSubmit={(event) => void submit(event)} data-testid="joint-order-form">
      <label>
        {word("incident.joint.who")}
        <select required value={organisation.value} data-testid="joint-order-organisation" onChange={(event) => (organisation.value = event.currentTarget.value)}>
          <option value="" />
          {organisations.value.map((one) => (
            <option key={one.id} value={one.id}>
              {say(one.name)}
            </option>
          ))}
        </select>
      </label>
      <label>
        {word("incident.joint.what")}
        <input required maxLength={500} value={title.value} data-testid="joint-order-title" onInput={(event) => (title.value = event.currentTarget.value)} />
      </label>
      <div class="row">
        <button type="submit" disabled={deed.busy} data-testid="joint-order-save">
          {word("order.move.send")}
        </button>
        <button type="button" onClick={() => (open.value = false)}>
          {word("cancel")}
        </button>
      </div>
      <Refusal deed={deed} />
    </form>
  );
}

export function PlanStart({ incident, changed }: Deeds): JSX.Element | null {
  const { answer } = useAnswer<PlanAnswer[]>(incident.alerts[0] ? "response-plans" : null, { alert: incident.alerts[0] });
  const deed = useDeed();
  if (!answer?.length) return null;
  const begin = (plan: string): void =>
    void deed.run(() => post("plan-activations", { plan, incident: incident.id })).then(changed);
  return (
    <section class="boxed" aria-label={word("plan.start")} data-testid="plan-start">
      <h2>{word("plan.start")}</h2>
      <ul class="plain">
        {answer.slice(0, 3).map((plan) => (
          <li key={plan.id} class="row">
            <span>{say(plan.plan.title)}</span>
            {plan.gaps.length > 0 && <span class="overdue">▲ {word("plan.gaps.count", { count: plan.gaps.length })}</span>}
            <ConfirmedButton
              name={`plan-start-${plan.id}`}
              label={word("plan.start.now")}
              meaning={word("plan.start.sure")}
              busy={deed.busy}
              run={() => begin(plan.id)}
            />
          </li>
        ))}
      </ul>
      <Refusal deed={deed} />
    </section>
  );
}

export function Costs({ costs }: { costs: readonly CostAnswer[] }): JSX.Element {
  if (!costs.length) return <p class="quiet">{word("incident.costs.none")}</p>;
  return (
    <ul class="plain" data-testid="incident-costs">
      {costs.map((cost) => (
        <li key={cost.id}>
          {cost.label} <b>{money(Number(cost.amount), cost.currency)}</b>{" "}
          <span class="quiet">
            {cost.author} <Time at={cost.at} />
          </span>
        </li>
      ))}
    </ul>
  );
}

export function CostForm({ incident, changed }: Deeds): JSX.Element {
  const deed = useDeed();
  const label = useSignal("");
  const amount = useSignal("");
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const body = { label: label.value.trim(), amount: amount.value, currency: "CNY" };
    if (await deed.run(() => post(`incidents/${incident.id}/costs`, body))) label.value = amount.value = "";
    changed();
  };
  return (
    <form class="row" onSubmit={(event) => void submit(event)} data-testid="cost-form">
      <input
        required
        maxLength={200}
        aria-label={word("incident.cost.label")}
        placeholder={word("incident.cost.label")}
        value={label.value}
        onInput={(event) => (label.value = event.currentTarget.value)}
      />
      <input
        required
        type="number"
        step="0.01"
        class="cost-amount"
        aria-label={word("incident.cost.amount")}
        placeholder={word("incident.cost.amount")}
        value={amount.value}
        onInput={(event) => (amount.value = event.currentTarget.value)}
      />
      <button type="submit" disabled={deed.busy} data-testid="cost-save">
        {word("incident.cost.add")}
      </button>
      <Refusal deed={deed} />
    </form>
  );
}

export function Lessons({ incident, changed }: Deeds): JSX.Element {
  const deed = useDeed();
  const text = useSignal(incident.lessons ?? "");
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const body = JSON.stringify({ text: text.value.trim(), version: incident.version });
    await deed.run(() => put(`incidents/${incident.id}/lessons`, body, "application/json"));
    changed();
  };
  return (
    <form class="deed" onSubmit={(event) => void submit(event)} data-testid="lessons-form">
      <label>
        <span class="quiet">{word("incident.lessons.hint")}</span>
        <textarea rows={3} required maxLength={20_000} value={text.value} data-testid="lessons-text" onInput={(event) => (text.value = event.currentTarget.value)} />
      </label>
      <button type="submit" disabled={deed.busy} data-testid="lessons-save">
        {word("incident.lessons.save")}
      </button>
      {incident.lessons_by && <span class="quiet">{incident.lessons_by}</span>}
      <Refusal deed={deed} />
    </form>
  );
}
