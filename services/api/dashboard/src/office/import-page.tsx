/** A city folder in a zip: what it would change, what is wrong in it, and then exactly what was shown. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import type { RegisterChangeAnswer, RegisterImportAnswer } from "../api/access";
import { isChangedMeanwhile, postZip, RefusedError } from "../api/client";
import { Refusal, useDeed } from "../shell/trouble";
import { WideTable } from "../shell/wide-table";
import { word, wordFor } from "../words/language";
import { OfficePage } from "./office-page";

interface Fault {
  field: string;
  reason: string;
}

function sum(answer: RegisterImportAnswer, of: "added" | "changed"): number {
  return answer.parts.reduce((total, part) => total + part[of], 0);
}

function written(value: unknown): string {
  if (value === null || value === undefined) return "";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

function Parts({ answer, title }: { answer: RegisterImportAnswer; title: string }): JSX.Element {
  return (
    <WideTable label={title}>
      <table data-testid="import-parts">
        <caption>{title}</caption>
        <thead>
          <tr>
            <th scope="col">{word("import.part")}</th>
            <th scope="col" class="number">
              {word("import.added")}
            </th>
            <th scope="col" class="number">
              {word("import.changed")}
            </th>
            <th scope="col" class="number">
              {word("import.unchanged")}
            </th>
          </tr>
        </thead>
        <tbody>
          {answer.parts.map((part) => (
            <tr key={part.part} data-part={part.part}>
              <th scope="row">{wordFor("part", part.part)}</th>
              <td class="number">{part.added}</td>
              <td class="number">{part.changed}</td>
              <td class="number">{part.unchanged}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </WideTable>
  );
}

function ChangeRows({ change }: { change: RegisterChangeAnswer }): JSX.Element {
  const name = (
    <>
      {wordFor("part", change.part)} <b>{change.name}</b>
    </>
  );
  if (change.is_new) {
    const values = change.fields.filter(({ after }) => after !== null && after !== "");
    return (
      <tr data-change={change.name}>
        <td>{name}</td>
        <td>{word("import.new")}</td>
        <td />
        <td class="quiet">{values.map(({ field, after }) => `${field} ${written(after)}`).join(word("comma"))}</td>
      </tr>
    );
  }
  return (
    <>
      {change.fields.map(({ field, before, after }) => (
        <tr key={field} data-change={change.name}>
          <td>{name}</td>
          <td>{field}</td>
          <td>{written(before)}</td>
          <td>{written(after)}</td>
        </tr>
      ))}
    </>
  );
}

function Changes({ answer }: { answer: RegisterImportAnswer }): JSX.Element {
  return (
    <WideTable label={word("import.changes")}>
      <table data-testid="import-changes">
        <caption>{word("import.changes")}</caption>
        <thead>
          <tr>
            <th scope="col">{word("import.name")}</th>
            <th scope="col">{word("import.field")}</th>
            <th scope="col">{word("import.before")}</th>
            <th scope="col">{word("import.after")}</th>
          </tr>
        </thead>
        <tbody>
          {answer.changes.map((change) => (
            <ChangeRows key={`${change.part} ${change.name}`} change={change} />
          ))}
        </tbody>
      </table>
      {answer.more > 0 && <p class="quiet">{word("import.more", { more: answer.more })}</p>}
    </WideTable>
  );
}

function Faults({ faults }: { faults: Fault[] }): JSX.Element {
  return (
    <section role="alert" data-testid="import-faults">
      <p class="refusal">{word("import.faults", { faults: faults.length })}</p>
      <ul>
        {faults.map((fault, place) => (
          <li key={place}>
            <b>{fault.field}</b>: {fault.reason}
          </li>
        ))}
      </ul>
    </section>
  );
}

export function ImportPage(): JSX.Element {
  const deed = useDeed();
  const file = useRef<HTMLInputElement>(null);
  const zip = useSignal<File | null>(null);
  const preview = useSignal<RegisterImportAnswer | null>(null);
  const done = useSignal<RegisterImportAnswer | null>(null);
  const faults = useSignal<Fault[]>([]);
  const overtaken = useSignal(false);

  const forget = (): void => {
    preview.value = null;
    done.value = null;
    faults.value = [];
    overtaken.value = false;
  };
  const choose = (chosen: File | undefined): void => {
    forget();
    zip.value = chosen ?? null;
  };
  const send = (path: string, seen?: string): Promise<RegisterImportAnswer | null> =>
    postZip<RegisterImportAnswer>(path, zip.value as File, seen).catch((error: unknown) => {
      if (isChangedMeanwhile(error)) overtaken.value = true;
      else if (error instanceof RefusedError && error.problem.errors) faults.value = error.problem.errors;
      else throw error;
      return null;
    });
  const look = async (event?: Event): Promise<void> => {
    event?.preventDefault();
    if (!zip.value) return;
    forget();
    await deed.run(async () => (preview.value = await send("register/preview")));
  };
  const apply = async (): Promise<void> => {
    const seen = preview.value?.fingerprint;
    faults.value = [];
    await deed.run(async () => (done.value = await send("register/import", seen)));
    if (done.value || overtaken.value) preview.value = null;
  };
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    // The field shows what was dropped, as it shows what was chosen.
    if (file.current && event.dataTransfer) file.current.files = event.dataTransfer.files;
    choose(event.dataTransfer?.files[0]);
  };
  const shown = done.value ?? preview.value;

  return (
    <OfficePage page="import" loading={false} problem={null} again={() => undefined}>
      <form
        class="deed boxed"
        onSubmit={(event) => void look(event)}
        onDragOver={(event) => event.preventDefault()}
        onDrop={drop}
        data-testid="import-form"
      >
        <label class="wide">
          {word("import.file")}
          <input
            ref={file}
            type="file"
            accept=".zip,application/zip"
            data-testid="import-file"
            onChange={(event) => choose(event.currentTarget.files?.[0])}
          />
        </label>
        <button type="submit" disabled={deed.busy || !zip.value} data-testid="import-look">
          {word("import.look")}
        </button>
        <Refusal deed={deed} />
      </form>
      {overtaken.value && (
        <p class="refusal" role="alert" data-testid="import-overtaken">
          {word("import.overtaken")}{" "}
          <button type="button" disabled={deed.busy} data-testid="import-again" onClick={() => void look()}>
            {word("import.again")}
          </button>
        </p>
      )}
      {faults.value.length > 0 && <Faults faults={faults.value} />}
      {done.value && (
        <p class="said" role="status" data-testid="import-done">
          {word("import.done", { added: sum(done.value, "added"), changed: sum(done.value, "changed") })}
        </p>
      )}
      {shown && (
        <section data-testid="import-shown">
          {shown.ignored.length > 0 && <p>{word("import.ignored", { files: shown.ignored.join(word("comma")) })}</p>}
          {preview.value && !preview.value.changes.length && <p role="status">{word("import.same")}</p>}
          <Parts answer={shown} title={word(done.value ? "import.parts.done" : "import.parts")} />
          {preview.value && (
            <p>
              <button type="button" class="primary" disabled={deed.busy} data-testid="import-apply" onClick={() => void apply()}>
                {word("import.apply")}
              </button>
            </p>
          )}
          {shown.changes.length > 0 && <Changes answer={shown} />}
        </section>
      )}
    </OfficePage>
  );
}
