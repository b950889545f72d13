/** A person says that nothing is wrong and the rules shall learn afresh. */
import type { JSX } from "preact";
import { post } from "../api/client";
import type { AlertAnswer } from "../api/types";
import { ReasonForm } from "../shell/reason-form";
import { word } from "../words/language";

export function NewNormalPanel({ alert, changed }: { alert: AlertAnswer; changed: () => void }): JSX.Element | null {
  if (alert.cleared_at) return null;
  return (
    <ReasonForm
      name="new-normal"
      ask={word("new-normal.ask")}
      meaning={word("new-normal.meaning")}
      hint={word("new-normal.hint")}
      save={word("new-normal.save")}
      send={(reason) => post(`alerts/${alert.id}/new-normal`, { reason })}
      changed={changed}
    />
  );
}
