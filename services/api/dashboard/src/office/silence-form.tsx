/** Asks what is to be kept quiet, until when, and why; shows which open alerts it would take. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { post } from "../api/client";
import type { Matcher } from "../api/office";
import type { LifelineId } from "../api/types";
import { assetName } from "../city/directory";
import { assets, openAlerts, sensors } from "../city/store";
import { Refusal, useDeed } from "../shell/trouble";
import { say, word } from "../words/language";
import { fromField, toField } from "./local-time";
import { fits } from "./matcher";
import { RECURRENCES, recurrenceText } from "./recurrence";
import { KindSelect, LifelineSelect, ZoneSelect } from "./scope-selects";

const HOUR_MS = 3_600_000;
const USUAL_HOURS = 4;
/** A list of suggestions longer than this helps nobody and slows the page. */
const MOST_SUGGESTED = 200;
const KINDS = ["silence", "maintenance"] as const;

interface Draft {
  kind: (typeof KINDS)[number];
  matcher: Record<keyof Matcher, string>;
  starts: string;
  ends: string;
  recurrence: string;
  mutesTo: number;
  records: boolean;
  reason: string;
}

function fresh(): Draft {
  return {
    kind: "silence",
    matcher: { lifeline: "", zone: "", asset: "", kind: "", sensor: "" },
    starts: "",
    ends: toField(new Date(Date.now() + USUAL_HOURS * HOUR_MS)),
    recurrence: "",
    mutesTo: 3,
    records: true,
    reason: "",
  };
}

function asMatcher(given: Draft["matcher"]): Matcher {
  const or = (text: string): string | null => text.trim() || null;
  return {
    lifeline: (given.lifeline || null) as LifelineId | null,
    zone: or(given.zone),
    asset: or(given.asset),
    kind: or(given.kind),
    sensor: or(given.sensor),
  };
}

function Scope({ draft, change }: { draft: Draft; change: (part: Partial<Draft["matcher"]>) => void }): JSX.Element {
  const { lifeline, zone, asset, sensor } = draft.matcher;
  const places = assets.value.features
    .map((feature) => feature.properties)
    .filter((one) => (!lifeline || one.lifeline === lifeline) && (!zone || one.zone === zone))
    .filter((one) => !asset || one.id.includes(asset) || say(one.name).includes(asset));
  const devices = [...sensors.value.values()]
    .filter((one) => (!lifeline || one.lifeline === lifeline) && (!zone || one.zone === zone))
    .filter((one) => (!asset || one.asset === asset) && (!sensor || one.id.includes(sensor)));
  const chosen = (lifeline || null) as LifelineId | null;
  return (
    <div class="fields">
      <LifelineSelect value={chosen} testid="silence-lifeline" change={(one) => change({ lifeline: one ?? "", zone: "", kind: "" })} />
      <ZoneSelect lifeline={chosen} value={zone} testid="silence-zone" change={(one) => change({ zone: one ?? "" })} />
      <KindSelect lifeline={chosen} value={draft.matcher.kind} testid="silence-kind-of-alert" change={(one) => change({ kind: one ?? "" })} />
      <label>
        {word("sensor.asset")}
        <input
          list="silence-assets"
          maxLength={300}
          autoComplete="off"
          data-testid="silence-asset"
          placeholder={word("every")}
          value={asset}
          onInput={(event) => change({ asset: event.currentTarget.value })}
        />
        <datalist id="silence-assets">
          {places.slice(0, MOST_SUGGESTED).map((one) => (
            <option key={one.id} value={one.id}>
              {assetName(one.id)}
            </option>
          ))}
        </datalist>
      </label>
      <label>
        {word("sensor")}
        <input
          list="silence-sensors"
          maxLength={300}
          autoComplete="off"
          data-testid="silence-sensor"
          placeholder={word("every")}
          value={sensor}
          onInput={(event) => change({ sensor: event.currentTarget.value })}
        />
        <datalist id="silence-sensors">
          {devices.slice(0, MOST_SUGGESTED).map((one) => (
            <option key={one.id} value={one.id} />
          ))}
        </datalist>
      </label>
    </div>
  );
}

