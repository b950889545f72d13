/** Writes other limits for a sensor, and shows what they would have told before they count. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { post, put } from "../api/client";
import type { SensorAnswer, SensorThresholdsAnswer, Severity, ThresholdTrialAnswer } from "../api/types";
import { useOpenedForm } from "../shell/opened-form";
import { Refusal, useDeed } from "../shell/trouble";
import { WideTable } from "../shell/wide-table";
import { unitText } from "../words/format";
import { word, wordFor } from "../words/language";
import { ThresholdsTrial } from "./thresholds-trial";
import { draftOf, type GradeDraft, isWhole, limitsOf, oneMore } from "./thresholds-draft";

const SEVERITIES: readonly Severity[] = [1, 2, 3, 4];
const MOST_GRADES = 16;
const WEEK_MIN = 7 * 24 * 60;

interface Cell {
  label: string;
  value: number | null;
  change: (value: number | null) => void;
  testid?: string;
  least?: number;
  most?: number;
}

function NumberCell({ label, value, change, testid, least, most }: Cell): JSX.Element {
  return (
    <td>
      <input
        class="minutes"
        type="number"
        step="any"
        required
        min={least}
        max={most}
        aria-label={label}
        data-testid={testid}
        value={value ?? ""}
        onInput={(event) => change(Number.isNaN(event.currentTarget.valueAsNumber) ? null : event.currentTarget.valueAsNumber)}
      />
    </td>
  );
}

interface Row {
  grade: GradeDraft;
  unit: string;
  number: number;
  change: (part: Partial<GradeDraft>) => void;
  leave: (() => void) | null;
}

function GradeRow({ grade, unit, number, change, leave }: Row): JSX.Element {
  const named = (what: string): string => `${number}: ${what}`;
  return (
    <tr data-testid="threshold-row">
      <td>
        <select
          aria-label={named(word("rule.severity"))}
          value={grade.severity}
          onChange={(event) => change({ severity: Number(event.currentTarget.value) as Severity })}
        >
          {SEVERITIES.map((severity) => (
            <option key={severity} value={severity}>
              {wordFor("severity", String(severity))}
            </option>
          ))}
        </select>
      </td>
      <td>
        <select
          aria-label={named(word("threshold.side"))}
          value={grade.side}
          onChange={(event) => change({ side: event.currentTarget.value as GradeDraft["side"] })}
        >
          <option value="above">{word("threshold.side.above")}</option>
          <option value="below">{word("threshold.side.below")}</option>
        </select>
      </td>
      <NumberCell
        label={named(`${word("sensor.threshold.raise")}, ${unit}`)}
        value={grade.raiseAt}
        change={(raiseAt) => change({ raiseAt })}
        testid={`threshold-raise-${number}`}
      />
      <NumberCell
        label={named(`${word("sensor.threshold.clear")}, ${unit}`)}
        value={grade.clearAt}
        change={(clearAt) => change({ clearAt })}
        testid={`threshold-clear-${number}`}
      />
      <NumberCell
        label={named(word("threshold.on-delay"))}
        value={grade.onDelayMin}
        change={(minutes) => change({ onDelayMin: minutes ?? 0 })}
        least={0}
        most={WEEK_MIN}
      />
      <NumberCell
        label={named(word("threshold.off-delay"))}
        value={grade.offDelayMin}
        change={(minutes) => change({ offDelayMin: minutes ?? 0 })}
        least={0}
        most={WEEK_MIN}
      />
      <td>
        {leave && (
          <button type="button" class="link" aria-label={named(word("threshold.leave-out"))} onClick={leave}>
            {word("threshold.leave-out")}
          </button>
        )}
      </td>
    </tr>
  );
}

interface Form {
  sensor: SensorAnswer;
  path: string;
  kept: SensorThresholdsAnswer;
  done: () => void;
  again: () => void;
}

export function ThresholdsForm({ sensor, path, kept, done, again }: Form): JSX.Element {
  const deed = useDeed();
  const form = useOpenedForm();
  const grades = useSignal<GradeDraft[]>(draftOf(kept.in_force));
  const reason = useSignal("");
  const trial = useSignal<ThresholdTrialAnswer | null>(null);
  const unit = unitText(kept.unit);
  const rewrite = (written: GradeDraft[]): void => {
    grades.value = written;
    // What was tried is not what is written any more.
    trial.value = null;
  };
  const change = (index: number, part: Partial<GradeDraft>): void =>
    rewrite(grades.value.map((grade, each) => (each === index ? { ...grade, ...part } : grade)));
  const limits = () => limitsOf(grades.value, kept.in_force, word("threshold.source.hand"));
  const look = (): Promise<boolean> =>
    deed.run(async () => {
      trial.value = await post<ThresholdTrialAnswer>(`${path}/trial`, { thresholds: limits() });
    });
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const wanted = JSON.stringify({ thresholds: limits(), reason: reason.value.trim() });
    if (await deed.run(() => put(path, wanted, "application/json", kept.version))) {
      again();
      done();
    }
  };
  return (
    <form ref={form} class="deed boxed" onSubmit={(event) => void submit(event)} data-testid="thresholds-form">
      <h3>{word("threshold.write.of", { sensor: sensor.id })}</h3>
      <WideTable label={word("threshold.write.of", { sensor: sensor.id })}>
        <table>
          <thead>
            <tr>
              <th>{word("rule.severity")}</th>
              <th>{word("threshold.side")}</th>
              <th>{`${word("sensor.threshold.raise")}, ${unit}`}</th>
              <th>{`${word("sensor.threshold.clear")}, ${unit}`}</th>
              <th>{word("threshold.on-delay")}</th>
              <th>{word("threshold.off-delay")}</th>
              <td />
            </tr>
          </thead>
          <tbody>
            {grades.value.map((grade, index) => (
              <GradeRow
                key={index}
                grade={grade}
                unit={unit}
                number={index + 1}
                change={(part) => change(index, part)}
                leave={grades.value.length > 1 ? () => rewrite(grades.value.filter((_, each) => each !== index)) : null}
              />
            ))}
          </tbody>
        </table>
      </WideTable>
      <div class="row">
        <button type="button" disabled={grades.value.length >= MOST_GRADES} onClick={() => rewrite(oneMore(grades.value))}>
          {word("threshold.one-more")}
        </button>
        <button
          type="button"
          disabled={deed.busy || !isWhole(grades.value)}
          data-testid="thresholds-try"
          onClick={() => void look()}
        >
          {word("threshold.try")}
        </button>
      </div>
      {trial.value && <ThresholdsTrial sensor={sensor} trial={trial.value} limits={limits()} />}
      <label>
        {word("verdict.reason")}
        <textarea
          rows={2}
          maxLength={2000}
          required
          data-testid="thresholds-reason"
          value={reason.value}
          onInput={(event) => (reason.value = event.currentTarget.value)}
        />
      </label>
      <p class="quiet">{word(trial.value ? "threshold.save.meaning" : "threshold.try.first")}</p>
      <div class="row">
        <button type="submit" disabled={deed.busy || !trial.value} data-testid="thresholds-save">
          {word("threshold.save")}
        </button>
        <button type="button" onClick={done}>
          {word("cancel")}
        </button>
      </div>
      <Refusal
        deed={deed}
        again={() => {
          again();
          done();
        }}
      />
    </form>
  );
}
