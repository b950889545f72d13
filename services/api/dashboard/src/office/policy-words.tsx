/** A warning policy as sentences: who publishes, who is told when nobody answers, how long a warning holds. */
import type { JSX } from "preact";
import type { EscalationStep, PublishingRule, WarningPolicy } from "../api/office";
import type { Severity } from "../api/types";
import { kindName, lifelineName, zoneName } from "../city/directory";
import { SeverityMark } from "../shell/marks";
import { duration } from "../words/format";
import { word } from "../words/language";

function From({ severity }: { severity: number }): JSX.Element {
  const grade = severity as Severity;
  return (
    <span class="nowrap">
      <SeverityMark severity={grade} /> {word("policy.from", { severity: word(`severity.${grade}`) })}
    </span>
  );
}

function RuleRow({ rule }: { rule: PublishingRule }): JSX.Element {
  const scope = [
    rule.lifeline && lifelineName(rule.lifeline),
    rule.kind && kindName(rule.kind, rule.lifeline),
    rule.zone && zoneName(rule.zone),
  ].filter(Boolean);
  return (
    <li>
      <b>{scope.length ? scope.join(" · ") : word("policy.every-alert")}</b> <From severity={rule.severity_from} />:{" "}
      {word(`decision.${rule.decision}`)}
    </li>
  );
}

function StepRow({ step }: { step: EscalationStep }): JSX.Element {
  return (
    <li>
      {word("policy.after", { time: duration(step.after_s * 1000) })} <From severity={step.severity_from} />:{" "}
      <b>{step.tell.map((role) => word(`organisation.${role}`)).join(word("comma"))}</b>
      {step.repeats > 0 && <span class="quiet"> {word("policy.repeats", { count: step.repeats })}</span>}
    </li>
  );
}

export function PolicyWords({ policy }: { policy: WarningPolicy }): JSX.Element {
  return (
    <div class="policy-words">
      <h3>{word("policy.rules")}</h3>
      <ol class="policy-list">
        {policy.rules.map((rule, place) => (
          <RuleRow key={place} rule={rule} />
        ))}
        <li class="quiet unnumbered">{word("policy.else")}</li>
      </ol>
      <h3>{word("policy.escalation")}</h3>
      {policy.escalation.length ? (
        <ol class="policy-list">
          {policy.escalation.map((step, place) => (
            <StepRow key={place} step={step} />
          ))}
        </ol>
      ) : (
        <p class="quiet">{word("policy.escalation.none")}</p>
      )}
      <p>
        {policy.valid_for_s === null
          ? word("policy.valid.unlimited")
          : word("policy.valid", { time: duration(policy.valid_for_s * 1000) })}
      </p>
    </div>
  );
}
