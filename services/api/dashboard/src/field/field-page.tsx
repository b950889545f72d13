/** The page of a crew, on a phone: my orders, the way there, the next step; it goes on without a signal. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { WorkOrderAnswer } from "../api/types";
import { standing } from "../alerts/work-order-steps";
import { fieldAddress } from "../route";
import { LifelineMark, Loading, SeverityMark, Time } from "../shell/marks";
import { chooseLanguage, language, say, word } from "../words/language";
import { isAway } from "./away";
import { nextMove } from "./deed";
import { NextStep, PhotoButton, Tell } from "./order-form";
import { mine, readOrders, trouble } from "./orders";
import { sendAll, unsent } from "./outbox";
import { keepShell } from "./shell";
import { UnsentList } from "./unsent-list";

const AGAIN_MS = 20_000;
const STORED = "lifeline.field.organisation";

/** Sends and reads whenever there is reason to hope: a signal came back, the phone was taken out, time passed. */
function useConnection(): void {
  useEffect(() => {
    const again = (): void => {
      if (document.visibilityState === "visible") void sendAll().then(readOrders);
    };
    const lost = (): void => void (isAway.value = true);
    again();
    void keepShell();
    const timer = setInterval(again, AGAIN_MS);
    addEventListener("online", again);
    addEventListener("offline", lost);
    document.addEventListener("visibilitychange", again);
    return () => {
      clearInterval(timer);
      removeEventListener("online", again);
      removeEventListener("offline", lost);
      document.removeEventListener("visibilitychange", again);
    };
  }, []);
}

function Head({ back }: { back: boolean }): JSX.Element {
  const waiting = unsent.value.length;
  return (
    <div class="field-head">
      {back ? (
        <a href="#/field" data-testid="field-back">
          ← {word("field.orders")}
        </a>
      ) : (
        <h1>{word("field.orders")}</h1>
      )}
      <span class={`connection ${isAway.value ? "lost" : "live"}`} role="status" data-testid="field-connection" data-away={isAway.value}>
        <span aria-hidden="true">{isAway.value ? "▲" : "●"}</span> {word(isAway.value ? "field.away" : "field.there")}
        {waiting > 0 && (
          <b data-testid="unsent-count">
            {" "}
            {word("field.unsent.count", { count: waiting })}
          </b>
        )}
      </span>
      <button type="button" data-testid="language-switch" title={word("language.switch")} onClick={() => chooseLanguage(language.value === "zh" ? "en" : "zh")}>
        {language.value === "zh" ? "EN" : "中文"}
      </button>
    </div>
  );
}

function Card({ order }: { order: WorkOrderAnswer }): JSX.Element {
  const due = order.deadline?.due_at;
  const late = due ? Date.parse(due) < Date.now() : false;
  return (
    <li data-testid="field-order" data-order={order.id} data-state={order.state}>
      <a href={fieldAddress(order.id)}>
        <span class="row-title">
          <SeverityMark severity={order.severity} /> <LifelineMark lifeline={order.lifeline} /> <b>{say(order.title)}</b>
        </span>
        <span>
          {word(`order.state.${order.state}`)}
          {due && (
            <span class={late ? "overdue" : "quiet"}>
              {" · "}
              {late && "▲ "}
              {word("order.due")} <Time at={due} />
            </span>
          )}
        </span>
        <span class="quiet">{order.organisation_name ? say(order.organisation_name) : order.organisation}</span>
      </a>
    </li>
  );
}

function Orders({ orders }: { orders: readonly WorkOrderAnswer[] }): JSX.Element {
  const chosen = useSignal(localStorage.getItem(STORED) ?? "");
  const choose = (organisation: string): void => {
    localStorage.setItem(STORED, organisation);
    chosen.value = organisation;
  };
  const organisations = [...new Map(orders.map((order) => [order.organisation ?? "", order.organisation_name]))].filter(([id]) => id);
  // An organisation without an order today must not hide everybody else's without a word.
  const known = organisations.some(([id]) => id === chosen.value);
  const shown = orders
    .filter((order) => !known || order.organisation === chosen.value)
    .sort((a, b) => b.severity - a.severity || Date.parse(a.created_at) - Date.parse(b.created_at));
  return (
    <>
      <label class="field-organisation">
        {word("field.organisation")}
        <select value={known ? chosen.value : ""} data-testid="field-organisation" onChange={(event) => choose(event.currentTarget.value)}>
          <option value="">{word("field.every")}</option>
          {organisations.map(([id, name]) => (
            <option key={id} value={id}>
              {name ? say(name) : id}
            </option>
          ))}
        </select>
      </label>
      {!shown.length && <p class="quiet pad">{word("orders.none")}</p>}
      <ul class="field-orders">
        {shown.map((order) => (
          <Card key={order.id} order={order} />
        ))}
      </ul>
    </>
  );
}

function Part({ title, children }: { title: string; children: ComponentChildren }): JSX.Element {
  return (
    <section class="panel" aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

function Order({ order }: { order: WorkOrderAnswer }): JSX.Element {
  const place = mine.value?.places[order.alert];
  const move = nextMove(order, unsent.value.filter((deed) => deed.order === order.id));
  const [longitude, latitude] = place?.position ?? [null, null];
  return (
    <article data-testid="field-order-page" data-state={order.state}>
      <section class="panel">
        <h1>
          <SeverityMark severity={order.severity} /> {say(order.title)}
        </h1>
        <p>
          {word(`order.state.${standing(order)}`)}
          {order.deadline?.due_at && (
            <>
              {" · "}
              {word("order.due")} <Time at={order.deadline.due_at} />
            </>
          )}
        </p>
        {place && <p class="said">{say(place.explanation)}</p>}
        {latitude !== null && longitude !== null && (
          <a class="field-way" href={`geo:${latitude},${longitude}?q=${latitude},${longitude}`} data-testid="field-navigate">
            {word("field.navigate")}{" "}
            <span>
              {latitude.toFixed(6)}, {longitude.toFixed(6)}
            </span>
          </a>
        )}
        {move ? <NextStep key={move} order={order} move={move} /> : (
          <p class="quiet" data-testid="field-nothing-next">
            {word("field.nothing-next")}
          </p>
        )}
      </section>
      <Part title={word("field.report")}>
        <Tell order={order} />
        <PhotoButton order={order} />
      </Part>
    </article>
  );
}

export function FieldPage({ id }: { id: string | null }): JSX.Element {
  useConnection();
  const kept = mine.value;
  const order = kept?.orders.find((one) => one.id === id);
  return (
    <div class="field" data-testid="field-page">
      <Head back={id !== null} />
      {trouble.value && (
        <p class="trouble" role="alert">
          {trouble.value}
        </p>
      )}
      {!kept && !trouble.value && (isAway.value ? <p class="pad">{word("field.nothing-kept")}</p> : <Loading />)}
      {kept && isAway.value && (
        <p class="field-old" data-testid="field-old">
          {word("field.as-of")} <Time at={kept.read_at} />
        </p>
      )}
      {kept && id === null && <Orders orders={kept.orders} />}
      {kept && order && <Order order={order} />}
      {kept && id !== null && !order && <p class="pad">{word("field.order.gone")}</p>}
      <UnsentList />
    </div>
  );
}
