/** Horizontal bars with their numbers beside them: the number is read, the bar is seen. */
import type { ComponentChildren, JSX } from "preact";

export interface Bar {
  key: string;
  name: ComponentChildren;
  value: number;
  /** How the value is said. */
  said: string;
  /** Where it should be, on the same scale. */
  target?: number;
  /** Beyond what it should be. */
  beyond?: boolean;
}

export function Bars({ bars, most, testid }: { bars: readonly Bar[]; most?: number; testid: string }): JSX.Element {
  const whole = most ?? Math.max(1e-9, ...bars.flatMap((bar) => [bar.value, bar.target ?? 0]));
  const share = (value: number): string => `${Math.min(100, (100 * value) / whole)}%`;
  return (
    <ul class="bars" data-testid={testid}>
      {bars.map((bar) => (
        <li key={bar.key} data-key={bar.key}>
          <span class="bar-name">{bar.name}</span>
          <span class="bar-track" aria-hidden="true">
            <span class={`bar-value${bar.beyond ? " beyond" : ""}`} style={{ width: share(bar.value) }} />
            {bar.target !== undefined && <span class="bar-target" style={{ left: share(bar.target) }} />}
          </span>
          <span class="bar-number">
            {bar.beyond && <span aria-hidden="true">▲ </span>}
            {bar.said}
          </span>
        </li>
      ))}
    </ul>
  );
}
