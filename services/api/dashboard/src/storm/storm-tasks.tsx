/** What is prepared at a place, and the button that says it is done. */
import type { JSX } from "preact";
import { post } from "../api/client";
import type { StormTaskAnswer } from "../api/types";
import { Time } from "../shell/marks";
import { Refusal, useDeed } from "../shell/trouble";
import { say, word } from "../words/language";

function said(task: StormTaskAnswer): string {
  const what = say(task.label);
  return task.task === "person" ? `${task.person ?? ""} ${what}`.trim() : `${task.quantity} ${what}`;
}

function Task({ task, changed }: { task: StormTaskAnswer; changed: () => void }): JSX.Element {
  const deed = useDeed();
  const finish = async (): Promise<void> => {
    if (await deed.run(() => post(`storm/tasks/${task.id}/done`, {}))) changed();
  };
  return (
    <li data-testid="storm-task" data-state={task.state}>
      {task.is_exercise && <b class="exercise">{word("storm.exercise")}</b>} {said(task)}{" "}
      <span class="quiet">{word(`storm.task.state.${task.state}`)}</span> <Time at={task.changed_at} empty="" />{" "}
      {task.state === "open" && (
        <button type="button" disabled={deed.busy} onClick={() => void finish()}>
          {word("storm.task.done")}
        </button>
      )}
      <Refusal deed={deed} />
    </li>
  );
}

export function StormTasks({ tasks, changed }: { tasks: readonly StormTaskAnswer[]; changed: () => void }): JSX.Element {
  if (!tasks.length) return <span class="quiet">–</span>;
  return (
    <ul class="plain">
      {tasks.map((task) => (
        <Task key={task.id} task={task} changed={changed} />
      ))}
    </ul>
  );
}
