"""What ingest needs to read payloads again that were set aside: which ones, and what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from psycopg import AsyncConnection
from psycopg.rows import class_row

from services.core.rejection import Rejection, RejectionReason
from services.core.store.readings import ReadingColumns
from services.core.store.rejected import KeptPayload
from services.core.store.rejections import Key, key_of, storable

_LOCK = 7_340_213_552
"""Key of the advisory lock that the one process holds which reads payloads again."""

# A value received before the one that is believed now never replaces it: it joins what was believed earlier.
_SET_OLDER_ASIDE = """
with given as (
    select sensor_key, timestamptz 'epoch' + time_us * interval '1 microsecond' as time, value, quality, reason,
        timestamptz 'epoch' + received_us * interval '1 microsecond' as received_at, position
    from unnest(
        %b::integer[], %b::bigint[], %b::double precision[], %b::smallint[], %b::smallint[], %b::bigint[]
    ) with ordinality as given (sensor_key, time_us, value, quality, reason, received_us, position)
), older as (
    select given.*, held.received_at as superseded_at from given
    join reading held on held.sensor_key = given.sensor_key and held.time = given.time
    where held.value <> given.value and held.received_at > given.received_at
), kept as (
    insert into superseded_reading (sensor_key, time, value, received_at, superseded_at, quality, reason)
    select distinct on (sensor_key, time, value)
        sensor_key, time, value, received_at, superseded_at, quality, reason
    from older where not exists (
        select from superseded_reading s
        where s.sensor_key = older.sensor_key and s.time = older.time and s.value = older.value)
    order by sensor_key, time, value, received_at
)
select position - 1 from older
"""


@dataclass(frozen=True, slots=True)
class RequestedRejection:
    """A rejection that was asked to be read again; ``last_payload`` is the newest one it kept when it was taken up."""

    id: int
    topic: str
    reason: RejectionReason
    sensor: str | None
    requested_at: datetime
    last_payload: int

    def __post_init__(self) -> None:
        """Give the reason its type; the database knows a word alone."""
        object.__setattr__(self, "reason", RejectionReason(self.reason))

    @property
    def key(self) -> Key:
        """What makes it one rejection."""
        return self.topic, self.reason.value, self.sensor


async def begin(connection: AsyncConnection) -> bool:
    """Become the one process that reads payloads again, until ``end`` or the loss of the connection."""
    cursor = await connection.execute("select pg_try_advisory_lock(%s)", (_LOCK,))
    row = await cursor.fetchone()
    return bool(row and row[0])


async def end(connection: AsyncConnection) -> None:
    """Let another process have its turn."""
    await connection.execute("select pg_advisory_unlock(%s)", (_LOCK,))


async def moment(connection: AsyncConnection) -> datetime:
    """Now, by the clock that dates requests."""
    cursor = await connection.execute("select clock_timestamp()")
    row = await cursor.fetchone()
    if row is None:
        raise RuntimeError("the database answered a question for the time with nothing")
    return row[0]  # type: ignore[no-any-return]  # a row of the database is Any


async def next_requested(connection: AsyncConnection) -> RequestedRejection | None:
    """The rejection that has waited longest to be read again; ``None`` when none does."""
    async with connection.cursor(row_factory=class_row(RequestedRejection)) as cursor:
        await cursor.execute(
            """
            select id, topic, reason, sensor, reprocess_requested_at as requested_at,
                coalesce((select max(p.id) from rejected_payload p where p.rejection = rejection.id), 0) as last_payload
            from rejection where reprocess_requested_at is not null
            order by reprocess_requested_at, id limit 1
            """
        )
        return await cursor.fetchone()


async def payloads_behind(
    connection: AsyncConnection, requested: RequestedRejection, after: int, limit: int
) -> list[KeptPayload]:
    """The next payloads in the order in which they came, up to the one that was the newest at the beginning."""
    async with connection.cursor(row_factory=class_row(KeptPayload)) as cursor:
        await cursor.execute(
            """
            select id, payload, encoding, is_cut, received_at from rejected_payload
            where rejection = %s and id > %s and id <= %s order by id limit %s
            """,
            (requested.id, after, requested.last_payload, limit),
        )
        return await cursor.fetchall()


async def set_older_aside(connection: AsyncConnection, columns: ReadingColumns) -> ReadingColumns:
    """The readings that may become the belief of their moment.

    Where another value was received later than one of them, that one is noted as superseded and left out.
    """
    cursor = await connection.execute(
        _SET_OLDER_ASIDE,
        (
            columns.sensor_keys.tolist(),
            columns.times_us.tolist(),
            columns.values.tolist(),
            columns.qualities.tolist(),
            columns.reasons.tolist(),
            columns.received_us.tolist(),
        ),
    )
    older: NDArray[np.intp] = np.array([row[0] for row in await cursor.fetchall()], np.intp)
    return columns.take(np.setdiff1d(np.arange(len(columns)), older)) if len(older) else columns


async def lock(connection: AsyncConnection, requested: RequestedRejection, refused: Sequence[Rejection]) -> bool:
    """Lock the rejection, and those to which payloads move, in the order of all writers; ``False`` when it is gone."""
    keys = {requested.key, *map(key_of, refused)}
    cursor = await connection.execute(
        """
        select r.id from unnest(%b::text[], %b::text[], %b::text[]) as given (topic, reason, sensor)
        join rejection r on r.topic = given.topic and r.reason = given.reason
            and r.sensor is not distinct from given.sensor
        order by r.topic, r.reason, r.sensor for update of r
        """,
        ([key[0] for key in keys], [key[1] for key in keys], [key[2] for key in keys]),
    )
    return requested.id in {row[0] for row in await cursor.fetchall()}


async def take_out(
    connection: AsyncConnection, requested: RequestedRejection, payloads: Sequence[int], detail: str | None
) -> None:
    """Remove payloads, which are not counted any more either; ``detail`` is what is wrong with those that stay."""
    cursor = await connection.execute(
        "delete from rejected_payload where rejection = %s and id = any(%s)", (requested.id, list(payloads))
    )
    await connection.execute(
        "update rejection set count = greatest(1, count - %s), detail = coalesce(%s, detail) where id = %s",
        (cursor.rowcount, None if detail is None else storable(detail), requested.id),
    )


async def finish(connection: AsyncConnection, requested: RequestedRejection) -> None:
    """Note that the request is done, unless it was made anew; a rejection that keeps nothing any more is removed."""
    async with connection.transaction():
        await connection.execute("select from rejection where id = %s for update", (requested.id,))
        await connection.execute(
            """
            delete from rejection r
            where id = %s and not exists (select from rejected_payload p where p.rejection = r.id)
            """,
            (requested.id,),
        )
        await connection.execute(
            """
            update rejection set reprocessed_at = clock_timestamp(),
                reprocess_requested_by = case when reprocess_requested_at > %(at)s then reprocess_requested_by end,
                reprocess_requested_at = case when reprocess_requested_at > %(at)s then reprocess_requested_at end
            where id = %(id)s
            """,
            {"at": requested.requested_at, "id": requested.id},
        )
