/** Who did what to what, newest first, and until where the trail is signed. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { get } from "../api/client";
import type { AuditAnswer, CheckpointAnswer } from "../api/office";
import type { Page } from "../api/types";
import { useAnswer } from "../api/use-answer";
import { OfficePage } from "../office/office-page";
import { Time } from "../shell/marks";
import { Refusal, useDeed } from "../shell/trouble";
import { WideTable } from "../shell/wide-table";
import { word, wordFor } from "../words/language";

const PAGE_LENGTH = 100;
/** The states before and after are for a closer look. */
const FOLDED = 120;

function State({ of }: { of: Record<string, unknown> | null }): JSX.Element {
  if (!of) return <span class="quiet">–</span>;
  const text = JSON.stringify(of);
  if (text.length <= FOLDED) return <code class="wrap">{text}</code>;
  return (
    <details>
      <summary>
        <code>{text.slice(0, FOLDED / 2)} …</code>
      </summary>
      <pre class="payload">{JSON.stringify(of, null, 1)}</pre>
    </details>
  );
}

function Entry({ entry }: { entry: AuditAnswer }): JSX.Element {
  return (
    <tr data-testid="audit-row" data-action={entry.action}>
      <td class="nowrap">
        <Time at={entry.at} />
      </td>
      <td>
        {wordFor("actor", entry.actor)} <span class="quiet">{entry.address}</span>
      </td>
      <td>
        {wordFor("action", entry.action.slice(entry.action.indexOf(".") + 1))} <code class="quiet">{entry.action}</code>
      </td>
      <td>
        {wordFor("subject", entry.subject_kind)} <code class="wrap quiet">{entry.subject}</code>
      </td>
      <td class="reason-cell">
        <State of={entry.before} />
      </td>
      <td class="reason-cell">
        <State of={entry.after} />
      </td>
    </tr>
  );
}

function Signed(): JSX.Element | null {
  const { answer } = useAnswer<CheckpointAnswer[]>("audit/checkpoints");
  const last = answer?.[0];
  if (!answer) return null;
  if (!last) return <p class="quiet">{word("audit.unsigned")}</p>;
  return (
    <p class="quiet" data-testid="audit-signed">
      {word("audit.signed", { position: last.position })} <Time at={last.at} />
    </p>
  );
}

export function AuditPage(): JSX.Element {
  const entries = useSignal<readonly AuditAnswer[] | null>(null);
  const next = useSignal<string | null>(null);
  const search = useSignal("");
  const deed = useDeed();
  const more = (): void =>
    void deed.run(async () => {
      const page = await get<Page<AuditAnswer>>("audit", { limit: PAGE_LENGTH, cursor: next.value });
      entries.value = [...(entries.value ?? []), ...page.items];
      next.value = page.next ?? null;
    });
  useEffect(more, []);
  const sought = search.value.trim().toLowerCase();
  const shown = (entries.value ?? []).filter((one) => `${one.actor} ${one.action} ${one.subject_kind} ${one.subject}`.toLowerCase().includes(sought));
  return (
    <OfficePage page="audit" loading={false} problem={null} again={more}>
      <Signed />
      <input
        type="search"
        data-testid="audit-search"
        aria-label={word("audit.search")}
        placeholder={word("audit.search")}
        value={search.value}
        onInput={(event) => (search.value = event.currentTarget.value)}
      />
      <WideTable label={word("office.audit")}>
        <table data-testid="audit-table">
          <thead>
            <tr>
              <th>{word("sensor.time")}</th>
              <th>{word("audit.actor")}</th>
              <th>{word("audit.action")}</th>
              <th>{word("audit.subject")}</th>
              <th>{word("audit.before")}</th>
              <th>{word("audit.after")}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((entry) => (
              <Entry key={entry.id} entry={entry} />
            ))}
          </tbody>
        </table>
      </WideTable>
      <Refusal deed={deed} />
      {next.value && (
        <button type="button" class="more" disabled={deed.busy} data-testid="audit-older" onClick={more}>
          {word("audit.older")}
        </button>
      )}
    </OfficePage>
  );
}
