"""From findings to alerts: one evolving record an episode. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID, uuid5

import structlog

from services.alerts.tracing.city_graph import CityGraph
from services.alerts.tracing.loss import DEFAULT_PRICE, WaterPrice
from services.alerts.tracing.trace import suspected, trace
from services.core.alert import MOVES, Alert, AlertMove, AlertState
from services.core.alert_kind import AlertKind
from services.core.finding import Finding, FindingState
from services.core.move import next_state
from services.core.severity import Severity

log = structlog.get_logger()

_MATERIAL = 0.2
"""A share of the suspicion that has moved by so much is worth a new trace."""
_NAMESPACE = UUID("6f1b7a52-2f0e-4a55-9c41-1f3d3b8f6a10")


@dataclass(frozen=True, slots=True)
class Sources:
    """Where an alert may come from: the network, the asset at which each sensor sits, and what broke how often."""

    graph: CityGraph
    sensor_assets: Mapping[str, str]
    price: WaterPrice = DEFAULT_PRICE
    breaks: Mapping[str, int] = field(default_factory=dict)


def take(running: Alert | None, finding: Finding, kind: AlertKind, sources: Sources, now: datetime) -> Alert | None:
    """The alert after a finding, traced; ``running`` is the open alert of the finding's asset and kind, if any.

    ``None`` when the finding clears what nobody had raised, or only asks a device to report faster. The trace is made
    when the alert opens, and anew when it gets worse, more sensors speak or a search suspects others; what a rule sees
    when it lets go says nothing about where the trouble came from.
    """
    if kind.report_every is not None:
        return None
    if running is None:
        if finding.state is FindingState.CLEARED:
            return None
        return _traced(open_episode(finding, kind, now), finding, sources)
    merged = merge(running, finding)
    is_news = (
        merged.highest_severity > running.highest_severity
        or set(merged.sensors) != set(running.sensors)
        or _suspicion_moved(running, finding, sources.breaks)
    )
    return _traced(merged, finding, sources) if is_news and finding.state is not FindingState.CLEARED else merged


def _suspicion_moved(running: Alert, finding: Finding, breaks: Mapping[str, int]) -> bool:
    """Whether a search suspects another asset first than the trace does, or a share of the suspicion has moved."""
    suspects = dict(suspected(finding.evidence, breaks))
    if not suspects:
        return False
    candidates = (running.trace or {}).get("candidates") or []
    traced = {each["asset"]: each["probability"] for each in candidates}
    if next(iter(traced), None) != next(iter(suspects)):
        return True
    return any(abs(suspects.get(asset, 0.0) - traced.get(asset, 0.0)) >= _MATERIAL for asset in suspects | traced)


def _traced(alert: Alert, finding: Finding, sources: Sources) -> Alert:
    if alert.sensor_fault:
        return alert
    try:
        found = trace(
            sources.graph, alert, finding.evidence, sources.sensor_assets, sources.price, breaks=sources.breaks
        )
    except Exception:
        # An alert that cannot be traced is told all the same: what tracing stumbles over must not silence it.
        log.exception("an alert could not be traced", alert=str(alert.id), kind=alert.kind, asset=alert.asset)
        return alert
    return replace(alert, trace=found)


def _says_why(finding: Finding) -> bool:
    """Whether it weighs causes, which a limit that was exceeded at the same moment does not."""
    return bool((finding.evidence.get("seen") or {}).get("causes"))


def _rule_at(finding: Finding) -> str:
    return f"{finding.rule}@{finding.target}"


def open_episode(finding: Finding, kind: AlertKind, now: datetime) -> Alert:
    """A new alert from the finding that opens it; its identifier follows from the finding's."""
    return Alert(
        id=uuid5(_NAMESPACE, finding.id),
        state=AlertState.OPEN,
        lifeline=finding.lifeline,
        kind=finding.kind,
        zone=finding.zone,
        asset=finding.asset,
        sensors=finding.sensors,
        severity=finding.severity,
        highest_severity=finding.severity,
        scheme=kind.scheme,
        sensor_fault=kind.sensor_fault,
        started_at=finding.started_at,
        detected_at=finding.time,
        last_at=finding.time,
        cleared_at=None,
        finding_count=1,
        open_rules={_rule_at(finding): int(finding.severity)},
        peak_value=finding.value,
        peak_at=finding.time,
        threshold=finding.threshold,
        rule=finding.rule,
        detector=finding.detector,
        detector_version=finding.detector_version,
        explanation=finding.explanation,
        trace=None,
        acknowledged_by=None,
        acknowledged_at=None,
        verdict=None,
        verdict_reason=None,
        created_at=now,
        version=1,
    )


def reopened(alert: Alert) -> Alert:
    """An episode that was over and comes back; what a person said of it (taken on, assigned) still holds."""
    state = next_state("alert", MOVES, alert.state, AlertMove.REOPEN)
    if alert.acknowledged_at is not None:
        state = AlertState.ACKNOWLEDGED
    return replace(alert, state=state, cleared_at=None, open_rules={}, reopened=alert.reopened + 1)


def merge(alert: Alert, finding: Finding) -> Alert:
    """The alert after one more finding of its episode.

    The words and the threshold stay those of the finding that gave the highest severity. When no rule holds the
    episode open any more it is cleared at the event time of the finding that released it.
    """
    rules: Mapping[str, int]
    if finding.state is FindingState.CLEARED:
        rules = {rule: level for rule, level in alert.open_rules.items() if rule != _rule_at(finding)}
    else:
        rules = {**alert.open_rules, _rule_at(finding): int(finding.severity)}
    merged = replace(
        alert,
        sensors=tuple(sorted({*alert.sensors, *finding.sensors})),
        severity=Severity(max(rules.values(), default=0)),
        started_at=min(alert.started_at, finding.started_at),
        last_at=max(alert.last_at, finding.time),
        finding_count=alert.finding_count + 1,
        open_rules=rules,
    )
    if finding.severity == alert.highest_severity and _says_why(finding) and finding.state is not FindingState.CLEARED:
        merged = replace(merged, explanation=finding.explanation)
    if finding.severity > alert.highest_severity:
        merged = replace(
            merged,
            highest_severity=finding.severity,
            peak_value=finding.value,
            peak_at=finding.time,
            threshold=finding.threshold,
            rule=finding.rule,
            detector=finding.detector,
            detector_version=finding.detector_version,
            explanation=finding.explanation,
        )
    if rules:
        return merged
    state = next_state("alert", MOVES, alert.state, AlertMove.CLEAR)
    return replace(merged, state=state, cleared_at=finding.time)
