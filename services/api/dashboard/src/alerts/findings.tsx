/** What the detectors claimed, newest first, with the numbers behind each claim. */
import { Fragment, type JSX } from "preact";
import type { FindingAnswer } from "../api/types";
import { SeverityMark, Time } from "../shell/marks";
import { WideTable } from "../shell/wide-table";
import { amount, withUnit } from "../words/format";
import { say, word, wordFor } from "../words/language";

/** The single numbers and words of the evidence; whole series of readings are what the chart is for. */
function singles(evidence: Record<string, unknown>, before = ""): [string, string][] {
  return Object.entries(evidence).flatMap(([name, value]): [string, string][] => {
    if (typeof value === "number") return [[before + name, amount(value)]];
    if (typeof value === "string" || typeof value === "boolean") return [[before + name, String(value)]];
    if (value === null || typeof value !== "object" || Array.isArray(value)) return [];
    return singles(value as Record<string, unknown>, `${before}${name}.`);
  });
}

function Numbers({ evidence }: { evidence: Record<string, unknown> }): JSX.Element | null {
  const entries = singles(evidence);
  if (!entries.length) return null;
  return (
    <details>
      <summary>{word("finding.numbers")}</summary>
      <dl class="numbers">
        {entries.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

export function Findings({ findings, unit }: { findings: readonly FindingAnswer[]; unit: string | null }): JSX.Element {
  if (!findings.length) return <p class="quiet">{word("findings.none")}</p>;
  const newest = [...findings].sort((a, b) => Date.parse(b.time) - Date.parse(a.time));
  return (
    <WideTable label={word("findings")}>
      <table data-testid="findings">
        <thead>
          <tr>
            <th>{word("finding.time")}</th>
            <th>{word("finding.state")}</th>
            <th class="number">{word("finding.value")}</th>
            <th class="number">{word("finding.score")}</th>
            <th class="rule">{word("alert.rule")}</th>
          </tr>
        </thead>
        <tbody>
          {newest.map((finding) => (
            <Fragment key={finding.id}>
              <tr class="finding">
                <td class="nowrap">
                  <Time at={finding.time} />
                </td>
                <td class="nowrap">
                  <SeverityMark severity={finding.severity} /> {wordFor("finding.state", finding.state)}
                </td>
                <td class="number nowrap">
                  {withUnit(finding.value, unit)}
                  {finding.threshold !== null && <span class="quiet"> / {amount(finding.threshold)}</span>}
                </td>
                <td class="number">{amount(finding.score)}</td>
                <td class="quiet rule">
                  <code>
                    {finding.rule} · {finding.detector} {finding.detector_version}
                  </code>
                </td>
              </tr>
              <tr>
                <td colSpan={5}>
                  {say(finding.explanation)}
                  <Numbers evidence={finding.evidence} />
                </td>
              </tr>
            </Fragment>
          ))}
        </tbody>
      </table>
    </WideTable>
  );
}
