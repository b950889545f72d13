/** Reads a record page again while it is looked at. */
import { useEffect } from "preact/hooks";

const AGAIN_MS = 10_000;

export function useEvery(again: () => void): void {
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === "visible" && again(), AGAIN_MS);
    return () => clearInterval(timer);
  }, [again]);
}
