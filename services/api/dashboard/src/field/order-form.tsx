/** What a crew tells from an order: the next step, a measurement, a word, a photo. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import type { MeasurementAnswer } from "../api/disposal";
import type { WorkOrderAnswer } from "../api/types";
import { word } from "../words/language";
import { type FieldMove, newId } from "./deed";
import { doDeed } from "./outbox";
import { smallPhoto } from "./photo";

/** What crews measure by hand, with the unit their instruments show. */
const QUANTITIES = [
  ["methane", "%LEL"],
  ["hydrogen-sulfide", "ppm"],
  ["pressure", "kPa"],
  ["water-level", "cm"],
  ["flow", "m3/h"],
] as const;
/** A fix may take this long in a street between houses; the word goes without it then. */
const FIX_MS = 4_000;

function whereabouts(): Promise<[number, number] | null> {
  return new Promise((resolve) => {
    if (!("geolocation" in navigator)) return resolve(null);
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => resolve([coords.longitude, coords.latitude]),
      () => resolve(null),
      { timeout: FIX_MS, maximumAge: 60_000, enableHighAccuracy: true },
    );
  });
}

const now = (): string => new Date().toISOString();

export function NextStep({ order, move }: { order: WorkOrderAnswer; move: FieldMove }): JSX.Element {
  const text = useSignal("");
  const field = useRef<HTMLTextAreaElement>(null);
  const handsBack = move === "hand-back";
  const submit = (event: Event): void => {
    event.preventDefault();
    const said = text.value.trim();
    if (handsBack && !said) return field.current?.focus();
    void doDeed({ kind: "move", id: newId(), order: order.id, at: now(), move, text: said });
    text.value = "";
  };
  return (
    <form class="field-step" onSubmit={submit}>
      {handsBack && (
        <label>
          {word("order.feedback")}
          <textarea
            ref={field}
            rows={3}
            maxLength={3900}
            required
            data-testid="field-hand-back-text"
            placeholder={word("order.feedback.hint")}
            value={text.value}
            onInput={(event) => (text.value = event.currentTarget.value)}
          />
        </label>
      )}
      <button type="submit" class="primary" data-testid={`field-move-${move}`}>
        {word(`order.move.${move}`)}
      </button>
    </form>
  );
}

export function Tell({ order }: { order: WorkOrderAnswer }): JSX.Element {
  const quantity = useSignal<string>("");
  const value = useSignal("");
  const text = useSignal("");
  const unit = QUANTITIES.find(([name]) => name === quantity.value)?.[1] ?? "";
  const measured = (): MeasurementAnswer[] => {
    const number = Number(value.value.replace(",", "."));
    return quantity.value && value.value.trim() && Number.isFinite(number) ? [{ quantity: quantity.value, value: number, unit }] : [];
  };
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const measurements = measured();
    const [first] = measurements;
    const said = text.value.trim() || (first ? `${word(`field.quantity.${quantity.value as "methane"}`)} ${first.value} ${first.unit}` : "");
    if (!said) return;
    const at = now();
    value.value = text.value = "";
    await doDeed({ kind: "feedback", id: newId(), order: order.id, at, text: said, measurements, position: await whereabouts() });
  };
  return (
    <form class="field-tell" onSubmit={(event) => void submit(event)} data-testid="field-tell">
      <div class="field-measure">
        <label>
          {word("field.measured")}
          <select value={quantity.value} data-testid="field-quantity" onChange={(event) => (quantity.value = event.currentTarget.value)}>
            <option value="">–</option>
            {QUANTITIES.map(([name]) => (
              <option key={name} value={name}>
                {word(`field.quantity.${name}`)}
              </option>
            ))}
          </select>
        </label>
        <label>
          {word("field.value")} {unit}
          <input
            inputMode="decimal"
            disabled={!quantity.value}
            data-testid="field-value"
            value={value.value}
            onInput={(event) => (value.value = event.currentTarget.value)}
          />
        </label>
      </div>
      <label>
        {word("field.words")}
        <textarea
          rows={2}
          maxLength={4000}
          data-testid="field-words"
          value={text.value}
          onInput={(event) => (text.value = event.currentTarget.value)}
        />
      </label>
      <button type="submit" data-testid="field-tell-send">
        {word("field.tell")}
      </button>
    </form>
  );
}

export function PhotoButton({ order }: { order: WorkOrderAnswer }): JSX.Element {
  const unreadable = useSignal(false);
  const take = async (input: HTMLInputElement): Promise<void> => {
    const file = input.files?.[0];
    if (!file) return;
    unreadable.value = false;
    try {
      await doDeed({ kind: "photo", id: newId(), order: order.id, at: now(), photo: await smallPhoto(file) });
    } catch {
      unreadable.value = true;
    }
    input.value = "";
  };
  return (
    <label class="field-photo">
      <span>{word("field.photo.take")}</span>
      <input
        type="file"
        accept="image/*"
        capture="environment"
        data-testid="field-photo"
        onChange={(event) => void take(event.currentTarget)}
      />
      {unreadable.value && (
        <span class="refusal" role="alert">
          {word("field.photo.unreadable")}
        </span>
      )}
    </label>
  );
}
