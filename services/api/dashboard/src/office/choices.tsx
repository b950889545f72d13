/** Some of several, each with its box. */
import type { JSX } from "preact";

interface Given<Id extends string> {
  legend: string;
  options: readonly { id: Id; name: string }[];
  chosen: readonly Id[];
  change: (chosen: Id[]) => void;
  /** Beginning of the test names of the boxes. */
  name: string;
  hint?: string;
}

export function Choices<Id extends string>({ legend, options, chosen, change, name, hint }: Given<Id>): JSX.Element {
  const choose = (id: Id, on: boolean): void => change(options.map((one) => one.id).filter((one) => (one === id ? on : chosen.includes(one))));
  return (
    <fieldset class="checks choices">
      <legend>{legend}</legend>
      {hint && <small class="quiet">{hint}</small>}
      {options.map((one) => (
        <label key={one.id} class="check">
          <input
            type="checkbox"
            data-testid={`${name}-${one.id}`}
            checked={chosen.includes(one.id)}
            onChange={(event) => choose(one.id, event.currentTarget.checked)}
          />
          {one.name}
        </label>
      ))}
    </fieldset>
  );
}
