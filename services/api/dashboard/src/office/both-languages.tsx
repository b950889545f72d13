/** The same words twice: once in English, once in Chinese. */
import type { JSX, TargetedEvent } from "preact";
import type { Text } from "../api/types";
import { word } from "../words/language";

type Typed = TargetedEvent<HTMLInputElement | HTMLTextAreaElement>;

interface Given {
  what: string;
  text: Text;
  change: (text: Text) => void;
  /** Beginning of the test names. */
  name: string;
  required: boolean;
  long?: boolean;
}

export function BothLanguages({ what, text, change, name, required, long = false }: Given): JSX.Element {
  const Field = long ? "textarea" : "input";
  // Whoever writes in one language writes in both: the service never shows half a text.
  const needed = required || text.en !== "" || text.zh !== "";
  return (
    <>
      <label class={long ? "wide" : undefined}>
        {word("in-english", { what })}
        <Field
          required={needed}
          maxLength={2000}
          lang="en"
          data-testid={`${name}-en`}
          value={text.en}
          onInput={(event: Typed) => change({ ...text, en: event.currentTarget.value })}
        />
      </label>
      <label class={long ? "wide" : undefined}>
        {word("in-chinese", { what })}
        <Field
          required={needed}
          maxLength={2000}
          lang="zh-CN"
          data-testid={`${name}-zh`}
          value={text.zh}
          onInput={(event: Typed) => change({ ...text, zh: event.currentTarget.value })}
        />
      </label>
    </>
  );
}
