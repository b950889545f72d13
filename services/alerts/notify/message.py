"""What a webhook says: ``{"type", "timestamp", "data"}`` after Standard Webhooks, well under 20 kB. Pure."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from services.core.alert import Alert
from services.core.severity import label
from services.core.warning import PublicWarning
from services.core.work_order import WorkOrder

_CANDIDATES_TOLD = 3
_VALVES_TOLD = 10
_SENSORS_TOLD = 50


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _trace(alert: Alert) -> dict[str, Any] | None:
    if alert.trace is None:
        return None
    return {
        "candidates": alert.trace["candidates"][:_CANDIDATES_TOLD],
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
    body = {"type": type_, "timestamp": _moment(now), "data": content}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def warning_body(type_: str, warning: PublicWarning, alert: Alert, page: str | None, now: datetime) -> str:
    """The body about a warning; ``page`` is the address of the alert's page."""
    return _body(
        type_,
        now,
        {
            "id": str(warning.id),
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


def work_order_body(type_: str, order: WorkOrder, alert: Alert, page: str | None, now: datetime) -> str:
    """The body about a work order."""
    return _body(
        type_,
        now,
        {
            "id": str(order.id),
            "state": order.state,
            "lifeline": order.lifeline,
            "zone": order.zone,
            "asset": order.asset,
            "severity": int(order.severity),
            "organisation": order.organisation,
            "title": order.title.as_json(),
            "dispatched_at": _moment(order.dispatched_at),
            "alert": _alert(alert),
            "url": page,
        },
    )
