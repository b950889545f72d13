/** A moment with its year: for what may lie long ago or far ahead. */
import type { JSX } from "preact";
import { clock, utc } from "../words/format";

export function Dated({ at, empty }: { at: string | null; empty: string }): JSX.Element {
  if (!at) return <span class="quiet">{empty}</span>;
  return (
    <time dateTime={at} title={utc(at)}>
      {clock(new Date(at), "minute")}
    </time>
  );
}
