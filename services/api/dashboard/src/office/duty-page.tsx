/** Who is on duty now and next in each organisation, and where nobody is. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { DutyAnswer, HoleAnswer, ShiftAnswer } from "../api/office";
import { useAnswer } from "../api/use-answer";
import { organisationName, organisations, personName } from "../city/directory";
import { useEvery } from "../records/use-every";
import { Time } from "../shell/marks";
import { WideTable } from "../shell/wide-table";
import { duration } from "../words/format";
import { word, wordFor } from "../words/language";
import { OfficePage } from "./office-page";
import { nextOnDuty, onDuty, type Post, posts } from "./rota";
import { RotaImport } from "./rota-import";
import { RotaStrip } from "./rota-strip";
import { SubstituteForm } from "./substitute-form";

const DAY_MS = 86_400_000;
const SPANS_D = [7, 14, 30] as const;

function Person({ shift }: { shift: ShiftAnswer }): JSX.Element {
  return (
    <>
      <b>{personName(shift.organisation, shift.person)}</b>
      {shift.substitutes && (
        <span class="quiet"> {word("duty.instead-of", { person: personName(shift.organisation, shift.substitutes) })}</span>
      )}
    </>
  );
}

function Holes({ holes }: { holes: readonly HoleAnswer[] }): JSX.Element {
  if (!holes.length) return <p data-testid="duty-whole">✓ {word("duty.holes.none")}</p>;
  return (
    <ul class="plain holes" data-testid="duty-holes">
      {holes.map((hole) => (
        <li key={`${hole.organisation} ${hole.role} ${hole.starts_at}`} data-testid="duty-hole">
          <span aria-hidden="true">▲</span> <b>{organisationName(hole.organisation)}</b> {wordFor("duty.role", hole.role)}:{" "}
          {word("duty.nobody")} <Time at={hole.starts_at} /> – <Time at={hole.ends_at} />{" "}
          <span class="quiet">({duration(Date.parse(hole.ends_at) - Date.parse(hole.starts_at))})</span>
        </li>
      ))}
    </ul>
  );
}

interface Row {
  post: Post;
  since: number;
  until: number;
  changed: () => void;
}

function PostRow({ post, since, until, changed }: Row): JSX.Element {
  // Not the minute that was asked from: whoever has just begun to stand in is on duty already.
  const held = onDuty(post.shifts, Date.now());
  const next = nextOnDuty(post.shifts, Date.now());
  return (
    <tr data-testid="duty-post" data-organisation={post.organisation} data-role={post.role}>
      <td>
        <b>{organisationName(post.organisation)}</b>
        <div class="quiet">{wordFor("duty.role", post.role)}</div>
      </td>
      <td data-testid="duty-now">
        {!held.length && (
          <b class="office-state failing">
            <span aria-hidden="true">▲</span> {word("duty.nobody")}
          </b>
        )}
        {held.map((shift) => (
          <div key={shift.id}>
            <Person shift={shift} />{" "}
            <span class="quiet nowrap">
              {word("storm.until")} <Time at={shift.ends_at} />
            </span>{" "}
            <SubstituteForm shift={shift} changed={changed} />
          </div>
        ))}
      </td>
      <td data-testid="duty-next">
        {next ? (
          <>
            <Person shift={next} />{" "}
            <span class="quiet nowrap">
              {word("duty.from")} <Time at={next.starts_at} />
            </span>{" "}
            <SubstituteForm shift={next} changed={changed} />
          </>
        ) : (
          <span class="quiet">–</span>
        )}
      </td>
      <td class="strip-cell">
        <RotaStrip post={post} since={since} until={until} />
      </td>
    </tr>
  );
}

export function DutyPage(): JSX.Element {
  const days = useSignal<number>(7);
  // To the minute, so that the address of the question does not change with every look.
  const since = Math.floor(Date.now() / 60_000) * 60_000;
  const until = since + days.value * DAY_MS;
  const span = { start: new Date(since).toISOString(), end: new Date(until).toISOString() };
  const { answer, problem, again } = useAnswer<DutyAnswer>("duty", span);
  useEvery(again);
  const held = answer ? posts(answer) : [];
  const without = organisations.value.filter((one) => !held.some((post) => post.organisation === one.id));
  return (
    <OfficePage page="duty" loading={!answer} problem={problem} again={again}>
      <div class="choice" role="group" aria-label={word("span")}>
        {SPANS_D.map((count) => (
          <button key={count} type="button" aria-pressed={days.value === count} onClick={() => (days.value = count)}>
            {word("span.days", { count })}
          </button>
        ))}
      </div>
      {answer && held.length > 0 && <Holes holes={answer.holes} />}
      {answer && !held.length && <p data-testid="duty-none">{word("duty.none")}</p>}
      {held.length > 0 && (
        <WideTable label={word("office.duty")}>
          <table data-testid="duty-table">
            <thead>
              <tr>
                <th>{word("duty.organisation")}</th>
                <th>{word("duty.now")}</th>
                <th>{word("duty.next")}</th>
                <th>{word("duty.span", { count: days.value })}</th>
              </tr>
            </thead>
            <tbody>
              {held.map((post) => (
                <PostRow key={`${post.organisation} ${post.role}`} post={post} since={since} until={until} changed={again} />
              ))}
            </tbody>
          </table>
        </WideTable>
      )}
      {without.length > 0 && (
        <p data-testid="duty-without">
          {word("duty.without")} {without.map((one) => organisationName(one.id)).join(word("comma"))}
        </p>
      )}
      <RotaImport changed={again} />
    </OfficePage>
  );
}
