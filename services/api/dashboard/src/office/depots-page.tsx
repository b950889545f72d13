/** Where material lies, how much of it, and when it was last counted. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { DepotAnswer } from "../api/planning";
import { may } from "../api/session";
import { useAnswer } from "../api/use-answer";
import { organisationName } from "../city/directory";
import { WideTable } from "../shell/wide-table";
import { amount } from "../words/format";
import { say, word, wordFor } from "../words/language";
import { Dated } from "./dated";
import { DepotForm } from "./depot-form";
import { OfficePage } from "./office-page";

function Depot({ depot, count }: { depot: DepotAnswer; count: () => void }): JSX.Element {
  const name = say(depot.name);
  return (
    <section class="boxed" aria-label={name} data-testid="depot" data-depot={depot.id}>
      <h2>
        {name} <span class="quiet">{organisationName(depot.organisation)}</span>
      </h2>
      {!depot.materials.length && <p class="quiet">{word("depot.empty")}</p>}
      {depot.materials.length > 0 && (
        <WideTable label={name}>
          <table>
            <thead>
              <tr>
                <th>{word("plan.material")}</th>
                <th class="number">{word("depot.stock")}</th>
                <th>{word("depot.counted")}</th>
              </tr>
            </thead>
            <tbody>
              {depot.materials.map((material) => (
                <tr key={material.id}>
                  <td>{say(material.name)}</td>
                  <td class="number nowrap">
                    {amount(material.stock)} {wordFor("unit", material.unit)}
                  </td>
                  <td>
                    <Dated at={material.counted_at} empty="" /> <span class="quiet">{wordFor("actor", material.counted_by)}</span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </WideTable>
      )}
      {may("operate") && (
        <button type="button" data-testid="depot-count" onClick={count}>
          {word("depot.count")}
        </button>
      )}
    </section>
  );
}

export function DepotsPage(): JSX.Element {
  const { answer, problem, again } = useAnswer<DepotAnswer[]>("depots");
  const about = useSignal<DepotAnswer | "new" | null>(null);
  const open = about.value;
  const close = (): void => void (about.value = null);
  const taken = new Set(answer?.map((depot) => depot.id));
  return (
    <OfficePage page="depots" loading={!answer} problem={problem} again={again}>
      {open === null && may("operate") && (
        <button type="button" class="primary begin" data-testid="depot-add" onClick={() => (about.value = "new")}>
          {word("depot.add")}
        </button>
      )}
      {open === "new" && <DepotForm depot={null} taken={taken} done={close} again={again} />}
      {answer && !answer.length && <p class="quiet">{word("depots.none")}</p>}
      {answer?.map((depot) =>
        open !== null && open !== "new" && open.id === depot.id ? (
          <DepotForm key={depot.id} depot={open} taken={taken} done={close} again={again} />
        ) : (
          <Depot key={depot.id} depot={depot} count={() => (about.value = depot)} />
        ),
      )}
    </OfficePage>
  );
}
