/** Steps of an order that lead aside or back, each with its reason: reject, hold, reopen, transfer, escalate. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { post } from "../api/client";
import type { AssigneeAnswer } from "../api/disposal";
import type { Text, WorkOrderAnswer, WorkOrderSideMove } from "../api/types";
import { useAnswer } from "../api/use-answer";
import { organisations } from "../city/directory";
import { learnWorkOrders } from "../city/store";
import { ReasonForm } from "../shell/reason-form";
import { say, word } from "../words/language";

interface Aside {
  order: WorkOrderAnswer;
  changed: () => void;
}

const PLAIN = ["reject", "hold", "reopen"] as const satisfies readonly WorkOrderSideMove[];

interface Taker {
  organisation: string;
  name: string;
  reasons: readonly Text[];
}

/** Who could take the order: first as the service ranks them, then whoever else there is. */
function useTakers(order: WorkOrderAnswer): Taker[] {
  const { answer } = useAnswer<AssigneeAnswer[]>(`work-orders/${order.id}/proposal`, { round: order.round });
  const ranked = (answer ?? []).map((one) => ({ organisation: one.organisation, name: say(one.organisation_name), reasons: one.reasons }));
  const others = organisations.value.map((one) => ({ organisation: one.id, name: say(one.name), reasons: [] }));
  const takers = new Map<string, Taker>();
  for (const taker of [...ranked, ...others]) {
    if (taker.organisation !== order.organisation && !takers.has(taker.organisation)) takers.set(taker.organisation, taker);
  }
  return [...takers.values()];
}

function Transfer({ order, changed }: Aside): JSX.Element {
  const takers = useTakers(order);
  const chosen = useSignal("");
  const taker = takers.find((one) => one.organisation === chosen.value) ?? takers[0];
  const send = async (note: string): Promise<void> => {
    if (!taker) throw new Error(word("order.transfer.nobody"));
    const body = { organisation: taker.organisation, note, version: order.version };
    learnWorkOrders([await post<WorkOrderAnswer>(`work-orders/${order.id}/transfer`, body)]);
  };
  return (
    <ReasonForm
      name="work-order-transfer"
      ask={word("order.aside.transfer")}
      meaning={word("order.aside.transfer.meaning")}
      save={word("order.aside.transfer")}
      send={send}
      changed={changed}
    >
      <label>
        {word("order.transfer.to")}
        <select data-testid="work-order-transfer-to" value={taker?.organisation ?? ""} onChange={(event) => (chosen.value = event.currentTarget.value)}>
          {takers.map((one) => (
            <option key={one.organisation} value={one.organisation}>
              {one.name}
              {one.reasons.length > 0 && ` (${one.reasons.map(say).join(word("comma"))})`}
            </option>
          ))}
        </select>
      </label>
    </ReasonForm>
  );
}

export function OrderAside({ order, changed }: Aside): JSX.Element {
  const move = (name: WorkOrderSideMove | "escalate", body: (note: string) => object) => async (note: string): Promise<void> =>
    learnWorkOrders([await post<WorkOrderAnswer>(`work-orders/${order.id}/${name}`, body(note))]);
  const versioned = (note: string): object => ({ note, version: order.version });
  return (
    <div class="order-aside">
      {PLAIN.filter((name) => order.side_moves.includes(name)).map((name) => (
        <ReasonForm
          key={name}
          name={`work-order-${name}`}
          ask={word(`order.aside.${name}`)}
          meaning={word(`order.aside.${name}.meaning`)}
          save={word(`order.aside.${name}`)}
          send={move(name, versioned)}
          changed={changed}
        />
      ))}
      {order.side_moves.includes("transfer") && <Transfer order={order} changed={changed} />}
      {order.state !== "closed" && (
        <ReasonForm
          name="work-order-escalate"
          ask={word("order.aside.escalate")}
          meaning={word("order.aside.escalate.meaning")}
          save={word("order.aside.escalate")}
          send={move("escalate", (note) => ({ note }))}
          changed={changed}
        />
      )}
    </div>
  );
}
