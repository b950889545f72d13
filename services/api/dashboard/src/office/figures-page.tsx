/** The numbers the centre lives by: how much a person is asked, by what, how fast it goes, how often in vain. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import type { AlarmFiguresAnswer, ClockStep } from "../api/office";
import { useAnswer } from "../api/use-answer";
import { assetName, kindName } from "../city/directory";
import { useEvery } from "../records/use-every";
import { DocumentButton } from "../shell/document-button";
import { LifelineMark } from "../shell/marks";
import { WideTable } from "../shell/wide-table";
import { amount, duration, percent } from "../words/format";
import { word, wordFor } from "../words/language";
import { Bars } from "./bars";
import { Days } from "./figures-days";
import { OfficePage } from "./office-page";
import { type Band, ENOUGH_FOR_TOP_SHARE, falseShare, perTenMinutes, SEVERITY_SHARES, shares, TARGETS, topShare } from "./targets";

const HOUR_MS = 3_600_000;
const SPANS_H = [24, 168, 720] as const;
const STEPS: readonly ClockStep[] = ["acknowledged", "published", "received", "on_site", "under_control", "closed"];
const STORED = "lifeline.operators";

interface Tile {
  name: string;
  value: string;
  target: string;
  /** Null: nothing to judge. */
  good: boolean | null;
  testid: string;
}

function Figure({ name, value, target, good, testid }: Tile): JSX.Element {
  return (
    <div class={`figure ${good === false ? "beyond" : ""}`} data-testid={testid} data-good={good}>
      <dt>{name}</dt>
      <dd>
        <strong>{value}</strong> {good !== null && <span class="figure-sign">{good ? "✓" : "▲"} {word(good ? "figure.good" : "figure.beyond")}</span>}
        <small class="quiet">{target}</small>
      </dd>
    </div>
  );
}

function Figures({ figures, operators }: { figures: AlarmFiguresAnswer; operators: number }): JSX.Element {
  const rate = perTenMinutes(figures, operators);
  const top = topShare(figures);
  const wrong = falseShare(figures.verdicts);
  const enough = figures.alerts >= ENOUGH_FOR_TOP_SHARE;
  const judged = (value: number, limit: number): boolean | null => (figures.alerts ? value <= limit : null);
  return (
    <dl class="figures">
      <Figure
        name={word("figure.rate")}
        value={amount(rate)}
        target={word("figure.rate.target", { most: TARGETS.perTenMinutes, coped: TARGETS.copedWith })}
        good={judged(rate, TARGETS.perTenMinutes)}
        testid="figure-rate"
      />
      <Figure
        name={word("figure.busiest")}
        value={amount(figures.busiest)}
        target={word("figure.most", { most: TARGETS.busiest })}
        good={judged(figures.busiest, TARGETS.busiest)}
        testid="figure-busiest"
      />
      <Figure
        name={word("figure.flood")}
        value={percent(figures.in_flood)}
        target={word("figure.most", { most: percent(TARGETS.inFlood) })}
        good={judged(figures.in_flood, TARGETS.inFlood)}
        testid="figure-flood"
      />
      <Figure
        name={word("figure.told")}
        value={`${figures.told} / ${figures.alerts}`}
        target={word("figure.told.why")}
        good={null}
        testid="figure-told"
      />
      <Figure name={word("figure.warnings")} value={amount(figures.warnings)} target={word("figure.warnings.why")} good={null} testid="figure-warnings" />
      <Figure
        name={word("figure.false")}
        value={wrong === null ? "–" : percent(wrong)}
        target={word(wrong === null ? "figure.false.none" : "figure.false.why")}
        good={null}
        testid="figure-false"
      />
      <Figure
        name={word("figure.top")}
        value={top === null ? "–" : percent(top)}
        target={enough ? word("figure.most", { most: percent(TARGETS.topShare) }) : word("figure.top.few")}
        good={top === null || !enough ? null : top <= TARGETS.topShare}
        testid="figure-top"
      />
      <Figure
        name={word("figure.chattering")}
        value={amount(figures.chattering)}
        target={word("figure.most", { most: TARGETS.chattering })}
        good={judged(figures.chattering, TARGETS.chattering)}
        testid="figure-chattering"
      />
      <Figure
        name={word("figure.stale")}
        value={amount(figures.stale)}
        target={word("figure.most", { most: TARGETS.stale })}
        good={figures.stale <= TARGETS.stale}
        testid="figure-stale"
      />
    </dl>
  );
}

