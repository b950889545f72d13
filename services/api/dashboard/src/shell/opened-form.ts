/** A form that opens in the place of a button: the keyboard goes into it with the person, and is not lost when it closes. */
import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

export function useOpenedForm(): RefObject<HTMLFormElement | null> {
  const form = useRef<HTMLFormElement>(null);
  // Before the page is painted: a hand that is quick does not type into another field.
  useLayoutEffect(() => {
    form.current?.querySelector<HTMLElement>("input, select, textarea")?.focus();
    return () => {
      // The button that opened it is not there yet; from the page's beginning it is a few steps away.
      requestAnimationFrame(() => {
        if (document.activeElement === document.body) document.getElementById("content")?.focus({ preventScroll: true });
      });
    };
  }, []);
  return form;
}
