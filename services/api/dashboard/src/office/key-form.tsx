/** Issues a key for another system. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { type IssuedKeyAnswer, type LimitsAnswer, type Permission, PERMISSIONS } from "../api/access";
import { post } from "../api/client";
import { useOpenedForm } from "../shell/opened-form";
import { Refusal, useDeed } from "../shell/trouble";
import { word } from "../words/language";
import { Choices } from "./choices";
import { LimitsFields, WHOLE_CITY } from "./limits";
import { fromField } from "./local-time";

interface Draft {
  id: string;
  actor: string;
  permissions: Permission[];
  limits: LimitsAnswer;
  expires: string;
}

const FRESH: Draft = { id: "", actor: "", permissions: ["read"], limits: WHOLE_CITY, expires: "" };

export function KeyForm({ issued, done }: { issued: (key: IssuedKeyAnswer) => void; done: () => void }): JSX.Element {
  const deed = useDeed();
  const form = useOpenedForm();
  const draft = useSignal<Draft>(FRESH);
  const now = draft.value;
  const change = (part: Partial<Draft>): void => void (draft.value = { ...draft.value, ...part });
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const { id, actor, permissions, limits, expires } = draft.value;
    await deed.run(async () => {
      issued(await post<IssuedKeyAnswer>("keys", { id: id.trim(), actor: actor.trim(), permissions, limits, expires_at: fromField(expires) }));
      done();
    });
  };
  return (
    <form ref={form} class="deed boxed" onSubmit={(event) => void submit(event)} data-testid="key-form">
      <div class="fields">
        <label>
          {word("key.id")}
          <input
            required
            maxLength={64}
            pattern="[A-Za-z0-9][A-Za-z0-9_.\-]*"
            autoComplete="off"
            data-testid="key-id"
            value={now.id}
            onInput={(event) => change({ id: event.currentTarget.value })}
          />
        </label>
        <label>
          {word("key.actor")}
          <input
            required
            maxLength={100}
            autoComplete="off"
            data-testid="key-actor"
            value={now.actor}
            onInput={(event) => change({ actor: event.currentTarget.value })}
          />
        </label>
        <label>
          {word("key.expires")}
          <input
            type="datetime-local"
            data-testid="key-expires"
            value={now.expires}
            onInput={(event) => change({ expires: event.currentTarget.value })}
          />
          <small class="quiet">{word("key.expires.hint")}</small>
        </label>
        <Choices
          name="key-may"
          legend={word("key.permissions")}
          options={PERMISSIONS.map((id) => ({ id, name: word(`permission.${id}`) }))}
          chosen={now.permissions}
          change={(permissions) => change({ permissions })}
          {...(now.permissions.length ? {} : { hint: word("key.permissions.none") })}
        />
        <LimitsFields limits={now.limits} change={(limits) => change({ limits })} />
      </div>
      <div class="row">
        <button type="submit" class="primary" disabled={deed.busy || !now.permissions.length} data-testid="key-save">
          {word("key.save")}
        </button>
        <button type="button" onClick={done}>
          {word("cancel")}
        </button>
      </div>
      <Refusal deed={deed} />
    </form>
  );
}
