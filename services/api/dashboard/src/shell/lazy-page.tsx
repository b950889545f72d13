/** A page whose code is fetched when it is first opened, so that a phone in the field never loads the map. */
import type { ComponentType, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { word } from "../words/language";
import { Loading } from "./marks";

export function lazily<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  let known: ComponentType<Props> | null = null;
  return function LazyPage(props: Props): JSX.Element {
    const [Page, show] = useState<ComponentType<Props> | null>(() => known);
    const [missing, miss] = useState(false);
    useEffect(() => {
      if (Page) return;
      load().then(
        (loaded) => show(() => (known = loaded)),
        () => miss(true),
      );
    }, [Page]);
    if (Page) return <Page {...props} />;
    if (!missing) return <Loading />;
    return (
      <p class="trouble" role="alert" data-testid="page-missing">
        {word("page.missing")}{" "}
        <button type="button" onClick={() => location.reload()}>
          {word("retry")}
        </button>
      </p>
    );
  };
}
