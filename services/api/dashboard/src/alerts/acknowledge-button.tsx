/** "I have seen it": shown while nobody has said so. */
import type { JSX } from "preact";
import { post } from "../api/client";
import type { AlertAnswer } from "../api/types";
import { Refusal, useDeed } from "../shell/trouble";
import { usePageKey } from "../shell/page-key";
import { word } from "../words/language";

export function AcknowledgeButton({ alert, changed }: { alert: AlertAnswer; changed: () => void }): JSX.Element | null {
  const deed = useDeed();
  const acknowledge = async (): Promise<void> => {
    await deed.run(() => post(`alerts/${alert.id}/acknowledge`, {}));
    changed();
  };
  const allowed = alert.moves.includes("acknowledge");
  usePageKey("a", () => allowed && void acknowledge());
  if (!allowed && !deed.refusal) return null;
  return (
    <div class="deed">
      {allowed && (
        <button type="button" class="primary" disabled={deed.busy} data-testid="acknowledge-button" onClick={() => void acknowledge()}>
          {word("alert.acknowledge")}
        </button>
      )}
      <Refusal deed={deed} />
    </div>
  );
}
