/** Adds a depot, or keeps what was counted in one. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { put } from "../api/client";
import type { DepotAnswer } from "../api/planning";
import type { Text } from "../api/types";
import { organisationName, organisations } from "../city/directory";
import { useOpenedForm } from "../shell/opened-form";
import { Refusal, useDeed } from "../shell/trouble";
import { say, word } from "../words/language";
import { BothLanguages } from "./both-languages";

interface Material {
  id: string;
  name: Text;
  stock: number;
  unit: string;
}

interface Draft {
  id: string;
  organisation: string;
  name: Text;
  longitude: number;
  latitude: number;
  materials: Material[];
}

const NOTHING: Text = { en: "", zh: "" };
const NEW_MATERIAL: Material = { id: "", name: NOTHING, stock: 0, unit: "" };

function draftOf(depot: DepotAnswer | null): Draft {
  if (!depot) return { id: "", organisation: "", name: NOTHING, longitude: NaN, latitude: NaN, materials: [] };
  const [longitude, latitude] = depot.position;
  const materials = depot.materials.map(({ id, name, stock, unit }) => ({ id, name, stock, unit }));
  return { id: depot.id, organisation: depot.organisation, name: depot.name, longitude, latitude, materials };
}

interface Fields {
  material: Material;
  change: (part: Partial<Material>) => void;
  remove: () => void;
}

function MaterialFields({ material, change, remove }: Fields): JSX.Element {
  return (
    <li class="fields" data-testid="depot-material">
      <label>
        {word("plan.material")}
        <input required maxLength={200} value={material.id} data-testid="depot-material-id" onInput={(event) => change({ id: event.currentTarget.value })} />
      </label>
      <BothLanguages what={word("plan.material.name")} text={material.name} name="depot-material-name" required change={(name) => change({ name })} />
      <label>
        {word("depot.stock")}
        <input
          type="number"
          min={0}
          step="any"
          required
          data-testid="depot-material-stock"
          value={material.stock}
          onInput={(event) => change({ stock: event.currentTarget.valueAsNumber || 0 })}
        />
      </label>
      <label>
        {word("plan.material.unit")}
        <input required maxLength={20} value={material.unit} data-testid="depot-material-unit" onInput={(event) => change({ unit: event.currentTarget.value })} />
      </label>
      <button type="button" onClick={remove}>
        {word("remove")}
      </button>
    </li>
  );
}

interface Given {
  /** Null: a new one. */
  depot: DepotAnswer | null;
  taken: ReadonlySet<string>;
  done: () => void;
  again: () => void;
}

export function DepotForm({ depot, taken, done, again }: Given): JSX.Element {
  const deed = useDeed();
  const form = useOpenedForm();
  const draft = useSignal<Draft>(draftOf(depot));
  const now = draft.value;
  const change = (part: Partial<Draft>): void => void (draft.value = { ...draft.value, ...part });
  const changeMaterial = (place: number, part: Partial<Material>): void =>
    change({ materials: draft.value.materials.map((one, index) => (index === place ? { ...one, ...part } : one)) });
  const organisation = now.organisation || organisations.value[0]?.id || "";
  const isTaken = !depot && taken.has(now.id.trim());
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const { id, name, longitude, latitude, materials } = draft.value;
    const wanted = JSON.stringify({ organisation, name, position: [longitude, latitude], materials });
    if (!(await deed.run(() => put(`depots/${encodeURIComponent(id.trim())}`, wanted, "application/json", depot?.version)))) return;
    again();
    done();
  };
  return (
    <form ref={form} class="deed boxed" onSubmit={(event) => void submit(event)} data-testid="depot-form">
      <h2>{depot ? word("depot.count.of", { depot: say(depot.name) }) : word("depot.add")}</h2>
      <div class="fields">
        {!depot && (
          <label>
            {word("depot.id")}
            <input
              required
              maxLength={100}
              pattern="[A-Za-z0-9][A-Za-z0-9\-]*"
              autoComplete="off"
              data-testid="depot-id"
              value={now.id}
              onInput={(event) => change({ id: event.currentTarget.value })}
            />
            <small class={isTaken ? "refusal" : "quiet"}>{word(isTaken ? "depot.id.taken" : "depot.id.hint")}</small>
          </label>
        )}
        <label>
          {word("duty.organisation")}
          <select value={organisation} data-testid="depot-organisation" onChange={(event) => change({ organisation: event.currentTarget.value })}>
            {organisations.value.map((one) => (
              <option key={one.id} value={one.id}>
                {organisationName(one.id)}
              </option>
            ))}
          </select>
        </label>
        <BothLanguages what={word("depot.name")} text={now.name} name="depot-name" required change={(name) => change({ name })} />
        <label>
          {word("depot.longitude")}
          <input
            type="number"
            min={-180}
            max={180}
            step="any"
            required
            data-testid="depot-longitude"
            value={Number.isNaN(now.longitude) ? "" : now.longitude}
            onInput={(event) => change({ longitude: event.currentTarget.valueAsNumber })}
          />
        </label>
        <label>
          {word("depot.latitude")}
          <input
            type="number"
            min={-90}
            max={90}
            step="any"
            required
            data-testid="depot-latitude"
            value={Number.isNaN(now.latitude) ? "" : now.latitude}
            onInput={(event) => change({ latitude: event.currentTarget.valueAsNumber })}
          />
        </label>
      </div>
      <h3>{word("depot.stock")}</h3>
      <ol class="policy-fields plain">
        {now.materials.map((material, place) => (
          <MaterialFields
            key={place}
            material={material}
            change={(part) => changeMaterial(place, part)}
            remove={() => change({ materials: now.materials.filter((_, index) => index !== place) })}
          />
        ))}
      </ol>
      <button type="button" data-testid="depot-material-add" onClick={() => change({ materials: [...now.materials, NEW_MATERIAL] })}>
        {word("plan.material.add")}
      </button>
      <div class="row">
        <button type="submit" class="primary" disabled={deed.busy || isTaken} data-testid="depot-save">
          {word("depot.save")}
        </button>
        <button type="button" onClick={done}>
          {word("cancel")}
        </button>
      </div>
      <Refusal
        deed={deed}
        again={() => {
          again();
          done();
        }}
      />
    </form>
  );
}
