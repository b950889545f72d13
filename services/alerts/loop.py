"""What follows from a finding: the alert, the trace, the warning by rule, the work order. One transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from psycopg import AsyncConnection

from services.alerts import alert_merge, neighbour_alerts
from services.alerts.devices import reporting
from services.alerts.suppression.judge import judged
from services.alerts.tracing.area import area_of
from services.alerts.tracing.city_graph import CityGraph
from services.alerts.tracing.loss import DEFAULT_PRICE, WaterPrice
from services.core import jobs
from services.core.alert import Alert
from services.core.alert_kind import AlertKind
from services.core.finding import Finding, FindingState
from services.core.lifeline import Lifeline
from services.core.sensor import Sensor
from services.core.settings import ConfigurationError
from services.core.severity import Severity
from services.core.store import (
    alerts,
    audit,
    cases,
    findings,
    order_moves,
    organisations,
    warning_policies,
    warnings,
    work_orders,
)
from services.core.text import Text
from services.core.warning import PublicWarning
from services.core.warning_policy import APPROVALS, Decision


class UnknownKindError(ConfigurationError):
    """A finding is of a kind that the catalogue in the database does not hold: run ``lifeline migrate``."""


@dataclass(frozen=True, slots=True)
class City:
    """What the loop has to know about the city to draw conclusions.

    ``causes`` are the kinds of alert that may explain others. An episode that comes back ``reopens_within`` so long of
    its end goes on as the same alert.
    """

    kinds: Mapping[tuple[Lifeline, str], AlertKind]
    graph: CityGraph
    sensor_assets: Mapping[str, str]
    price: WaterPrice = DEFAULT_PRICE
    sensors: Mapping[str, Sensor] = field(default_factory=dict)
    causes: frozenset[str] = frozenset()
    reopens_within: timedelta = timedelta(0)

    def asset_name(self, asset: str) -> Text:
        """The name of an asset; what is no asset (a gateway) is called by its identifier."""
        known = self.graph.assets.get(asset)
        return known.name if known is not None else Text(asset, asset)


async def conclude(connection: AsyncConnection, city: City, finding: Finding) -> Alert | None:
    """Take a finding through the loop in the caller's transaction.

    Returns the alert it belongs to; ``None`` when the finding was there already, or clears what nobody had raised.

    Raises:
        UnknownKindError: the catalogue does not know the finding's kind.
    """
    kind = city.kinds.get((finding.lifeline, finding.kind))
    if kind is None:
        raise UnknownKindError(f"{finding.lifeline} knows no kind {finding.kind!r}: run `lifeline migrate`")
    if not await findings.add(connection, finding):
        return None
    if kind.report_every is not None:
        await reporting.ask_for(connection, finding, kind.report_every, city.sensors)
        return None
    alert = await _alert_of(connection, city, kind, finding)
    if alert is None:
        return None
    await findings.attach(connection, finding.id, alert.id)
    await order_moves.reopen_if_watched(connection, alert, datetime.now(UTC))
    await warn_by_rule(connection, city, kind, alert)
    return alert


async def warn_by_rule(connection: AsyncConnection, city: City, kind: AlertKind, alert: Alert) -> None:
    """Publish what policy and rule publish, unless something keeps the alert quiet."""
    if alert.suppression is not None or alert.cleared_at is not None or alert.severity is Severity.NORMAL:
        return
    running = await warnings.find_open(connection, alert.id)
    headline = kind.headline(alert.severity, city.asset_name(alert.asset))
    if running is not None:
        if alert.severity > running.severity:
            await _raise(connection, alert, running, headline)
        return
    policy, version = await warning_policies.in_force(connection)
    decision = policy.decision(kind, alert.zone, alert.severity)
    if decision is Decision.PERSON or await _was_warned(connection, alert):
        return
    now = datetime.now(UTC)
    organisation = await organisations.responsible_organisation(connection, alert.asset, alert.lifeline)
    publication = warnings.Publication(
        severity=alert.severity,
        headline=headline,
        instruction=kind.instruction,
        organisation=organisation,
        actor=audit.SYSTEM,
        policy=f"rule {alert.rule}: published from severity {int(kind.publishes_from or alert.severity)}",
        area=area_of(city.graph.assets, alert.asset, alert.trace),
        valid_until=None if policy.valid_for is None else now + policy.valid_for,
        approval=APPROVALS[decision],
        policy_version=version,
    )
    warning = await warnings.publish(connection, alert, publication, now=now)
    if warning.published_at is None:
        # A crew is sent out when the warning is approved.
        return
    await work_orders.dispatch(
        connection,
        alert,
        warning=warning.id,
        severity=alert.severity,
        organisation=organisation,
        title=headline,
        actor=audit.SYSTEM,
        now=now,
    )


async def _alert_of(connection: AsyncConnection, city: City, kind: AlertKind, finding: Finding) -> Alert | None:
    running = await alerts.find_open(connection, finding.asset, finding.kind)
    ended = None
    if running is None and finding.state is not FindingState.CLEARED:
        since = finding.started_at - city.reopens_within
        ended = await alerts.find_recent(connection, finding.asset, finding.kind, since)
    now = datetime.now(UTC)
    before = running if ended is None else alert_merge.reopened(ended)
    breaks = await cases.breaks_in(connection, finding.lifeline, without=None if before is None else before.id)
    sources = alert_merge.Sources(city.graph, city.sensor_assets, city.price, breaks)
    alert = alert_merge.take(before, finding, kind, sources, now)
    if alert is None:
        return None
    is_retraced = alert.trace is not None and (before is None or alert.trace is not before.trace)
    if is_retraced:
        alert = await neighbour_alerts.shared_with_neighbours(connection, alert, city.sensors)
    if running is None or _is_news(running, alert):
        alert = await judged(connection, alert, city.asset_name, now)
    stored = running or ended
    if stored is None:
        await alerts.add(connection, alert, audit.SYSTEM)
    else:
        action = "reopen" if ended is not None else "clear" if alert.cleared_at is not None else "evolve"
        alert = await alerts.save(connection, alert, before=stored, actor=audit.SYSTEM, action=action)
    if is_retraced or alert.cleared_at is not None:
        await neighbour_alerts.tell_neighbours(connection, alert)
    if kind.kind in city.causes and (running is None or alert.cleared_at is not None):
        await jobs.defer(connection, jobs.REVIEW, queue=jobs.REVIEWS, cause=str(alert.id))
    return alert


def _is_news(before: Alert, alert: Alert) -> bool:
    """Whether what keeps an alert quiet, or whether it explains others, may have changed."""
    return (before.severity, before.sensors, before.state) != (alert.severity, alert.sensors, alert.state)


async def _raise(connection: AsyncConnection, alert: Alert, warning: PublicWarning, headline: Text) -> None:
    await warnings.grade(connection, warning, alert.severity, headline, actor=audit.SYSTEM)
    order = await work_orders.find_open(connection, alert.id)
    if order is not None and order.severity < alert.severity:
        await work_orders.raise_severity(connection, order, alert.severity, headline, actor=audit.SYSTEM)


async def _was_warned(connection: AsyncConnection, alert: Alert) -> bool:
    """Whether a person has already lifted a warning of this episode; the rule does not overrule them."""
    return bool(await warnings.list_warnings(connection, is_open=False, alert=alert.id, before=None, limit=1))
