/** Sends a message again by hand, under the same identifier. */
import type { JSX } from "preact";
import { post } from "../api/client";
import type { NotificationAnswer } from "../api/types";
import { Refusal, useDeed } from "../shell/trouble";
import { word } from "../words/language";

export function RedeliverButton({ notification, changed }: { notification: NotificationAnswer; changed: () => void }): JSX.Element | null {
  const deed = useDeed();
  if (notification.state === "pending" && !deed.refusal) return null;
  const send = async (): Promise<void> => {
    await deed.run(() => post(`notifications/${notification.id}/redeliver`, {}));
    changed();
  };
  return (
    <>
      <button type="button" disabled={deed.busy} data-testid="redeliver" onClick={() => void send()}>
        {word("notification.again")}
      </button>
      <Refusal deed={deed} />
    </>
  );
}
