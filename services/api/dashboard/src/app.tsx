/** The shell: sign-in, header, and the page of the address. */
import { useComputed, useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { apiKey } from "./api/key";
import { AlertPage } from "./alerts/alert-page";
import { BridgePage } from "./bridges/bridge-page";
import { start } from "./city/live";
import { openAlerts } from "./city/store";
import { DutyPage } from "./office/duty-page";
import { FiguresPage } from "./office/figures-page";
import { PoliciesPage } from "./office/policies-page";
import { ReceiversPage } from "./office/receivers-page";
import { SilencesPage } from "./office/silences-page";
import { NotificationsPage } from "./records/notifications-page";
import { RejectionsPage } from "./records/rejections-page";
import { route } from "./route";
import { SensorPage } from "./sensors/sensor-page";
import { SensorsPage } from "./sensors/sensors-page";
import { Header } from "./shell/header";
import { KeyHelp } from "./shell/key-help";
import { LoginPage } from "./shell/login-page";
import { OverviewPage } from "./shell/overview-page";
import { PageBoundary } from "./shell/page-boundary";
import { StormPage } from "./storm/storm-page";
import { word } from "./words/language";

function CurrentPage(): JSX.Element {
  const at = route.value;
  switch (at.page) {
    case "alert":
      return <AlertPage key={at.id} id={at.id} />;
    case "sensor":
      return <SensorPage key={at.id} id={at.id} />;
    case "sensors":
      return <SensorsPage />;
    case "bridges":
      return <BridgePage zone={at.zone} />;
    case "storm":
      return <StormPage />;
    case "rejections":
      return <RejectionsPage />;
    case "notifications":
      return <NotificationsPage />;
    case "figures":
      return <FiguresPage />;
    case "silences":
      return <SilencesPage />;
    case "duty":
      return <DutyPage />;
    case "receivers":
      return <ReceiversPage />;
    case "policies":
      return <PoliciesPage />;
    default:
      return <OverviewPage />;
  }
}

function Desk(): JSX.Element {
  useEffect(start, []);
  const main = useRef<HTMLElement>(null);
  const shown = useRef(route.value);
  useSignalEffect(() => {
    // Keyboard and screen reader follow to the new page, but not on the very first one.
    if (route.value !== shown.current) main.current?.focus();
    shown.current = route.value;
  });
  const skip = (event: Event): void => {
    event.preventDefault();
    main.current?.focus();
  };
  return (
    <>
      <a class="skip" href="#content" onClick={skip}>
        {word("skip")}
      </a>
      <Header />
      <main id="content" ref={main} tabIndex={-1}>
        <PageBoundary key={JSON.stringify(route.value)}>
          <CurrentPage />
        </PageBoundary>
      </main>
      <KeyHelp />
    </>
  );
}

export function App(): JSX.Element {
  const signedIn = useComputed(() => apiKey.value !== null);
  useSignalEffect(() => {
    const count = openAlerts.value.length;
    document.title = count && apiKey.value ? `(${count}) ${word("name")}` : word("name");
  });
  // A new key starts afresh, so that nothing of the old key's stream goes on.
  return signedIn.value ? <Desk key={apiKey.value ?? ""} /> : <LoginPage />;
}
