"""What a webhook says: ``{"type", "timestamp", "data"}`` after Standard Webhooks, never more than 20 kB. Pure."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from services.core.alert import Alert
from services.core.incident import Incident
from services.core.response_plan import PlanActivation
from services.core.severity import Severity, label
from services.core.warning import PublicWarning
from services.core.work_order import WorkOrder

_CANDIDATES_TOLD = 3
_VALVES_TOLD = 10
_SENSORS_TOLD = 50
_STEPS_TOLD = 20
LARGEST_BODY_BYTES = 20_000
"""What Standard Webhooks asks senders to stay below."""
_TEXT_LENGTHS = (1000, 300, 100)
"""To how many characters texts are cut, one after the other, until the body is small enough."""


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _trace(alert: Alert) -> dict[str, Any] | None:
    if alert.trace is None:
        return None
    candidates = alert.trace["candidates"][:_CANDIDATES_TOLD]
    return {
        # Where a candidate lies on the map is the page's business; a long pipe would fill the message.
        "candidates": [{name: each[name] for name in each if name != "geometry"} for each in candidates],
        "isolation": alert.trace["isolation"][:_VALVES_TOLD],
    }


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "id": str(alert.id),
        "kind": alert.kind,
        "state": alert.state,
        "sensors": list(alert.sensors[:_SENSORS_TOLD]),
        "sensor_count": len(alert.sensors),
        "started_at": _moment(alert.started_at),
        "detected_at": _moment(alert.detected_at),
        "severity": int(alert.severity),
        "highest_severity": int(alert.highest_severity),
        "value": alert.peak_value,
        "threshold": alert.threshold,
        "explanation": alert.explanation.as_json(),
        "trace": _trace(alert),
    }


def _body(type_: str, now: datetime, content: Mapping[str, Any]) -> str:
    body: Any = {"type": type_, "timestamp": _moment(now), "data": content}
    written = _written(body)
    for longest in _TEXT_LENGTHS:
        if len(written.encode()) < LARGEST_BODY_BYTES:
            return written
        body = _shortened(body, longest)
        written = _written(body)
    if len(written.encode()) < LARGEST_BODY_BYTES:
        return written
    if body["data"].get("alert") is not None:
        body["data"]["alert"] |= {"trace": None, "sensors": []}
    return _written(body)


def _written(body: Any) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _shortened(content: Any, longest: int) -> Any:
    """The same with every text cut to so many characters."""
    if isinstance(content, str):
        return content if len(content) <= longest else content[: longest - 1] + "…"
    if isinstance(content, Mapping):
        return {name: _shortened(value, longest) for name, value in content.items()}
    if isinstance(content, list):
        return [_shortened(value, longest) for value in content]
    return content


def warning_body(
    type_: str, warning: PublicWarning, alert: Alert, page: str | None, now: datetime, *, exercise: bool = False
) -> str:
    """The body about a warning; ``page`` is the address of the alert's page, ``exercise`` that it is not in earnest."""
    return _body(
        type_,
        now,
        {
            "id": str(warning.id),
            "exercise": exercise,
            "state": warning.state,
            "lifeline": warning.lifeline,
            "zone": warning.zone,
            "asset": warning.asset,
            "severity": int(warning.severity),
            "label": label(warning.severity, warning.scheme).as_json(),
            "scheme": warning.scheme,
            "headline": warning.headline.as_json(),
            "instruction": warning.instruction.as_json(),
            "policy": warning.policy,
            "published_at": _moment(warning.published_at),
            "lifted_at": _moment(warning.lifted_at),
            "alert": _alert(alert),
            "url": page,
        },
    )


def plan_body(
    type_: str, activation: PlanActivation, incident: Incident, now: datetime, *, exercise: bool = False
) -> str:
    """The body about a response plan; the titles of an exercise say that it is one."""
    return _body(
        type_,
        now,
        {
            "id": str(activation.id),
            "exercise": exercise,
            # A plan is set going in need: it is told like the worst, whatever the alert behind it is graded.
            "severity": int(Severity.CRITICAL),
            "lifeline": incident.lifeline,
            "asset": incident.asset,
            "incident": str(incident.id),
            "plan": activation.plan,
            "version": activation.plan_version,
            "title": activation.title.as_json(),
            "exclusion_radius_m": activation.exclusion_radius_m,
            "steps": [
                {
                    "number": step.number,
                    "label": step.label.as_json(),
                    "role": step.role,
                    "organisation": step.organisation,
                    "person": step.person_name,
                    "phone": step.phone,
                    "due_at": _moment(step.due_at),
                    "done_at": _moment(step.done_at),
                }
                for step in activation.steps[:_STEPS_TOLD]
            ],
        },
    )


def work_order_body(
    type_: str, order: WorkOrder, alert: Alert | None, page: str | None, now: datetime, *, exercise: bool = False
) -> str:
    """The body about a work order; an exercise has no alert."""
    return _body(
        type_,
        now,
        {
            "id": str(order.id),
            "exercise": exercise,
            "state": order.state,
            "lifeline": order.lifeline,
            "zone": order.zone,
            "asset": order.asset,
            "severity": int(order.severity),
            "organisation": order.organisation,
            "title": order.title.as_json(),
            "dispatched_at": _moment(order.dispatched_at),
            "alert": None if alert is None else _alert(alert),
            "url": page,
        },
    )
