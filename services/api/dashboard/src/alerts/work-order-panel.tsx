/** The work order as a stepper, with the one step that may be taken now. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { post } from "../api/client";
import type { WorkOrderAnswer, WorkOrderMove } from "../api/types";
import { learnWorkOrders } from "../city/store";
import { incidentAddress } from "../route";
import { Time } from "../shell/marks";
import { type Deed, Refusal, useDeed } from "../shell/trouble";
import { say, word } from "../words/language";
import { OrderAside } from "./order-aside";
import { OrderRecord } from "./order-record";
import { enteredAt, standing, STEPS } from "./work-order-steps";

function Stepper({ order }: { order: WorkOrderAnswer }): JSX.Element {
  const at = STEPS.indexOf(standing(order));
  return (
    <ol class="stepper" data-testid="work-order-steps" data-state={order.state}>
      {STEPS.map((step, index) => (
        <li key={step} class={index < at ? "done" : index === at ? "now" : "ahead"} aria-current={index === at ? "step" : undefined}>
          <span class="step-sign" aria-hidden="true">
            {index < at || order.state === "closed" ? "✓" : index + 1}
          </span>
          <span class="step-name">{word(`order.state.${step}`)}</span>
          <Time at={enteredAt(order, step)} empty="" />
        </li>
      ))}
    </ol>
  );
}

interface Move {
  order: WorkOrderAnswer;
  move: WorkOrderMove;
  deed: Deed;
  changed: () => void;
}

function MoveForm({ order, move, deed, changed }: Move): JSX.Element {
  const field = useRef<HTMLTextAreaElement>(null);
  const text = useSignal("");
  const feedback = move === "hand-back";
  const verifies = move === "verify";
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const said = text.value.trim();
    if (feedback && !said) return field.current?.focus();
    const version = { version: order.version };
    const body = feedback ? { text: said, ...version } : said ? { [verifies ? "cannot_tell" : "note"]: said, ...version } : version;
    const accepted = await deed.run(async () => {
      learnWorkOrders([await post<WorkOrderAnswer>(`work-orders/${order.id}/${move}`, body)]);
    });
    if (accepted) text.value = "";
    changed();
  };
  return (
    <form class="deed" onSubmit={(event) => void submit(event)}>
      {feedback && (
        <label>
          {word("order.feedback")}
          <textarea
            ref={field}
            rows={2}
            maxLength={4000}
            required
            data-testid="work-order-feedback"
            placeholder={word("order.feedback.hint")}
            value={text.value}
            onInput={(event) => (text.value = event.currentTarget.value)}
          />
        </label>
      )}
      {verifies && (
        <label>
          {word("order.cannot-tell")}
          <textarea
            rows={1}
            maxLength={2000}
            data-testid="work-order-cannot-tell"
            value={text.value}
            onInput={(event) => (text.value = event.currentTarget.value)}
          />
        </label>
      )}
      <button type="submit" class="primary" disabled={deed.busy} data-testid={`work-order-button-${move}`}>
        {word(`order.move.${move}`)}
      </button>
    </form>
  );
}

function Standing({ order }: { order: WorkOrderAnswer }): JSX.Element {
  const due = order.deadline?.due_at;
  return (
    <p class="quiet" data-testid="work-order-standing">
      {STEPS.includes(order.state) || <b>{word(`order.state.${order.state}`)} </b>}
      {due && (
        <>
          {word("order.due")} <Time at={due} />
          {order.deadline?.is_default && ` (${word("order.default")})`}{" "}
        </>
      )}
      {order.deadline && !due && word("order.paused")}
      {order.reopened > 0 && ` · ${word("order.reopened", { times: order.reopened })}`}
      {order.escalated > 0 && ` · ${word("order.escalated", { times: order.escalated })}`}
    </p>
  );
}

export function WorkOrderPanel({ order, changed }: { order: WorkOrderAnswer; changed: () => void }): JSX.Element {
  // Held here, so that a refusal stays readable when somebody else took the step meanwhile.
  const deed = useDeed();
  const move = order.moves[0];
  return (
    <div data-testid="work-order">
      <p>
        <b>{say(order.title)}</b>
        {order.organisation && (
          <span class="quiet">
            {" "}
            {word("order.to", { organisation: order.organisation_name ? say(order.organisation_name) : order.organisation })}
          </span>
        )}
      </p>
      <Stepper order={order} />
      <Standing order={order} />
      {order.feedback && (
        <p class="said">
          <span class="quiet">
            {word("order.feedback")}
            {order.feedback_by && ` (${order.feedback_by})`}
          </span>
          <br />
          {order.feedback}
        </p>
      )}
      {order.verification && (
        <p class="said">
          <span class="quiet">{word("order.verification")}</span>
          <br />
          {order.verification}
        </p>
      )}
      {move && <MoveForm key={move} order={order} move={move} deed={deed} changed={changed} />}
      <Refusal deed={deed} />
      {order.incident && (
        <p>
          <a href={incidentAddress(order.incident)} data-testid="order-incident">
            {word("order.incident")}
          </a>
        </p>
      )}
      <OrderRecord order={order} />
      <OrderAside order={order} changed={changed} />
    </div>
  );
}
