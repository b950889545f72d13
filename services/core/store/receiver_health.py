"""How receivers are doing: who is left alone for a while, who tries first after that, and how fast one may be told.

The rows are shared by all processes that deliver, so that together they keep to one receiver's pace.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg import AsyncConnection
from psycopg.rows import class_row

from services.core.channel import Pace

_LONGEST_ERROR = 500


@dataclass(frozen=True, slots=True)
class ReceiverHealth:
    """Failures in a row, and until when a receiver is left alone because of them."""

    receiver: str
    failures: int
    paused_until: datetime | None
    last_success_at: datetime | None
    last_failure_at: datetime | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Pausing:
    """After how many failures in a row a receiver is left alone, how long at first, and how long at the most."""

    after: int
    first: timedelta
    longest: timedelta = timedelta(minutes=10)


async def load(connection: AsyncConnection) -> dict[str, ReceiverHealth]:
    """The health of every receiver that anything was sent to."""
    async with connection.cursor(row_factory=class_row(ReceiverHealth)) as cursor:
        await cursor.execute(
            """
            select receiver, failures, paused_until, last_success_at, last_failure_at, last_error
            from receiver_health
            """
        )
        return {health.receiver: health for health in await cursor.fetchall()}


async def take_turn(
    connection: AsyncConnection, receiver: str, pace: Pace | None, *, now: datetime, trial: timedelta
) -> datetime | None:
    """Ask to send one message now: ``None`` if it may go, else when to ask again.

    A receiver that was left alone is tried by one message first; ``trial`` is how long that may take.
    """
    if pace is not None:
        await connection.execute(
            "insert into receiver_health (receiver) values (%s) on conflict do nothing", (receiver,)
        )
    cursor = await connection.execute(
        "select paused_until, tried_until, free_at from receiver_health where receiver = %s", (receiver,)
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    paused_until, tried_until, free_at = row
    if paused_until is not None:
        if paused_until > now:
            return paused_until  # type: ignore[no-any-return]  # a column of moments
        cursor = await connection.execute(
            """
            update receiver_health set tried_until = %s
            where receiver = %s and paused_until <= %s and (tried_until is null or tried_until <= %s)
            """,
            (now + trial, receiver, now, now),
        )
        if cursor.rowcount == 0:
            return max(tried_until or now, now) + timedelta(seconds=1)
    if pace is None:
        return None
    # The most that is waited for at once is what the burst has in store.
    ahead = pace.interval * (pace.burst - 1)
    cursor = await connection.execute(
        """
        update receiver_health set free_at = greatest(coalesce(free_at, %(now)s), %(now)s) + %(interval)s
        where receiver = %(receiver)s and greatest(coalesce(free_at, %(now)s), %(now)s) <= %(now)s + %(ahead)s
        """,
        {"receiver": receiver, "now": now, "interval": pace.interval, "ahead": ahead},
    )
    if cursor.rowcount == 1:
        return None
    await connection.execute("update receiver_health set tried_until = null where receiver = %s", (receiver,))
    return max(free_at - ahead, now + timedelta(milliseconds=100)) if free_at is not None else now + pace.interval


async def note_success(connection: AsyncConnection, receiver: str, now: datetime) -> None:
    """It answered as it should; a row is written at most every ten seconds while all is well."""
    await connection.execute(
        """
        insert into receiver_health as h (receiver, last_success_at) values (%(receiver)s, %(now)s)
        on conflict (receiver) do update
            set failures = 0, pauses = 0, paused_until = null, tried_until = null, last_success_at = %(now)s
            where h.failures > 0 or h.paused_until is not null
               or coalesce(h.last_success_at, '-infinity') < %(now)s - interval '10 seconds'
        """,
        {"receiver": receiver, "now": now},
    )


async def note_failure(
    connection: AsyncConnection, receiver: str, error: str | None, pausing: Pausing, now: datetime
) -> datetime | None:
    """It did not; returns until when it is left alone if this was one failure too many.

    What was under way when the receiver began to be left alone, and fails after that, makes it no longer.
    """
    cursor = await connection.execute(
        """
        insert into receiver_health as h (receiver, failures, last_failure_at, last_error, pauses, paused_until)
        values (%(receiver)s, 1, %(now)s, %(error)s,
            case when %(after)s <= 1 then 1 else 0 end,
            case when %(after)s <= 1 then %(now)s + %(first)s end)
        on conflict (receiver) do update set failures = h.failures + 1, last_failure_at = %(now)s,
            last_error = %(error)s, tried_until = null,
            pauses = h.pauses + case
                when h.failures + 1 >= %(after)s and coalesce(h.paused_until, %(now)s) <= %(now)s then 1 else 0 end,
            paused_until = case when h.failures + 1 >= %(after)s and coalesce(h.paused_until, %(now)s) <= %(now)s
                then %(now)s + least(%(first)s * power(2, least(h.pauses, 20)), %(longest)s)
                else h.paused_until end
        returning paused_until
        """,
        {
            "receiver": receiver,
            "now": now,
            "error": None if error is None else error[:_LONGEST_ERROR],
            "after": pausing.after,
            "first": pausing.first,
            "longest": pausing.longest,
        },
    )
    row = await cursor.fetchone()
    return None if row is None else row[0]


async def leave_alone(connection: AsyncConnection, receiver: str, until: datetime) -> None:
    """It asked to be left alone, which is no failure."""
    await connection.execute(
        """
        insert into receiver_health as h (receiver, paused_until) values (%(receiver)s, %(until)s)
        on conflict (receiver) do update
            set paused_until = greatest(h.paused_until, %(until)s), tried_until = null
        """,
        {"receiver": receiver, "until": until},
    )


async def forget_pause(connection: AsyncConnection, receiver: str) -> None:
    """Its description was changed: what it was left alone for may no longer hold."""
    await connection.execute(
        """
        update receiver_health set failures = 0, pauses = 0, paused_until = null, tried_until = null
        where receiver = %s
        """,
        (receiver,),
    )
