/** Sends an order out where no warning has done so: two steps, because it leaves the house. */
import type { JSX } from "preact";
import { post } from "../api/client";
import type { AlertAnswer } from "../api/types";
import { ConfirmedButton } from "../shell/confirmed-button";
import { Refusal, useDeed } from "../shell/trouble";
import { word } from "../words/language";

export function DispatchButton({ alert, changed }: { alert: AlertAnswer; changed: () => void }): JSX.Element {
  const deed = useDeed();
  const dispatch = (): void =>
    void deed.run(() => post("work-orders", { alert: alert.id, is_draft: false })).then(changed);
  return (
    <>
      <ConfirmedButton name="order-dispatch" label={word("order.dispatch")} meaning={word("order.dispatch.meaning")} busy={deed.busy} run={dispatch} />
      <Refusal deed={deed} />
    </>
  );
}
