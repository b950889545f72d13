/** Writes a response plan, or the next version of one; whoever was faster is not overwritten. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { put } from "../api/client";
import type { PlanAnswer } from "../api/disposal";
import type { DepotAnswer } from "../api/planning";
import { useAnswer } from "../api/use-answer";
import { lifelines } from "../city/store";
import { planAddress } from "../route";
import { useOpenedForm } from "../shell/opened-form";
import { Refusal, useDeed } from "../shell/trouble";
import { word } from "../words/language";
import { BothLanguages } from "./both-languages";
import { draftOfPlan, earlier, FRESH_PLAN, NEW_PHONE, NEW_PLAN_MATERIAL, NEW_PLAN_STEP, type PlanDraft, planOf } from "./plan-draft";
import { PlanScopeFields } from "./plan-scope-fields";
import { PlanStepFields } from "./plan-step-fields";
import { KnownMaterials, PlanMaterialFields, PlanPhoneFields } from "./plan-supply-fields";

/** One of several replaced by what it becomes. */
function changed<Item>(items: readonly Item[], place: number, part: Partial<Item>): Item[] {
  return items.map((one, index) => (index === place ? { ...one, ...part } : one));
}

function without<Item>(items: readonly Item[], place: number): Item[] {
  return items.filter((_, index) => index !== place);
}

interface Given {
  /** What it begins with; null: a plan that is new. */
  from: PlanAnswer | null;
  /** The newest version when the form was opened. */
  seen: number;
  /** Identifiers that a new plan cannot have. */
  taken: ReadonlySet<string>;
  done: () => void;
  /** Reads the plan anew. */
  again: () => void;
}

export function PlanForm({ from, seen, taken, done, again }: Given): JSX.Element {
  const deed = useDeed();
  const form = useOpenedForm();
  const depots = useAnswer<DepotAnswer[]>("depots");
  const stock = depots.answer?.flatMap((depot) => depot.materials) ?? [];
  const id = useSignal(from?.id ?? "");
  const reason = useSignal("");
  const draft = useSignal<PlanDraft>(from ? draftOfPlan(from.plan) : { ...FRESH_PLAN, lifeline: lifelines.value[0]?.id ?? FRESH_PLAN.lifeline });
  const now = draft.value;
  // From the newest draft: two fields may change before the page is drawn again.
  const change = (part: Partial<PlanDraft>): void => void (draft.value = { ...draft.value, ...part });
  const isTaken = !from && taken.has(id.value.trim());
  const over = (): void => {
    again();
    done();
  };
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const name = id.value.trim();
    const wanted = JSON.stringify({ plan: planOf(draft.value), reason: reason.value.trim() });
    const accepted = await deed.run(() => put(`response-plans/${encodeURIComponent(name)}`, wanted, "application/json", from ? seen : 0));
    if (!accepted) return;
    over();
    if (!from) location.hash = planAddress(name);
  };
  return (
    <form ref={form} class="deed boxed" onSubmit={(event) => void submit(event)} data-testid="plan-form">
      <h2>{word(from ? "plan.write.title" : "plan.new")}</h2>
      <div class="fields">
        {!from && (
          <label>
            {word("plan.id")}
            <input
              required
              maxLength={100}
              pattern="[a-z0-9][a-z0-9\-]*"
              autoComplete="off"
              data-testid="plan-id"
              value={id.value}
              onInput={(event) => (id.value = event.currentTarget.value)}
            />
            <small class={isTaken ? "refusal" : "quiet"}>{word(isTaken ? "plan.id.taken" : "plan.id.hint")}</small>
          </label>
        )}
        <PlanScopeFields draft={now} change={change} />
      </div>
      <h3>{word("plan.steps")}</h3>
      <ol class="policy-fields plain">
        {now.steps.map((step, place) => (
          <PlanStepFields
            key={place}
            number={place + 1}
            step={step}
            change={(part) => change({ steps: changed(draft.value.steps, place, part) })}
            up={() => change({ steps: earlier(now.steps, place) })}
            remove={now.steps.length > 1 ? () => change({ steps: without(now.steps, place) }) : null}
          />
        ))}
      </ol>
      <button type="button" data-testid="plan-step-add" onClick={() => change({ steps: [...now.steps, NEW_PLAN_STEP] })}>
        {word("plan.step.add")}
      </button>
      <h3>{word("plan.material.title")}</h3>
      <KnownMaterials stock={stock} />
      <ol class="policy-fields plain">
        {now.materials.map((material, place) => (
          <PlanMaterialFields
            key={place}
            material={material}
            stock={stock}
            change={(part) => change({ materials: changed(draft.value.materials, place, part) })}
            remove={() => change({ materials: without(now.materials, place) })}
          />
        ))}
      </ol>
      <button type="button" data-testid="plan-material-add" onClick={() => change({ materials: [...now.materials, NEW_PLAN_MATERIAL] })}>
        {word("plan.material.add")}
      </button>
      <h3>{word("plan.phone.title")}</h3>
      <ol class="policy-fields plain">
        {now.phones.map((phone, place) => (
          <PlanPhoneFields
            key={place}
            phone={phone}
            change={(part) => change({ phones: changed(draft.value.phones, place, part) })}
            remove={() => change({ phones: without(now.phones, place) })}
          />
        ))}
      </ol>
      <button type="button" data-testid="plan-phone-add" onClick={() => change({ phones: [...now.phones, NEW_PHONE] })}>
        {word("plan.phone.add")}
      </button>
      <div class="fields">
        <BothLanguages what={word("plan.message")} text={now.message} name="plan-message" required={false} long change={(message) => change({ message })} />
        <label class="wide">
          {word("plan.reason")}
          <input
            required
            maxLength={2000}
            data-testid="plan-reason"
            value={reason.value}
            onInput={(event) => (reason.value = event.currentTarget.value)}
          />
        </label>
      </div>
      <div class="row">
        <button type="submit" class="primary" disabled={deed.busy || isTaken || !reason.value.trim()} data-testid="plan-save">
          {word("plan.save")}
        </button>
        <button type="button" onClick={done}>
          {word("cancel")}
        </button>
      </div>
      <Refusal deed={deed} again={over} />
    </form>
  );
}
