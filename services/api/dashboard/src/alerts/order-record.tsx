/** What the field said about an order: words, measurements, photos; and how to add to it from the desk. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { API, authorization, post, postFile } from "../api/client";
import type { AttachmentAnswer, FieldFeedbackAnswer, OrderRecordAnswer } from "../api/disposal";
import type { WorkOrderAnswer } from "../api/types";
import { useAnswer } from "../api/use-answer";
import { Time } from "../shell/marks";
import { Refusal, useDeed } from "../shell/trouble";
import { withUnit } from "../words/format";
import { word, wordFor } from "../words/language";

/** A file of the order as an address for this page alone; a plain link would not carry the key. */
async function fetched(path: string): Promise<string> {
  const response = await fetch(new URL(path, API), { headers: authorization() });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return URL.createObjectURL(await response.blob());
}

function Attachment({ file }: { file: AttachmentAnswer }): JSX.Element {
  const path = `work-orders/${file.work_order}/attachments/${file.id}`;
  const [picture, show] = useState<string | null>(null);
  const deed = useDeed();
  useEffect(() => {
    if (!file.has_thumbnail) return undefined;
    let made: string | null = null;
    let gone = false;
    fetched(`${path}/thumbnail`).then(
      (address) => (gone ? URL.revokeObjectURL(address) : show((made = address))),
      () => undefined,
    );
    return () => {
      gone = true;
      if (made) URL.revokeObjectURL(made);
    };
  }, [path]);
  const save = async (): Promise<void> => {
    const link = document.createElement("a");
    link.href = await fetched(path);
    link.download = file.name;
    link.click();
    URL.revokeObjectURL(link.href);
  };
  return (
    <li data-testid="order-attachment">
      <button type="button" class="link" onClick={() => void deed.run(save)}>
        {picture ? <img src={picture} alt={file.name} /> : file.name}
      </button>
      <span class="quiet">
        {file.author} <Time at={file.at} />
      </span>
      <Refusal deed={deed} />
    </li>
  );
}

function Feedback({ said }: { said: FieldFeedbackAnswer }): JSX.Element {
  return (
    <li data-testid="order-feedback">
      <span class="quiet">
        <Time at={said.at} /> {said.author}
      </span>
      <span>{said.text}</span>
      {said.measurements.map((one) => (
        <span key={one.quantity}>
          {wordFor("field.quantity", one.quantity)} <b>{withUnit(one.value, one.unit)}</b>
        </span>
      ))}
    </li>
  );
}

export function OrderRecord({ order }: { order: WorkOrderAnswer }): JSX.Element | null {
  // What was said changes with the order's version as well as beside it, hence both in the question.
  const { answer, again } = useAnswer<OrderRecordAnswer>(`work-orders/${order.id}/record`, { version: order.version });
  const deed = useDeed();
  const text = useSignal("");
  const isOver = order.state === "closed";
  const tell = async (event: Event): Promise<void> => {
    event.preventDefault();
    const said = text.value.trim();
    if (said && (await deed.run(() => post(`work-orders/${order.id}/feedback`, { text: said })))) text.value = "";
    again();
  };
  const attach = async (input: HTMLInputElement): Promise<void> => {
    const file = input.files?.[0];
    if (file) await deed.run(() => postFile(`work-orders/${order.id}/attachments`, { name: file.name }, file));
    input.value = "";
    again();
  };
  if (!answer || (isOver && !answer.feedback.length && !answer.attachments.length)) return null;
  return (
    <details class="order-record" open={answer.feedback.length + answer.attachments.length > 0} data-testid="order-record">
      <summary>
        {word("order.record")} ({answer.feedback.length + answer.attachments.length})
      </summary>
      <ul class="order-feedback">
        {answer.feedback.map((said) => (
          <Feedback key={said.id} said={said} />
        ))}
      </ul>
      <ul class="order-files">
        {answer.attachments.map((file) => (
          <Attachment key={file.id} file={file} />
        ))}
      </ul>
      {!isOver && (
        <form class="deed" onSubmit={(event) => void tell(event)}>
          <label>
            {word("order.record.tell")}
            <textarea rows={1} maxLength={4000} data-testid="order-feedback-text" value={text.value} onInput={(event) => (text.value = event.currentTarget.value)} />
          </label>
          <div class="row">
            <button type="submit" disabled={deed.busy} data-testid="order-feedback-save">
              {word("order.record.add")}
            </button>
            <label class="row">
              <span class="quiet">{word("order.record.file")}</span>
              <input type="file" disabled={deed.busy} data-testid="order-file" onChange={(event) => void attach(event.currentTarget)} />
            </label>
          </div>
        </form>
      )}
      <Refusal deed={deed} />
    </details>
  );
}
