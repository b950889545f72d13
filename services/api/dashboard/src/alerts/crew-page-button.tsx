/** Opens the printable sheet for the crew; it is fetched with the key, which a plain link would not carry. */
import type { JSX } from "preact";
import { authorization, API } from "../api/client";
import { language, word } from "../words/language";
import { Refusal, useDeed } from "../shell/trouble";

const KEPT_MS = 60_000;

async function open(id: string): Promise<void> {
  const address = new URL(`alerts/${encodeURIComponent(id)}/crew-page`, API);
  address.searchParams.set("lang", language.value);
  const response = await fetch(address, { headers: authorization() });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const sheet = URL.createObjectURL(new Blob([await response.text()], { type: "text/html" }));
  window.open(sheet, "_blank", "noopener");
  setTimeout(() => URL.revokeObjectURL(sheet), KEPT_MS);
}

export function CrewPageButton({ id }: { id: string }): JSX.Element {
  const deed = useDeed();
  return (
    <>
      <button type="button" disabled={deed.busy} data-testid="crew-page" onClick={() => void deed.run(() => open(id))}>
        {word("crew-page")}
      </button>
      <Refusal deed={deed} />
    </>
  );
}
