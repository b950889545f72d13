/** The frame of a map: its buttons, or the notice that it cannot be drawn. */
import type { Map as GlMap } from "maplibre-gl";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Opened } from "./base";
import { canDraw } from "./base";
import { language, word } from "../words/language";
import { theme } from "../shell/theme";

interface Frame {
  label: string;
  open: (container: HTMLElement) => Opened & { whole: () => void };
  children?: ComponentChildren;
}

const drawable = canDraw();

export function MapFrame({ label, open, children }: Frame): JSX.Element {
  const container = useRef<HTMLDivElement>(null);
  const opened = useRef<ReturnType<Frame["open"]> | null>(null);
  const [failed, setFailed] = useState(!drawable);
  // Signs and labels are drawn in the colours and words of the moment, so both draw the map anew.
  const [shownTheme, shownLanguage] = [theme.value, language.value];
  useEffect(() => {
    if (failed || !container.current) return undefined;
    try {
      opened.current = open(container.current);
    } catch {
      setFailed(true);
      return undefined;
    }
    return () => {
      opened.current?.close();
      opened.current = null;
    };
  }, [shownTheme, shownLanguage, failed]);
  if (failed) {
    return (
      <div class="map map-missing" data-testid="map-missing" role="note">
        <div>
          <strong>{word("map.missing")}</strong>
          <p>{word("map.missing.why")}</p>
        </div>
        {children}
      </div>
    );
  }
  const act = (on: (map: GlMap) => void) => () => opened.current && on(opened.current.map);
  return (
    <section class="map" aria-label={label} data-testid="map">
      <div class="map-canvas" ref={container} />
      <div class="map-buttons">
        <button type="button" title={word("map.closer")} aria-label={word("map.closer")} onClick={act((map) => map.zoomIn())}>
          +
        </button>
        <button type="button" title={word("map.farther")} aria-label={word("map.farther")} onClick={act((map) => map.zoomOut())}>
          −
        </button>
        <button type="button" title={word("map.whole")} aria-label={word("map.whole")} onClick={() => opened.current?.whole()}>
          ⤢
        </button>
      </div>
      {children}
    </section>
  );
}
