/** Who may log in, as what, for which part of the city, and when they last did. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { UserAnswer, UserPasswordAnswer } from "../api/access";
import { patch, post } from "../api/client";
import { useAnswer } from "../api/use-answer";
import { ConfirmedButton } from "../shell/confirmed-button";
import { Refusal, useDeed } from "../shell/trouble";
import { WideTable } from "../shell/wide-table";
import { word } from "../words/language";
import { Dated } from "./dated";
import { LimitsWords } from "./limits";
import { OfficePage } from "./office-page";
import { OneTimeSecret } from "./one-time-secret";
import { isOwn, UserForm } from "./user-form";

interface Row {
  user: UserAnswer;
  edit: () => void;
  again: () => void;
}

function UserDeeds({ user, edit, again }: Row): JSX.Element {
  const deed = useDeed();
  const secret = useSignal<string | null>(null);
  const place = `users/${encodeURIComponent(user.name)}`;
  const run = async (what: () => Promise<unknown>): Promise<void> => {
    if (await deed.run(what)) again();
  };
  const reset = async (): Promise<void> => {
    secret.value = (await post<UserPasswordAnswer>(`${place}/password`, {})).password;
  };
  return (
    <>
      <div class="row">
        <button type="button" data-testid="user-edit" aria-label={word("user.edit.of", { user: user.label })} onClick={edit}>
          {word("user.edit")}
        </button>
        {user.provider === null && !isOwn(user) && (
          <ConfirmedButton
            name="user-password"
            label={word("user.password")}
            meaning={word("user.password.meaning")}
            busy={deed.busy}
            run={() => void run(reset)}
          />
        )}
        {user.enabled && !isOwn(user) && (
          <ConfirmedButton
            name="user-switch"
            label={word("user.disable")}
            meaning={word("user.disable.meaning")}
            busy={deed.busy}
            run={() => void run(() => patch(place, { enabled: false }, user.version))}
          />
        )}
        {!user.enabled && (
          <button type="button" disabled={deed.busy} data-testid="user-switch" onClick={() => void run(() => patch(place, { enabled: true }, user.version))}>
            {word("user.enable")}
          </button>
        )}
      </div>
      {secret.value && <OneTimeSecret secret={secret.value} done={() => (secret.value = null)} />}
      <Refusal deed={deed} again={again} />
    </>
  );
}

function UserRow({ user, edit, again }: Row): JSX.Element {
  return (
    <tr data-testid="user-row" data-user={user.name}>
      <td>
        <b>{user.label}</b>
        <div class="quiet">{user.name}</div>
      </td>
      <td>{user.roles.map((role) => word(`role.${role}`)).join(word("comma"))}</td>
      <td>
        <LimitsWords limits={user.limits} />
      </td>
      <td>
        <span class={`office-state ${user.enabled ? "ok" : "off"}`} data-testid="user-state" data-state={user.enabled ? "enabled" : "disabled"}>
          <span aria-hidden="true">{user.enabled ? "✓" : "■"}</span> {word(user.enabled ? "user.enabled" : "user.disabled")}
        </span>
        {user.provider && <div class="quiet">{word("user.provider")}</div>}
      </td>
      <td>
        <Dated at={user.last_login_at} empty={word("user.never")} />
      </td>
      <td>
        <UserDeeds user={user} edit={edit} again={again} />
      </td>
    </tr>
  );
}

export function UsersPage(): JSX.Element {
  const { answer, problem, again } = useAnswer<UserAnswer[]>("users");
  /** Whom the form is about, as they were when it was opened; `new` for somebody new. */
  const about = useSignal<UserAnswer | "new" | null>(null);
  const added = useSignal<UserPasswordAnswer | null>(null);
  const close = (): void => void (about.value = null);
  const open = about.value;
  return (
    <OfficePage page="users" loading={!answer} problem={problem} again={again}>
      {open === null && (
        <button type="button" class="primary begin" data-testid="user-add" onClick={() => (about.value = "new")}>
          {word("user.add")}
        </button>
      )}
      {added.value?.password && (
        <section aria-label={word("user.password.of", { user: added.value.name })}>
          <h2>{word("user.password.of", { user: added.value.name })}</h2>
          <OneTimeSecret secret={added.value.password} done={() => (added.value = null)} />
        </section>
      )}
      {open !== null && (
        <UserForm
          key={open === "new" ? "" : open.name}
          user={open === "new" ? null : open}
          added={(user) => (added.value = user)}
          done={close}
          again={again}
        />
      )}
      {answer && (
        <>
          <p class="quiet">{word("users.count", { count: answer.length, disabled: answer.filter((user) => !user.enabled).length })}</p>
          <WideTable label={word("office.users")}>
            <table data-testid="user-table">
              <thead>
                <tr>
                  <th>{word("user.label")}</th>
                  <th>{word("user.roles")}</th>
                  <th>{word("user.limits")}</th>
                  <th>{word("user.state")}</th>
                  <th>{word("user.last-login")}</th>
                  <th>{word("deeds")}</th>
                </tr>
              </thead>
              <tbody>
                {answer.map((user) => (
                  <UserRow key={user.name} user={user} edit={() => (about.value = user)} again={again} />
                ))}
              </tbody>
            </table>
          </WideTable>
        </>
      )}
    </OfficePage>
  );
}
