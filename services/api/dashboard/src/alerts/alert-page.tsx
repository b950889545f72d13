/** One alert on one page: what, where, how sure, why, and what next. */
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { isGone, useAnswer } from "../api/use-answer";
import type { AlertDetailAnswer, NotificationAnswer, Page, WarningAnswer, WorkOrderAnswer } from "../api/types";
import { useDirectory } from "../city/directory";
import { onNews } from "../city/live";
import { learnAlerts } from "../city/store";
import { TraceMap } from "../map/lazy-maps";
import { Loading } from "../shell/marks";
import { usePageKey } from "../shell/page-key";
import { Trouble } from "../shell/trouble";
import { word } from "../words/language";
import { AlertCharts } from "./alert-charts";
import { AlertHead } from "./alert-head";
import { DetectorScore } from "./detector-score";
import { DispatchButton } from "./dispatch-button";
import { Findings } from "./findings";
import { SimilarCases } from "./similar-cases";
import { Timeline } from "./timeline";
import { TracePanel } from "./trace-panel";
import { QuietPanel } from "./quiet-panel";
import { NewNormalPanel } from "./new-normal-panel";
import { VerdictPanel } from "./verdict-panel";
import { WarningPanel } from "./warning-panel";
import { WorkOrderPanel } from "./work-order-panel";

/** News about one alert often come in threes (alert, warning, order); they are read once. */
const TOGETHER_MS = 300;

/** Runs `again` shortly after something of this alert changed. */
function useNews(id: string, again: () => void): void {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = onNews((news) => {
      if ((news.event === "alert" ? news.body.id : news.body.alert) !== id) return;
      clearTimeout(timer);
      timer = setTimeout(again, TOGETHER_MS);
    });
    return () => (stop(), clearTimeout(timer));
  }, [id, again]);
}

function Next({ alert, changed }: { alert: AlertDetailAnswer; changed: () => void }): JSX.Element {
  const warning = useAnswer<WarningAnswer>(alert.warning && `warnings/${alert.warning}`);
  const order = useAnswer<WorkOrderAnswer>(alert.work_order && `work-orders/${alert.work_order}`);
  const sent = useAnswer<Page<NotificationAnswer>>(alert.warning && "notifications", { subject: alert.warning });
  const all = (): void => {
    changed();
    warning.again();
    order.again();
    sent.again();
  };
  useNews(alert.id, all);
  const ordered = (
    <section class="panel" aria-label={word("order")}>
      <h2>{word("order")}</h2>
      {alert.work_order && order.problem && !order.answer && <Trouble problem={order.problem} again={order.again} />}
      {alert.work_order && order.answer && <WorkOrderPanel order={order.answer} changed={all} />}
      {!alert.work_order && <p class="quiet">{word("order.none")}</p>}
      {!alert.work_order && alert.state !== "cleared" && <DispatchButton alert={alert} changed={all} />}
    </section>
  );
  return (
    <>
      {alert.work_order && ordered}
      <section class="panel" aria-label={word("warning")}>
        <h2>{word("warning")}</h2>
        {warning.problem && !warning.answer && <Trouble problem={warning.problem} again={warning.again} />}
        <WarningPanel
          alert={alert}
          warning={alert.warning ? warning.answer : null}
          sent={sent.answer?.items ?? []}
          order={order.answer}
          changed={all}
        />
      </section>
      {!alert.work_order && ordered}
      <section class="panel" aria-label={word("verdict")}>
        <h2>{word("verdict")}</h2>
        <DetectorScore alert={alert.id} />
        <VerdictPanel alert={alert} changed={all} />
        <NewNormalPanel alert={alert} changed={all} />
        <QuietPanel alert={alert} changed={all} />
      </section>
    </>
  );
}

export function AlertPage({ id }: { id: string }): JSX.Element {
  const { answer: alert, problem, again } = useAnswer<AlertDetailAnswer>(`alerts/${encodeURIComponent(id)}`);
  useDirectory();
  usePageKey("u", () => (location.hash = "#/"));
  useEffect(() => {
    if (alert) learnAlerts([alert]);
  }, [alert]);
  if (!alert && problem) {
    return isGone(problem) ? <p class="trouble">{word("alert.gone")}</p> : <Trouble problem={problem} again={again} />;
  }
  if (!alert) return <Loading />;
  return (
    <article class={`alert-page severity-${alert.highest_severity}`} data-testid="alert-page" data-state={alert.state}>
      <AlertHead alert={alert} changed={again} />
      <div class="alert-why">
        <section class="panel" aria-label={word("sensor.history")}>
          <AlertCharts alert={alert} />
        </section>
        <section class="panel" aria-label={word("findings")}>
          <h2>
            {word("findings")} <span class="count">{alert.findings.length}</span>
          </h2>
          <Findings findings={alert.findings} unit={alert.unit} />
        </section>
        <SimilarCases alert={alert.id} />
        <section class="panel" aria-label={word("timeline")}>
          <h2>{word("timeline")}</h2>
          <Timeline entries={alert.timeline} />
        </section>
      </div>
      <div class="alert-where">
        <div class="map-room">
          <TraceMap alert={alert} />
        </div>
        <section class="panel" aria-label={word("trace")}>
          <h2>{word("trace")}</h2>
          <TracePanel trace={alert.trace} />
        </section>
      </div>
      <div class="alert-next">
        <Next alert={alert} changed={again} />
      </div>
    </article>
  );
}
