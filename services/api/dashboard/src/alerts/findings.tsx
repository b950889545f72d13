/** What the detectors claimed, newest first, with the numbers behind each claim. */
import type { JSX } from "preact";
import type { FindingAnswer } from "../api/types";
import { SeverityMark, Time } from "../shell/marks";
import { amount, withUnit } from "../words/format";
import { say, word, wordFor } from "../words/language";

function shown(value: unknown): string {
  if (typeof value === "number") return amount(value);
  return typeof value === "string" ? value : JSON.stringify(value);
}

function Numbers({ evidence }: { evidence: Record<string, unknown> }): JSX.Element | null {
  const entries = Object.entries(evidence).filter(([, value]) => value !== null);
  if (!entries.length) return null;
  return (
    <details>
      <summary>{word("finding.numbers")}</summary>
      <dl class="numbers">
        {entries.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{shown(value)}</dd>
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
    <div class="table-scroll">
      <table data-testid="findings">
        <thead>
          <tr>
            <th>{word("finding.time")}</th>
            <th>{word("finding.state")}</th>
            <th class="number">{word("finding.value")}</th>
            <th class="number">{word("finding.score")}</th>
            <th>{word("finding.why")}</th>
          </tr>
        </thead>
        <tbody>
          {newest.map((finding) => (
            <tr key={finding.id}>
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
              <td>
                {say(finding.explanation)}
                <div class="quiet">
                  <code>
                    {finding.rule} · {finding.detector} {finding.detector_version}
                  </code>
                </div>
                <Numbers evidence={finding.evidence} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
