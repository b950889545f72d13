/** What is shown instead of an answer, and the line that tells how a deed went. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { UnreachableError } from "../api/client";
import { word } from "../words/language";

export function Trouble({ problem, again }: { problem: Error; again: () => void }): JSX.Element {
  return (
    <p class="trouble" role="alert" data-testid="trouble">
      {problem instanceof UnreachableError ? word("unreachable") : problem.message}{" "}
      <button type="button" onClick={again}>
        {word("retry")}
      </button>
    </p>
  );
}

export interface Deed {
  busy: boolean;
  refusal: string;
  /** Does it; answers whether it was accepted. */
  run: (deed: () => Promise<unknown>) => Promise<boolean>;
}

/** One deed at a time, with the server's own words when it is refused. */
export function useDeed(): Deed {
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState("");
  const run = async (deed: () => Promise<unknown>): Promise<boolean> => {
    setBusy(true);
    setRefusal("");
    try {
      await deed();
      return true;
    } catch (error) {
      const unreachable = error instanceof UnreachableError;
      setRefusal(unreachable ? word("unreachable") : word("refused", { detail: (error as Error).message }));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, refusal, run };
}

export function Refusal({ deed }: { deed: Deed }): JSX.Element | null {
  if (deed.busy) return <p class="quiet">{word("working")}</p>;
  if (!deed.refusal) return null;
  return (
    <p class="refusal" role="alert" data-testid="refusal">
      {deed.refusal}
    </p>
  );
}
