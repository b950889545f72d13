/** What is shown instead of an answer, and the line that tells how a deed went. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { isChangedMeanwhile, UnreachableError } from "../api/client";
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
  /** It was refused because somebody changed the thing since it was looked at. */
  overtaken: boolean;
  /** Does it; answers whether it was accepted. */
  run: (deed: () => Promise<unknown>) => Promise<boolean>;
}

/** One deed at a time, with the server's own words when it is refused. */
export function useDeed(): Deed {
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState("");
  const [overtaken, setOvertaken] = useState(false);
  const run = async (deed: () => Promise<unknown>): Promise<boolean> => {
    setBusy(true);
    setRefusal("");
    setOvertaken(false);
    try {
      await deed();
      return true;
    } catch (error) {
      const unreachable = error instanceof UnreachableError;
      setOvertaken(isChangedMeanwhile(error));
      setRefusal(unreachable ? word("unreachable") : word("refused", { detail: (error as Error).message }));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, refusal, overtaken, run };
}

/** `again` shows the thing as it is by now, where somebody else was faster. */
export function Refusal({ deed, again }: { deed: Deed; again?: () => void }): JSX.Element | null {
  if (deed.busy) return <p class="quiet">{word("working")}</p>;
  if (!deed.refusal) return null;
  if (deed.overtaken && again) {
    return (
      <p class="refusal" role="alert" data-testid="overtaken">
        {word("overtaken")}{" "}
        <button type="button" data-testid="overtaken-again" onClick={again}>
          {word("overtaken.again")}
        </button>
      </p>
    );
  }
  return (
    <p class="refusal" role="alert" data-testid="refusal">
      {deed.refusal}
    </p>
  );
}
