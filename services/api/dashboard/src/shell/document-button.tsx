/** Opens a printable document of the service; it is fetched with the key, which a plain link would not carry. */
import type { JSX } from "preact";
import { API, authorization, type Query } from "../api/client";
import { Refusal, useDeed } from "./trouble";

const KEPT_MS = 60_000;

async function open(path: string, query: Query): Promise<void> {
  const address = new URL(path, API);
  for (const [name, value] of Object.entries(query)) address.searchParams.set(name, String(value));
  const response = await fetch(address, { headers: authorization() });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const sheet = URL.createObjectURL(new Blob([await response.text()], { type: "text/html" }));
  window.open(sheet, "_blank", "noopener");
  setTimeout(() => URL.revokeObjectURL(sheet), KEPT_MS);
}

interface Opens {
  name: string;
  path: string;
  query?: Query;
  label: string;
}

export function DocumentButton({ name, path, query = {}, label }: Opens): JSX.Element {
  const deed = useDeed();
  return (
    <>
      <button type="button" disabled={deed.busy} data-testid={name} onClick={() => void deed.run(() => open(path, query))}>
        {label}
      </button>
      <Refusal deed={deed} />
    </>
  );
}
