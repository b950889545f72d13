"""Where alerts are on the map."""

from collections.abc import Sequence
from uuid import UUID

from psycopg import AsyncConnection

from services.core.alert import Alert
from services.core.geometry import centre, distance_m

Place = tuple[tuple[float, float], ...]
"""Positions, longitude first; none where nobody knows."""


async def places_of(connection: AsyncConnection, alerts: Sequence[Alert]) -> dict[UUID, Place]:
    """Of each alert its asset's centre; of one at no asset of the map (a gateway) the positions of its sensors."""
    cursor = await connection.execute(
        "select id, geometry from asset where id = any(%s)", (sorted({alert.asset for alert in alerts}),)
    )
    at_assets: dict[str, Place] = {row[0]: (centre(row[1]),) async for row in cursor}
    others = sorted({sensor for alert in alerts if alert.asset not in at_assets for sensor in alert.sensors})
    of_sensors: dict[str, tuple[float, float]] = {}
    if others:
        cursor = await connection.execute("select id, longitude, latitude from sensor where id = any(%s)", (others,))
        of_sensors = {row[0]: (row[1], row[2]) async for row in cursor}
    return {
        alert.id: at_assets.get(alert.asset)
        or tuple(of_sensors[sensor] for sensor in alert.sensors if sensor in of_sensors)
        for alert in alerts
    }


def apart_m(first: Place, second: Place) -> float | None:
    """Metres between the nearest points of two places; ``None`` where one of them is unknown."""
    return min((distance_m(one, other) for one in first for other in second), default=None)