function Part({ title, children }: { title: string; children: ComponentChildren }): JSX.Element {
  return (
    <section class="boxed" aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

function Severities({ figures }: { figures: AlarmFiguresAnswer }): JSX.Element {
  const found = shares(figures);
  if (!found) return <p class="quiet">{word("figures.none")}</p>;
  const bands = Object.keys(SEVERITY_SHARES) as Band[];
  return (
    <>
      <Bars
        testid="figure-severities"
        most={1}
        bars={bars(bands, (band) => ({
          name: word(`band.${band}`),
          value: found[band],
          said: word("band.said", { share: percent(found[band]), target: percent(SEVERITY_SHARES[band]) }),
          target: SEVERITY_SHARES[band],
        }))}
      />
      <p class="quiet">{word("band.why")}</p>
    </>
  );
}

function bars<Key extends string, Made>(keys: readonly Key[], make: (key: Key) => Made): (Made & { key: Key })[] {
  return keys.map((key) => ({ key, ...make(key) }));
}

function Sources({ figures }: { figures: AlarmFiguresAnswer }): JSX.Element {
  if (!figures.top_sources.length) return <p class="quiet">{word("figures.none")}</p>;
  return (
    <Bars
      testid="figure-sources"
      bars={figures.top_sources.map((source) => ({
        key: `${source.lifeline} ${source.kind} ${source.asset}`,
        name: (
          <>
            <LifelineMark lifeline={source.lifeline} /> {assetName(source.asset)} <span class="quiet">{kindName(source.kind, source.lifeline)}</span>
          </>
        ),
        value: source.times,
        said: amount(source.times),
      }))}
    />
  );
}

function Clocks({ figures }: { figures: AlarmFiguresAnswer }): JSX.Element {
  const said = (seconds: number): string => duration(seconds * 1000);
  return (
    <WideTable label={word("figures.clocks")}>
      <table data-testid="figure-clocks">
        <thead>
          <tr>
            <th>{word("clock.step")}</th>
            <th class="number">{word("clock.count")}</th>
            <th class="number">{word("clock.median")}</th>
            <th class="number">{word("clock.ninth")}</th>
          </tr>
        </thead>
        <tbody>
          {STEPS.map((step) => {
            const clock = figures.clocks[step];
            return (
              <tr key={step}>
                <td>{word(`clock.${step}`)}</td>
                <td class="number">{clock ? clock.count : 0}</td>
                <td class="number nowrap">{clock ? said(clock.median_s) : "–"}</td>
                <td class="number nowrap">{clock ? said(clock.ninth_decile_s) : "–"}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </WideTable>
  );
}

function Verdicts({ figures }: { figures: AlarmFiguresAnswer }): JSX.Element {
  if (!figures.verdicts.length) return <p class="quiet">{word("figures.none")}</p>;
  return (
    <WideTable label={word("figures.verdicts")}>
      <table data-testid="figure-verdicts">
        <thead>
          <tr>
            <th>{word("silence.kind-of-alert")}</th>
            <th>{word("alert.detector")}</th>
            <th class="number">{word("verdict.false-alarm")}</th>
            <th class="number">{word("verdict.true-alarm")}</th>
            <th class="number">{word("figure.unjudged")}</th>
            <th class="number">{word("figure.false")}</th>
          </tr>
        </thead>
        <tbody>
          {figures.verdicts.map((one) => {
            const wrong = falseShare([one]);
            return (
              <tr key={`${one.detector} ${one.kind}`}>
                <td>{kindName(one.kind)}</td>
                <td>
                  <code>{one.detector}</code>
                </td>
                <td class="number">{one.false_alarms}</td>
                <td class="number">{one.true_alarms}</td>
                <td class="number">{one.unjudged}</td>
                <td class="number">{wrong === null ? "–" : percent(wrong)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </WideTable>
  );
}

function Quiet({ figures }: { figures: AlarmFiguresAnswer }): JSX.Element {
  const kinds = Object.keys(figures.suppressed);
  if (!kinds.length) return <p class="quiet">{word("figure.quiet.none")}</p>;
  return (
    <Bars
      testid="figure-quiet"
      bars={bars(kinds, (kind) => ({
        name: wordFor("quiet", kind),
        value: figures.suppressed[kind] ?? 0,
        said: amount(figures.suppressed[kind]),
      }))}
    />
  );
}

export function FiguresPage(): JSX.Element {
  const hours = useSignal<number>(24);
  const operators = useSignal(Math.max(1, Number(localStorage.getItem(STORED)) || 1));
  // To the minute, so that the address of the question does not change with every look.
  const end = Math.floor(Date.now() / 60_000) * 60_000 + 60_000;
  const span = { start: new Date(end - hours.value * HOUR_MS).toISOString(), end: new Date(end).toISOString() };
  const { answer, problem, again } = useAnswer<AlarmFiguresAnswer>("alarm-figures", span);
  useEvery(again);
  const count = (text: string): void => {
    operators.value = Math.min(50, Math.max(1, Math.round(Number(text)) || 1));
    localStorage.setItem(STORED, String(operators.value));
  };
  return (
    <OfficePage page="figures" loading={!answer} problem={problem} again={again}>
      <div class="row">
        <div class="choice" role="group" aria-label={word("span")}>
          {SPANS_H.map((span_h) => (
            <button key={span_h} type="button" aria-pressed={hours.value === span_h} data-testid={`figures-${span_h}`} onClick={() => (hours.value = span_h)}>
              {span_h === 24 ? word("span.24h") : word("span.days", { count: span_h / 24 })}
            </button>
          ))}
        </div>
        <label class="row">
          {word("figures.operators")}
          <input
            type="number"
            class="narrow"
            min={1}
            max={50}
            data-testid="figures-operators"
            value={operators.value}
            onChange={(event) => count(event.currentTarget.value)}
          />
        </label>
        <DocumentButton name="figures-report" path="alarm-figures/report" query={span} label={word("figures.report")} />
      </div>
      {answer && (
        <>
          <Figures figures={answer} operators={operators.value} />
          <div class="parts">
            <Part title={word("figures.days")}>
              <Days />
            </Part>
            <Part title={word("figures.severities")}>
              <Severities figures={answer} />
            </Part>
            <Part title={word("figures.sources")}>
              <Sources figures={answer} />
            </Part>
            <Part title={word("figures.clocks")}>
              <Clocks figures={answer} />
            </Part>
            <Part title={word("figures.verdicts")}>
              <Verdicts figures={answer} />
            </Part>
            <Part title={word("figures.quiet")}>
              <Quiet figures={answer} />
            </Part>
          </div>
          <p class="quiet">{word("figures.source")}</p>
        </>
      )}
    </OfficePage>
  );
}
