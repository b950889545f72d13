/** What a plan needs and whom to call: a line of material, a line of a phone number. */
import type { JSX } from "preact";
import type { PlanAnswer } from "../api/disposal";
import type { StockAnswer } from "../api/planning";
import { amount } from "../words/format";
import { say, word, wordFor } from "../words/language";
import { BothLanguages } from "./both-languages";

type Material = PlanAnswer["plan"]["materials"][number];
type Phone = PlanAnswer["plan"]["phones"][number];

interface Line<Part> {
  change: (part: Partial<Part>) => void;
  remove: () => void;
}

function Stock({ id, stock }: { id: string; stock: readonly StockAnswer[] }): JSX.Element {
  const lying = stock.filter((one) => one.id === id);
  const [first] = lying;
  if (!first) return <small class="quiet">▲ {word("plan.material.none")}</small>;
  const total = lying.reduce((sum, one) => sum + one.stock, 0);
  return <small class="quiet">{word("plan.material.stock", { stock: `${amount(total)} ${wordFor("unit", first.unit)}` })}</small>;
}

export function PlanMaterialFields({ material, stock, change, remove }: Line<Material> & { material: Material; stock: readonly StockAnswer[] }): JSX.Element {
  const choose = (id: string): void => {
    const known = stock.find((one) => one.id === id);
    change(known ? { id, name: known.name, unit: known.unit } : { id });
  };
  return (
    <li class="fields" data-testid="plan-material">
      <label>
        {word("plan.material")}
        <input
          required
          maxLength={200}
          list="plan-materials"
          autoComplete="off"
          data-testid="plan-material-id"
          value={material.id}
          onInput={(event) => choose(event.currentTarget.value)}
        />
        {material.id && <Stock id={material.id} stock={stock} />}
      </label>
      <BothLanguages what={word("plan.material.name")} text={material.name} name="plan-material-name" required change={(name) => change({ name })} />
      <label>
        {word("plan.material.needed")}
        <input
          type="number"
          min={0.01}
          step="any"
          required
          data-testid="plan-material-needed"
          value={material.needed}
          onInput={(event) => change({ needed: event.currentTarget.valueAsNumber || 0 })}
        />
      </label>
      <label>
        {word("plan.material.unit")}
        <input required maxLength={20} data-testid="plan-material-unit" value={material.unit} onInput={(event) => change({ unit: event.currentTarget.value })} />
      </label>
      <button type="button" onClick={remove}>
        {word("remove")}
      </button>
    </li>
  );
}

/** The materials that lie in a depot, to be chosen from. */
export function KnownMaterials({ stock }: { stock: readonly StockAnswer[] }): JSX.Element {
  const known = new Map(stock.map((one) => [one.id, one]));
  return (
    <datalist id="plan-materials">
      {[...known.values()].map((one) => (
        <option key={one.id} value={one.id}>
          {say(one.name)}
        </option>
      ))}
    </datalist>
  );
}

export function PlanPhoneFields({ phone, change, remove }: Line<Phone> & { phone: Phone }): JSX.Element {
  return (
    <li class="fields" data-testid="plan-phone">
      <BothLanguages what={word("plan.phone.whose")} text={phone.name} name="plan-phone-name" required change={(name) => change({ name })} />
      <label>
        {word("plan.phone")}
        <input
          type="tel"
          required
          maxLength={40}
          data-testid="plan-phone-number"
          value={phone.phone}
          onInput={(event) => change({ phone: event.currentTarget.value })}
        />
      </label>
      <button type="button" onClick={remove}>
        {word("remove")}
      </button>
    </li>
  );
}