function Span({ draft, change }: { draft: Draft; change: (part: Partial<Draft>) => void }): JSX.Element {
  return (
    <div class="fields">
      <label>
        {word("silence.from")}
        <input type="datetime-local" data-testid="silence-starts" value={draft.starts} onInput={(event) => change({ starts: event.currentTarget.value })} />
        <small class="quiet">{word("silence.from.hint")}</small>
      </label>
      <label>
        {word("silence.until")}
        <input
          type="datetime-local"
          required
          data-testid="silence-ends"
          value={draft.ends}
          onInput={(event) => change({ ends: event.currentTarget.value })}
        />
      </label>
      {draft.kind === "maintenance" && (
        <label>
          {word("silence.recurrence")}
          <select value={draft.recurrence} data-testid="silence-recurrence" onChange={(event) => change({ recurrence: event.currentTarget.value })}>
            <option value="">{word("recurrence.once")}</option>
            {Object.keys(RECURRENCES).map((rule) => (
              <option key={rule} value={rule}>
                {recurrenceText(rule)}
              </option>
            ))}
          </select>
        </label>
      )}
      <label>
        {word("silence.mutes-to")}
        <select value={draft.mutesTo} data-testid="silence-mutes-to" onChange={(event) => change({ mutesTo: Number(event.currentTarget.value) })}>
          {([1, 2, 3, 4] as const).map((severity) => (
            <option key={severity} value={severity}>
              {word(`severity.${severity}`)}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

export function SilenceForm({ changed }: { changed: () => void }): JSX.Element {
  const deed = useDeed();
  const draft = useSignal<Draft | null>(null);
  if (!draft.value) {
    return (
      <button type="button" class="primary begin" data-testid="silence-add" onClick={() => (draft.value = fresh())}>
        {word("silence.add")}
      </button>
    );
  }
  const now = draft.value;
  // From the newest draft: two fields may change before the page is drawn again.
  const change = (part: Partial<Draft>): void => void (draft.value = { ...(draft.value ?? now), ...part });
  const narrow = (part: Partial<Draft["matcher"]>): void => change({ matcher: { ...(draft.value ?? now).matcher, ...part } });
  const matcher = asMatcher(now.matcher);
  const given = Object.values(matcher).some(Boolean);
  const taken = openAlerts.value.filter((alert) => fits(matcher, alert));
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const wanted = {
      kind: now.kind,
      matcher,
      starts_at: fromField(now.starts),
      ends_at: fromField(now.ends),
      recurrence: now.kind === "maintenance" && now.recurrence ? now.recurrence : null,
      mutes_to: now.mutesTo,
      records: now.kind === "maintenance" ? now.records : true,
      reason: now.reason.trim(),
    };
    if (await deed.run(() => post("silences", wanted))) draft.value = null;
    changed();
  };
  return (
    <form class="deed boxed" onSubmit={(event) => void submit(event)} data-testid="silence-form">
      <div class="choice" role="group" aria-label={word("silence.kind")}>
        {KINDS.map((kind) => (
          <button key={kind} type="button" aria-pressed={now.kind === kind} data-testid={`silence-kind-${kind}`} onClick={() => change({ kind })}>
            {word(`silence.kind.${kind}`)}
          </button>
        ))}
      </div>
      <p class="quiet">{word(`silence.kind.${now.kind}.meaning`)}</p>
      <Scope draft={now} change={narrow} />
      <Span draft={now} change={change} />
      {now.kind === "maintenance" && (
        <label class="check">
          <input
            type="checkbox"
            data-testid="silence-records"
            checked={!now.records}
            onChange={(event) => change({ records: !event.currentTarget.checked })}
          />{" "}
          {word("silence.records-not")}
        </label>
      )}
      <label>
        {word("verdict.reason")}
        <textarea
          rows={2}
          maxLength={2000}
          required
          data-testid="silence-reason"
          placeholder={word("silence.reason.hint")}
          value={now.reason}
          onInput={(event) => change({ reason: event.currentTarget.value })}
        />
      </label>
      <p role="status" data-testid="silence-takes">
        {given ? word("silence.takes", { count: taken.length }) : word("silence.takes.nothing")}
      </p>
      <div class="row">
        <button type="submit" class="primary" disabled={deed.busy || !given} data-testid="silence-save">
          {word("silence.save")}
        </button>
        <button type="button" onClick={() => (draft.value = null)}>
          {word("cancel")}
        </button>
      </div>
      <Refusal deed={deed} />
    </form>
  );
}
