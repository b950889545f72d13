"""What open alerts of other lifelines say about where an alert comes from, kept true when they open, change and end."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from psycopg import AsyncConnection

from services.alerts.tracing.neighbour_shares import OpenTrouble, weighed
from services.core.alert import Alert
from services.core.lifeline import Lifeline
from services.core.sensor import Sensor
from services.core.store import alerts, audit, neighbour_alerts

_DRY_SINCE = timedelta(hours=6)
"""Water that has stood on a road for longer than this after rain is not of the rain any more; a default."""
_RAIN = "rain_intensity"


async def shared_with_neighbours(connection: AsyncConnection, alert: Alert, sensors: Mapping[str, Sensor]) -> Alert:
    """The alert with the causes in its new trace weighed by open alerts at them and by rain; nothing is stored."""
    if alert.trace is None or not _causes(alert):
        return alert
    return await _weighed(connection, alert, rained=await _has_rained(connection, alert, sensors))


async def tell_neighbours(connection: AsyncConnection, alert: Alert) -> None:
    """Weigh anew the traces that hold what an alert suspects for a possible cause; it has opened, changed or ended."""
    if alert.sensor_fault:
        return
    suspected = {alert.asset, *(each["asset"] for each in (alert.trace or {}).get("candidates") or ())}
    for other in await neighbour_alerts.blaming(connection, alert, suspected):
        rained = (other.trace or {}).get("across", {}).get("rained")
        moved = await _weighed(connection, other, rained=rained)
        if moved.trace != other.trace:
            await alerts.save(connection, moved, before=other, actor=audit.SYSTEM, action="evolve")


async def _weighed(connection: AsyncConnection, alert: Alert, *, rained: bool | None) -> Alert:
    names = [each["asset"] for each in _causes(alert)]
    found = await neighbour_alerts.suspecting(connection, alert, names)
    troubles = {asset: OpenTrouble(by, share) for asset, by, share in found}
    trace = dict(alert.trace or {})
    return replace(alert, trace=trace | {"across": weighed(trace["across"], troubles, rained=rained)})


def _causes(alert: Alert) -> list[dict[str, Any]]:
    return list(((alert.trace or {}).get("across") or {}).get("causes") or ())


async def _has_rained(connection: AsyncConnection, alert: Alert, sensors: Mapping[str, Sensor]) -> bool | None:
    """Whether it rained in the zone before water was seen there; nobody asks that of other lifelines."""
    if alert.lifeline is not Lifeline.DRAINAGE:
        return None
    gauges = [each.key for each in sensors.values() if each.quantity == _RAIN and each.zone == alert.zone]
    if not gauges:
        return None
    return await neighbour_alerts.has_rained(connection, gauges, alert.started_at - _DRY_SINCE, alert.last_at)
