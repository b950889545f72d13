"""What the sensors of an alert say now, from the alert and their newest readings."""

from datetime import datetime, timedelta
from uuid import UUID

from psycopg import AsyncConnection

from services.core.alert import AlertState, Verdict
from services.core.sensor import tolerated_silence_s
from services.core.sensor_standing import SensorStanding
from services.core.store import alerts

_NOT_OF_THE_CITY = frozenset({Verdict.FALSE_ALARM, Verdict.TEST})


async def sensor_standing(connection: AsyncConnection, alert: UUID, now: datetime) -> SensorStanding:
    """What the alert and its registered sensors say; one is silent after three of its intervals, 15 min at least.

    Values that rose again and fell, before anybody verified, are another episode: the hold time begins after the last.
    """
    known = await alerts.find(connection, alert)
    if known is None:
        return SensorStanding.unknown()
    cursor = await connection.execute(
        """
        select sensor.id, sensor.interval_s, latest.time, latest.received_at
        from sensor left join latest on latest.sensor_key = sensor.key
        where sensor.id = any(%s) order by sensor.id
        """,
        (list(known.sensors),),
    )
    rows = await cursor.fetchall()
    silent = {
        sensor
        for sensor, interval_s, _, received_at in rows
        if received_at is None or now - received_at > timedelta(seconds=tolerated_silence_s(interval_s))
    }
    last = await alerts.find_last(connection, known)
    again = "" if last.id == known.id else f" again, as alert {last.id}"
    return SensorStanding(
        description=f"still {last.state} at severity {int(last.severity)}{again}",
        cleared_at=last.cleared_at if last.state is AlertState.CLEARED else None,
        sensors=tuple(row[0] for row in rows),
        newest={row[0]: row[2] for row in rows if row[2] is not None},
        silent=frozenset(silent),
        is_judged=known.verdict in _NOT_OF_THE_CITY,
    )
