/** Keeps a mistake on one page to that page: it says so, and header, alerts' tone and the other pages go on. */
import { Component, type ComponentChildren } from "preact";
import { word } from "../words/language";

interface Bounded {
  children: ComponentChildren;
}

export class PageBoundary extends Component<Bounded, { mistake: Error | null }> {
  override state = { mistake: null as Error | null };

  static override getDerivedStateFromError(error: unknown): { mistake: Error } {
    // The browser's log has where it happened; the page has what it was.
    console.error(error);
    return { mistake: error instanceof Error ? error : new Error(String(error)) };
  }

  override render(): ComponentChildren {
    const { mistake } = this.state;
    if (!mistake) return this.props.children;
    return (
      <p class="trouble" role="alert" data-testid="page-mistake">
        {word("page.mistake")} <code>{mistake.message}</code>{" "}
        <button type="button" onClick={() => this.setState({ mistake: null })}>
          {word("retry")}
        </button>
      </p>
    );
  }
}
