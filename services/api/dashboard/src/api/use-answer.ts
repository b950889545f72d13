/** An answer of the API inside a page: loading, there, refused; and how to read it again. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { get, type Query, RefusedError, UnreachableError } from "./client";

export interface Asked<Answer> {
  answer: Answer | null;
  problem: Error | null;
  again: () => void;
}

/** Reads `path` (null: nothing) and keeps the last good answer while a newer one is on its way. */
export function useAnswer<Answer>(path: string | null, query: Query = {}): Asked<Answer> {
  const [answer, keep] = useState<Answer | null>(null);
  const [problem, blame] = useState<Error | null>(null);
  const turn = useRef(0);
  const asked = JSON.stringify(query);
  const again = useCallback(() => {
    // Answers may overtake one another; only the one asked for last counts.
    const mine = ++turn.current;
    if (path === null) return keep(null);
    get<Answer>(path, JSON.parse(asked) as Query).then(
      (got) => mine === turn.current && (keep(() => got), blame(null)),
      (error: unknown) => mine === turn.current && blame(error instanceof Error ? error : new Error(String(error))),
    );
  }, [path, asked]);
  useEffect(() => {
    again();
    return () => void (turn.current += 1);
  }, [again]);
  return { answer, problem, again };
}

export function isGone(problem: Error | null): boolean {
  return problem instanceof RefusedError && [404, 422].includes(problem.problem.status);
}

export { RefusedError, UnreachableError };
