/** The shell: sign-in, header, and the page of the address. */
import { useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { apiKey, sessionToken, signedIn } from "./api/key";
import { lookForSession, looked } from "./api/session";
import { start } from "./city/live";
import { openAlerts } from "./city/store";
import { route } from "./route";
import { Header } from "./shell/header";
import { KeyHelp } from "./shell/key-help";
import { lazily } from "./shell/lazy-page";
import { LoginPage } from "./shell/login-page";
import { isOffline } from "./shell/offline";
import { PageBoundary } from "./shell/page-boundary";
import { word } from "./words/language";

const OverviewPage = lazily(async () => (await import("./shell/overview-page")).OverviewPage);
const WallPage = lazily(async () => (await import("./wall/wall-page")).WallPage);
const AlertPage = lazily(async () => (await import("./alerts/alert-page")).AlertPage);
const SensorPage = lazily(async () => (await import("./sensors/sensor-page")).SensorPage);
const SensorsPage = lazily(async () => (await import("./sensors/sensors-page")).SensorsPage);
const AssetsPage = lazily(async () => (await import("./assets/assets-page")).AssetsPage);
const AssetPage = lazily(async () => (await import("./assets/asset-page")).AssetPage);
const BridgePage = lazily(async () => (await import("./bridges/bridge-page")).BridgePage);
const StormPage = lazily(async () => (await import("./storm/storm-page")).StormPage);
const FieldPage = lazily(async () => (await import("./field/field-page")).FieldPage);
const IncidentsPage = lazily(async () => (await import("./incidents/incidents-page")).IncidentsPage);
const IncidentPage = lazily(async () => (await import("./incidents/incident-page")).IncidentPage);
const PlansPage = lazily(async () => (await import("./incidents/plans-page")).PlansPage);
const PlanPage = lazily(async () => (await import("./incidents/plan-page")).PlanPage);
const RejectionsPage = lazily(async () => (await import("./records/rejections-page")).RejectionsPage);
const AuditPage = lazily(async () => (await import("./records/audit-page")).AuditPage);
const NotificationsPage = lazily(async () => (await import("./records/notifications-page")).NotificationsPage);
const FiguresPage = lazily(async () => (await import("./office/figures-page")).FiguresPage);
const SilencesPage = lazily(async () => (await import("./office/silences-page")).SilencesPage);
const DutyPage = lazily(async () => (await import("./office/duty-page")).DutyPage);
const ReceiversPage = lazily(async () => (await import("./office/receivers-page")).ReceiversPage);
const UsersPage = lazily(async () => (await import("./office/users-page")).UsersPage);
const KeysPage = lazily(async () => (await import("./office/keys-page")).KeysPage);
const ImportPage = lazily(async () => (await import("./office/import-page")).ImportPage);
const RulesPage = lazily(async () => (await import("./office/rules-page")).RulesPage);
const DepotsPage = lazily(async () => (await import("./office/depots-page")).DepotsPage);
const HandoversPage = lazily(async () => (await import("./office/handovers-page")).HandoversPage);
const PoliciesPage = lazily(async () => (await import("./office/policies-page")).PoliciesPage);

function CurrentPage(): JSX.Element {
  const at = route.value;
  switch (at.page) {
    case "wall":
      return <WallPage />;
    case "alert":
      return <AlertPage key={at.id} id={at.id} />;
    case "sensor":
      return <SensorPage key={at.id} id={at.id} />;
    case "sensors":
      return <SensorsPage />;
    case "assets":
      return <AssetsPage />;
    case "asset":
      return <AssetPage key={at.id} id={at.id} />;
    case "bridges":
      return <BridgePage zone={at.zone} />;
    case "storm":
      return <StormPage />;
    case "incidents":
      return <IncidentsPage />;
    case "incident":
      return <IncidentPage key={at.id} id={at.id} />;
    case "plans":
      return <PlansPage />;
    case "plan":
      return <PlanPage key={at.id} id={at.id} />;
    case "rejections":
      return <RejectionsPage />;
    case "audit":
      return <AuditPage />;
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
    case "users":
      return <UsersPage />;
    case "keys":
      return <KeysPage />;
    case "import":
      return <ImportPage />;
    case "rules":
      return <RulesPage />;
    case "depots":
      return <DepotsPage />;
    case "handovers":
      return <HandoversPage />;
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
      {route.value.page !== "wall" && <Header />}
      <main id="content" ref={main} tabIndex={-1}>
        <PageBoundary key={JSON.stringify(route.value)}>
          <CurrentPage />
        </PageBoundary>
      </main>
      <KeyHelp />
    </>
  );
}

/** The page of a crew stands alone: a phone has no use for a city of sensors, and no signal to load it. */
function Field({ id }: { id: string | null }): JSX.Element {
  return (
    <main id="content">
      <PageBoundary>
        <FieldPage id={id} />
      </PageBoundary>
    </main>
  );
}

export function App(): JSX.Element {
  useEffect(() => void lookForSession(), []);
  useSignalEffect(() => {
    const count = openAlerts.value.length;
    document.title = count && signedIn.value ? `(${count}) ${word("name")}` : word("name");
  });
  // Without a network nobody can sign in; a crew still sees what its phone holds, and what it does waits for the key.
  if (route.value.page === "field" && (signedIn.value || isOffline.value)) return <Field id={route.value.id} />;
  // A new key starts afresh, so that nothing of the old key's stream goes on.
  if (!signedIn.value) return looked.value ? <LoginPage /> : <main class="login" />;
  return <Desk key={apiKey.value ?? sessionToken.value ?? ""} />;
}
