/** The place of a table that may be wider than the screen: it scrolls by itself, by keyboard too. */
import type { ComponentChildren, JSX } from "preact";

export function WideTable({ label, children }: { label: string; children: ComponentChildren }): JSX.Element {
  return (
    <div class="table-scroll" role="group" aria-label={label} tabIndex={0}>
      {children}
    </div>
  );
}
