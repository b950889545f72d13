/** The few pages that belong together, above each of them. */
import type { JSX } from "preact";

export interface Neighbour {
  address: string;
  name: string;
  here: boolean;
  testid: string;
}

export function SubNavigation({ label, pages }: { label: string; pages: readonly Neighbour[] }): JSX.Element {
  return (
    <nav class="office-navigation" aria-label={label}>
      {pages.map(({ address, name, here, testid }) => (
        <a key={address} href={address} aria-current={here ? "page" : undefined} data-testid={testid}>
          {name}
        </a>
      ))}
    </nav>
  );
}
