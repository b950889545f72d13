/** Warning policies by version: what is in force, what was, who changed it and why. */
import type { JSX } from "preact";
import type { PolicyAnswer } from "../api/office";
import { useAnswer } from "../api/use-answer";
import { useEvery } from "../records/use-every";
import { Time } from "../shell/marks";
import { word } from "../words/language";
import { OfficePage } from "./office-page";
import { PolicyForm } from "./policy-form";
import { PolicyWords } from "./policy-words";

function named(policy: PolicyAnswer): string {
  return policy.version === null ? word("policy.default") : word("policy.version", { version: policy.version });
}

function Origin({ policy }: { policy: PolicyAnswer }): JSX.Element | null {
  if (policy.version === null) return null;
  return (
    <p class="quiet">
      {policy.author}, <Time at={policy.created_at} />: {policy.reason}
    </p>
  );
}

export function PoliciesPage(): JSX.Element {
  const { answer, problem, again } = useAnswer<PolicyAnswer[]>("warning-policies", { limit: 50 });
  useEvery(again);
  const [now, ...before] = answer ?? [];
  return (
    <OfficePage page="policies" loading={!answer} problem={problem} again={again}>
      {now && (
        <>
          <section class="boxed" aria-label={word("policy.in-force")} data-testid="policy-in-force" data-version={now.version ?? ""}>
            <h2>
              ● {word("policy.in-force")} <span class="quiet">{named(now)}</span>
            </h2>
            <Origin policy={now} />
            <PolicyWords policy={now.policy} />
          </section>
          <PolicyForm policy={now.policy} version={now.version ?? 0} changed={again} />
        </>
      )}
      {before.length > 0 && <h2>{word("policy.before")}</h2>}
      {before.map((policy) => (
        <details key={policy.version} data-testid="policy-version" data-version={policy.version}>
          <summary>
            {named(policy)} <Time at={policy.created_at} /> {policy.author}
          </summary>
          <Origin policy={policy} />
          <PolicyWords policy={policy.policy} />
        </details>
      ))}
    </OfficePage>
  );
}
