/** Opens the printable sheet for the crew. */
import type { JSX } from "preact";
import { DocumentButton } from "../shell/document-button";
import { language, word } from "../words/language";

export function CrewPageButton({ id }: { id: string }): JSX.Element {
  const path = `alerts/${encodeURIComponent(id)}/crew-page`;
  return <DocumentButton name="crew-page" path={path} query={{ lang: language.value }} label={word("crew-page")} />;
}
