/** How many alerts people were told on each of the last days. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get } from "../api/client";
import type { AlarmFiguresAnswer } from "../api/office";
import { Loading } from "../shell/marks";
import { day } from "../words/format";
import { word } from "../words/language";
import { Bars } from "./bars";

const DAYS = 7;

interface Day {
  start: Date;
  told: number;
  alerts: number;
}

/** The beginnings of the last days in the zone of the browser, today's last. */
function beginnings(now: Date): Date[] {
  return Array.from({ length: DAYS }, (_, place) => new Date(now.getFullYear(), now.getMonth(), now.getDate() - (DAYS - 1 - place)));
}

export function Days(): JSX.Element {
  const [days, keep] = useState<Day[] | null>(null);
  useEffect(() => {
    let here = true;
    const starts = beginnings(new Date());
    const asked = starts.map(async (start, place) => {
      const end = starts[place + 1] ?? new Date();
      const found = await get<AlarmFiguresAnswer>("alarm-figures", { start: start.toISOString(), end: end.toISOString() });
      return { start, told: found.told, alerts: found.alerts };
    });
    Promise.all(asked).then(
      (found) => here && keep(found),
      // The figures above say already that the service does not answer.
      () => undefined,
    );
    return () => void (here = false);
  }, []);
  if (!days) return <Loading />;
  return (
    <Bars
      testid="figure-days"
      bars={days.map((one) => ({
        key: one.start.toISOString(),
        name: day(one.start),
        value: one.told,
        said: word("figure.day.said", { told: one.told, alerts: one.alerts }),
      }))}
    />
  );
}
