/** The alert list by keyboard: j and k move, a acknowledges, s puts aside; Enter follows the link as everywhere. */
import { useLayoutEffect, useRef } from "preact/hooks";
import type { RefObject } from "preact";
import { isForPage } from "../shell/page-key";

const STEPS: Readonly<Record<string, number>> = { j: 1, k: -1 };

function linksOf(list: HTMLElement | null): HTMLAnchorElement[] {
  return [...(list?.querySelectorAll<HTMLAnchorElement>("[data-alert] > a") ?? [])];
}

/** Listens for the page of the list `list`; `acknowledge` gets the alert that has the focus. */
export function useListKeys(list: RefObject<HTMLElement | null>, acknowledge: (alert: string) => void): void {
  const deed = useRef(acknowledge);
  deed.current = acknowledge;
  /** The alert the keyboard is at, which keeps the focus when the list is sorted anew. */
  const at = useRef<string | null>(null);
  useLayoutEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (!isForPage(event)) return;
      const links = linksOf(list.current);
      const place = links.findIndex((link) => link === document.activeElement);
      const step = STEPS[event.key];
      if (step !== undefined && links.length) {
        event.preventDefault();
        const first = step > 0 ? 0 : links.length - 1;
        const next = place < 0 ? first : Math.min(Math.max(place + step, 0), links.length - 1);
        links[next]?.focus();
        links[next]?.scrollIntoView({ block: "nearest" });
      } else if (event.key === "a" && place >= 0) {
        event.preventDefault();
        const alert = links[place]?.parentElement?.dataset["alert"];
        if (alert) deed.current(alert);
      } else if (event.key === "s" && place >= 0) {
        event.preventDefault();
        links[place]?.parentElement?.querySelector<HTMLButtonElement>("[data-testid='shelve']")?.click();
      }
    };
    const follow = (event: FocusEvent): void => {
      const row = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-alert]") : null;
      at.current = row?.dataset["alert"] ?? null;
    };
    // Whoever points elsewhere has left the list, also where nothing there takes the focus.
    const leave = (): void => void (at.current = null);
    addEventListener("keydown", press);
    addEventListener("focusin", follow);
    addEventListener("pointerdown", leave);
    return () => {
      removeEventListener("pointerdown", leave);
      removeEventListener("keydown", press);
      removeEventListener("focusin", follow);
    };
  }, [list]);
  useLayoutEffect(() => {
    // A row that moves within the list loses the focus in the browser; a person must not lose the place.
    if (at.current === null || document.activeElement !== document.body) return;
    linksOf(list.current)
      .find((link) => link.parentElement?.dataset["alert"] === at.current)
      ?.focus();
  });
}
