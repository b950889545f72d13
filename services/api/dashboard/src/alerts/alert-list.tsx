/** The live list of alerts, what needs a person first. */
import { useSignal } from "@preact/signals";
import { Fragment, type JSX } from "preact";
import { useRef } from "preact/hooks";
import { get, post } from "../api/client";
import type { AlertAnswer, LifelineId, Page } from "../api/types";
import { lifelineName, zoneName } from "../city/directory";
import { alerts, chosenLifeline, learnAlerts, lifelines, loaded, workOrders } from "../city/store";
import { Loading } from "../shell/marks";
import { KeyHelpButton } from "../shell/key-help";
import { Refusal, useDeed } from "../shell/trouble";
import { say, word } from "../words/language";
import { AlertRow } from "./alert-row";
import { useListKeys } from "./list-keys";

const STATE_ORDER = { open: 0, acknowledged: 1, cleared: 2 };
const PAGE_LENGTH = 50;

/** Open before cleared; among the open the worst first, a real one before a
 * device's fault; then the newest. */
export function byUrgency(a: AlertAnswer, b: AlertAnswer): number {
  const ended = (alert: AlertAnswer): number => (alert.state === "cleared" ? 1 : 0);
  const newest = Date.parse(b.started_at) - Date.parse(a.started_at);
  if (ended(a) || ended(b)) return ended(a) - ended(b) || newest;
  const faults = Number(a.sensor_fault) - Number(b.sensor_fault);
  return b.highest_severity - a.highest_severity || faults || STATE_ORDER[a.state] - STATE_ORDER[b.state] || newest;
}

/** Reads older alerts page by page into the store. */
function useOlder(): { start: () => void; more: (() => void) | null; deed: ReturnType<typeof useDeed> } {
  const deed = useDeed();
  const cursor = useSignal<string | null | undefined>(undefined);
  const read = (): void => {
    void deed.run(async () => {
      const page = await get<Page<AlertAnswer>>("alerts", { limit: PAGE_LENGTH, cursor: cursor.value });
      learnAlerts(page.items);
      cursor.value = page.next ?? null;
    });
  };
  const start = (): void => {
    cursor.value = undefined;
    read();
  };
  return { start, more: cursor.value ? read : null, deed };
}

/** What an empty list says; a city with work still open is not called quiet. */
function none(every: boolean): string {
  if (every) return word("alerts.none");
  const orders = workOrders.value.size;
  return orders ? word("alerts.none.orders", { count: orders }) : word("alerts.none.open");
}

const GROUPINGS = ["none", "lifeline", "zone", "kind"] as const;
type Grouping = (typeof GROUPINGS)[number];
/** So few alerts are seen at once and need no groups. */
const FEW = 5;

const GROUP_NAME: Record<Grouping, (alert: AlertAnswer) => string> = {
  none: () => "",
  lifeline: (alert) => lifelineName(alert.lifeline),
  zone: (alert) => zoneName(alert.zone),
  kind: (alert) => say(alert.kind_label),
};

/** The alerts by what they share; the group with the most urgent one comes first. */
function grouped(alerts: readonly AlertAnswer[], by: Grouping): { name: string; alerts: AlertAnswer[] }[] {
  const groups = new Map<string, AlertAnswer[]>();
  for (const alert of alerts) {
    const name = GROUP_NAME[by](alert);
    groups.set(name, [...(groups.get(name) ?? []), alert]);
  }
  return [...groups].map(([name, group]) => ({ name, alerts: group }));
}

export function AlertList(): JSX.Element {
  const grouping = useSignal<Grouping>("none");
  const every = useSignal(false);
  const older = useOlder();
  const list = useRef<HTMLElement>(null);
  const taking = useDeed();
  const said = useSignal("");
  const acknowledge = (id: string): void => {
    const alert = alerts.value.get(id);
    said.value = "";
    if (!alert?.moves.includes("acknowledge")) {
      said.value = word("keys.not-now");
      return;
    }
    void taking.run(async () => {
      learnAlerts([await post<AlertAnswer>(`alerts/${id}/acknowledge`, {})]);
      said.value = word("keys.acknowledged", { alert: say(alert.kind_label), asset: say(alert.asset_name) });
    });
  };
  useListKeys(list, acknowledge);
  const chosen = chosenLifeline.value;
  const inLifeline = [...alerts.value.values()].filter((alert) => !chosen || alert.lifeline === chosen);
  const open = inLifeline.filter((alert) => alert.state !== "cleared");
  const shown = (every.value ? inLifeline : open).sort(byUrgency);
  const show = (all: boolean): void => {
    every.value = all;
    if (all) older.start();
  };
  const narrow = (lifeline: string): void => {
    chosenLifeline.value = (lifeline || null) as LifelineId | null;
  };
  return (
    <section ref={list} class="panel alert-list" aria-label={word("alerts")} data-testid="alert-list">
      <div class="panel-head">
        <h2>
          {word("alerts")} <span class="count">{open.length}</span>
        </h2>
        <select
          aria-label={word("filter.lifeline")}
          data-testid="lifeline-filter"
          value={chosen ?? ""}
          onChange={(event) => narrow(event.currentTarget.value)}
        >
          <option value="">{word("lifelines.every")}</option>
          {lifelines.value.map((lifeline) => (
            <option key={lifeline.id} value={lifeline.id}>
              {say(lifeline.label)}
            </option>
          ))}
        </select>
        <div class="choice" role="group" aria-label={word("filter.state")}>
          <button type="button" aria-pressed={!every.value} data-testid="show-open" onClick={() => show(false)}>
            {word("alerts.open")}
          </button>
          <button type="button" aria-pressed={every.value} data-testid="show-all" onClick={() => show(true)}>
            {word("alerts.all")}
          </button>
        </div>
        <KeyHelpButton />
      </div>
      <p class={said.value ? "list-said" : "unseen"} role="status" data-testid="list-said">
        {said.value}
      </p>
      {shown.length > FEW && (
        <label class="list-group">
          {word("group")}
          <select value={grouping.value} data-testid="alert-grouping" onChange={(event) => (grouping.value = event.currentTarget.value as Grouping)}>
            {GROUPINGS.map((one) => (
              <option key={one} value={one}>
                {word(`group.${one}`)}
              </option>
            ))}
          </select>
        </label>
      )}
      {taking.refusal && <Refusal deed={taking} />}
      <div class="panel-body">
        {!loaded.value.has("alerts") && <Loading />}
        {loaded.value.has("alerts") && !shown.length && (
          <p class="quiet pad" data-testid="alerts-none">
            {none(every.value)}
          </p>
        )}
        {grouped(shown, grouping.value).map(({ name, alerts: group }) => (
          <Fragment key={name}>
            {name && (
              <h3 class="group-name" data-testid="alert-group">
                {name} <span class="count">{group.length}</span>
              </h3>
            )}
            <ul class="rows" aria-live="polite" aria-relevant="additions">
              {group.map((alert) => (
                <AlertRow key={alert.id} alert={alert} />
              ))}
            </ul>
          </Fragment>
        ))}
        <Refusal deed={older.deed} />
        {every.value && older.more && (
          <button type="button" class="more" onClick={older.more}>
            {word("alerts.more")}
          </button>
        )}
      </div>
    </section>
  );
}
