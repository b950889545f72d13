/** Keys that mean something on a page, unless they are meant for a field, a dialogue or the browser. */
import { useLayoutEffect, useRef } from "preact/hooks";

export function isForPage(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return false;
  const at = event.target instanceof Element ? event.target : null;
  return !at?.closest("input, textarea, select, dialog, [contenteditable]");
}

/** Runs `deed` whenever `key` is pressed while the component is shown. */
export function usePageKey(key: string, deed: () => void): void {
  const newest = useRef(deed);
  newest.current = deed;
  // Before the page is painted: what can be seen can be used.
  useLayoutEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.key === key && isForPage(event)) newest.current();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [key]);
}
