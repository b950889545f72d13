/** Adds a user, or changes one as they were when the form was opened. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { LimitsAnswer, UserAnswer, UserPasswordAnswer } from "../api/access";
import { patch, post } from "../api/client";
import { me, type Role } from "../api/session";
import { useOpenedForm } from "../shell/opened-form";
import { Refusal, useDeed } from "../shell/trouble";
import { word } from "../words/language";
import { Choices } from "./choices";
import { LimitsFields, WHOLE_CITY } from "./limits";

const ROLES: readonly Role[] = ["operator", "analyst", "dispatcher", "field-crew", "regulator", "administrator"];

interface Draft {
  name: string;
  label: string;
  roles: Role[];
  limits: LimitsAnswer;
}

export function isOwn(user: UserAnswer | null): boolean {
  return user !== null && me.value?.is_user === true && me.value.name === user.name;
}

interface Given {
  /** Null: a new one. */
  user: UserAnswer | null;
  /** Of a new user, with the password that was made. */
  added?: (user: UserPasswordAnswer) => void;
  done: () => void;
  /** Reads the users anew. */
  again: () => void;
}

export function UserForm({ user, added, done, again }: Given): JSX.Element {
  const deed = useDeed();
  const form = useOpenedForm();
  const draft = useSignal<Draft>({
    name: user?.name ?? "",
    label: user?.label ?? "",
    roles: user?.roles ?? [],
    limits: user?.limits ?? WHOLE_CITY,
  });
  const now = draft.value;
  const change = (part: Partial<Draft>): void => void (draft.value = { ...draft.value, ...part });
  const own = isOwn(user);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const { name, label, roles, limits } = draft.value;
    const accepted = await deed.run(async () => {
      if (user) await patch(`users/${encodeURIComponent(user.name)}`, own ? { label } : { label, roles, limits }, user.version);
      else added?.(await post<UserPasswordAnswer>("users", { name: name.trim(), label, roles, limits }));
    });
    if (!accepted) return;
    again();
    done();
  };
  const reload = (): void => {
    again();
    done();
  };
  return (
    <form ref={form} class="deed boxed" onSubmit={(event) => void submit(event)} data-testid="user-form">
      {user && <h2>{word("user.edit.of", { user: user.label })}</h2>}
      <div class="fields">
        {!user && (
          <label>
            {word("user.name")}
            <input
              required
              maxLength={80}
              pattern="[a-z0-9][a-z0-9._@+\-]*"
              autoComplete="off"
              autoCapitalize="none"
              spellcheck={false}
              data-testid="user-name"
              title={word("user.name.hint")}
              value={now.name}
              onInput={(event) => change({ name: event.currentTarget.value })}
            />
            <small class="quiet">{word("user.name.hint")}</small>
          </label>
        )}
        <label>
          {word("user.label")}
          <input
            required
            maxLength={100}
            autoComplete="off"
            data-testid="user-label"
            value={now.label}
            onInput={(event) => change({ label: event.currentTarget.value })}
          />
        </label>
        {!own && (
          <>
            <Choices
              name="user-role"
              legend={word("user.roles")}
              options={ROLES.map((id) => ({ id, name: word(`role.${id}`) }))}
              chosen={now.roles}
              change={(roles) => change({ roles })}
              {...(now.roles.length ? {} : { hint: word("user.roles.none") })}
            />
            <LimitsFields limits={now.limits} change={(limits) => change({ limits })} />
          </>
        )}
      </div>
      {own && <p class="quiet">{word("user.own")}</p>}
      <div class="row">
        <button type="submit" class="primary" disabled={deed.busy || !now.roles.length} data-testid="user-save">
          {word("user.save")}
        </button>
        <button type="button" onClick={done}>
          {word("cancel")}
        </button>
      </div>
      <Refusal deed={deed} again={reload} />
    </form>
  );
}
