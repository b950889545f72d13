/** The frame of every page of the back office: its navigation, its title, what it is for. */
import type { ComponentChildren, JSX } from "preact";
import { may } from "../api/session";
import { useDirectory } from "../city/directory";
import { ADMINISTRATORS_PAGES, OFFICE_PAGES, type OfficePage as Page, route } from "../route";
import { Loading } from "../shell/marks";
import { SubNavigation } from "../shell/sub-navigation";
import { Trouble } from "../shell/trouble";
import { word } from "../words/language";

function OfficeNavigation(): JSX.Element {
  const pages = OFFICE_PAGES.filter((page) => may("administer") || !ADMINISTRATORS_PAGES.includes(page)).map((page) => ({
    address: `#/${page}`,
    name: word(`office.${page}`),
    here: route.value.page === page,
    testid: `office-${page}`,
  }));
  return <SubNavigation label={word("office")} pages={pages} />;
}

interface Frame {
  page: Page;
  /** The answer is not there yet. */
  loading: boolean;
  problem: Error | null;
  again: () => void;
  children: ComponentChildren;
}

export function OfficePage({ page, loading, problem, again, children }: Frame): JSX.Element {
  useDirectory();
  return (
    <div class="office" data-testid={`page-${page}`}>
      <OfficeNavigation />
      <article class="record panel">
        <h1>{word(`office.${page}`)}</h1>
        <p class="quiet">{word(`office.${page}.why`)}</p>
        {problem && <Trouble problem={problem} again={again} />}
        {loading && !problem && <Loading />}
        {children}
      </article>
    </div>
  );
}
