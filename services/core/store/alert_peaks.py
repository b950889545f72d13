"""The worst value so far of an alert, from the readings of its episode."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from psycopg import AsyncConnection

from services.core.alert import Alert
from services.core.store import history, summary

# An episode may last for months, in which a sensor says a million values: the summary of the hours says in which one
# the worst lies, and only that one and those at both ends, which are not whole, are read value by value. An hour whose
# readings are not kept any more has none; then the others count. The hours are put aside first: what it takes to find
# them hides from the planner how much it matters in which way they are joined.
_PEAKS = f"""
with episode as (
    select given.id, given.key, given.start, coalesce(given.stop, 'infinity') as stop, given.is_below
    from unnest(%(ids)s::uuid[], %(keys)s::int[], %(starts)s::timestamptz[], %(stops)s::timestamptz[],
                %(below)s::boolean[]) as given (id, key, start, stop, is_below)
), hour as materialized (
    select sensor_key, bucket, minimum, maximum from {summary.HOUR.view}
    where sensor_key = any(%(keys)s::int[]) and bucket >= %(first)s and count > 0
), worst_hour as (
    select distinct on (episode.id) episode.id, hour.bucket
    from episode
    join hour on hour.sensor_key = episode.key
        and hour.bucket >= episode.start and hour.bucket < episode.stop - {summary.HOUR.interval}
    order by episode.id, case when episode.is_below then hour.minimum else -hour.maximum end, hour.bucket
), stretch as (
    select id, start as since, least(stop, start + {summary.HOUR.interval}) as until from episode
    union all
    select id, greatest(start, stop - {summary.HOUR.interval}), stop from episode where stop < 'infinity'
    union all
    select id, bucket, bucket + {summary.HOUR.interval} from worst_hour
)
select distinct on (episode.id) episode.id, reading.value, reading.time
from episode
join stretch on stretch.id = episode.id
join reading on reading.sensor_key = episode.key
    and reading.time >= stretch.since and reading.time <= stretch.until and reading.quality < 2
order by episode.id, case when episode.is_below then reading.value else -reading.value end, reading.time
"""


async def peaks_of(connection: AsyncConnection, found: Sequence[Alert]) -> dict[UUID, tuple[float, datetime]]:
    """The worst value so far of each alert that one sensor raised, and when it was first so.

    An alert's own ``peak_value`` is what its highest finding saw; the value may go further without a new finding.
    Which way is worse follows from the side of the limit on which the finding was.
    """
    of_one = [alert for alert in found if len(alert.sensors) == 1 and alert.peak_value is not None]
    known = await history.keys_and_units(connection, [alert.sensors[0] for alert in of_one])
    single = [alert for alert in of_one if alert.sensors[0] in known]
    if not single:
        return {}
    cursor = await connection.execute(
        _PEAKS.encode(),
        {
            "ids": [alert.id for alert in single],
            "keys": [known[alert.sensors[0]][0] for alert in single],
            "first": min(alert.started_at for alert in single),
            "starts": [alert.started_at for alert in single],
            "stops": [alert.cleared_at for alert in single],
            "below": [
                alert.threshold is not None and alert.peak_value is not None and alert.peak_value < alert.threshold
                for alert in single
            ],
        },
    )
    return {row[0]: (row[1], row[2]) async for row in cursor}
