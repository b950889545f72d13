"""How the alert processes divide the feed: shares of it, who owns each, and how far each has been judged.

A process is a member as long as it says so again and again, always on the same connection. A share belongs to one
member, or to nobody once that member has left, its connection has ended, or it was not heard for ``GONE_AFTER``. What a
member concludes about its shares is stored in one transaction with their new position, and that fails where a share is
no longer its own: a member that was taken for gone, and was not, can do no harm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg import AsyncConnection

from services.core.store.feed import FeedPosition

CHANNEL = "lifeline_shares"
"""Notified when shares change hands, so that nobody waits for the next beat."""
SHARES = 32
"""More than there are processes, so that they can be divided evenly; a change of it needs a migration."""
BEAT_EVERY = timedelta(seconds=0.5)
GONE_AFTER = timedelta(seconds=3)
_FORGOTTEN_AFTER = timedelta(hours=1)
_STALLED_AFTER = timedelta(seconds=3)
"""A member whose transaction waits for nobody but itself for so long is cut off, or its shares could not be taken."""
_IS_THERE = """
    seen_at > now() - %(gone_after)s
    and (backend is null or exists (select from pg_stat_activity where pid = backend))
"""


@dataclass(frozen=True, slots=True)
class Census:
    """The members that are there, and of every share its owner (``None``: nobody, or one that is gone) and weight."""

    members: tuple[str, ...]
    owners: Mapping[int, str | None]
    weights: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Place:
    """How far a share has been judged, and the event time that the city had reached there."""

    position: FeedPosition
    city_time: datetime | None


async def beat(connection: AsyncConnection, member: str) -> Census:
    """Say that the member is there, and see who else is."""
    async with connection.transaction():
        await connection.execute(
            """
            insert into alert_member (instance, backend) values (%s, pg_backend_pid())
            on conflict (instance) do update set seen_at = now(), backend = excluded.backend
            """,
            (member,),
        )
        return await census(connection)


async def census(connection: AsyncConnection) -> Census:
    """Who is there and who owns what."""
    cursor = await connection.execute(
        f"select instance from alert_member where {_IS_THERE} order by instance", {"gone_after": GONE_AFTER}
    )
    members = tuple([row[0] async for row in cursor])
    cursor = await connection.execute("select share, owner, weight from alert_share order by share")
    rows = await cursor.fetchall()
    owners = {share: owner if owner in members else None for share, owner, _ in rows}
    return Census(members, owners, {share: weight for share, _, weight in rows})


async def claim(connection: AsyncConnection, member: str, wanted: Sequence[int]) -> list[int]:
    """Take those of some shares that belong to nobody; what another process just holds is left for the next time."""
    cursor = await connection.execute(
        f"""
        update alert_share set owner = %(member)s where share in (
            select share from alert_share
            where share = any(%(wanted)s) and not exists (
                select from alert_member where instance = owner and instance <> %(member)s and {_IS_THERE})
            for update skip locked)
        returning share
        """,
        {"member": member, "wanted": list(wanted), "gone_after": GONE_AFTER},
    )
    return [row[0] for row in await cursor.fetchall()]


async def hand_over(connection: AsyncConnection, member: str, to: Mapping[int, str]) -> None:
    """Give shares to other members; the caller has stored everything it concluded about them."""
    async with connection.transaction():
        await connection.execute(
            """
            update alert_share s set owner = given.owner from unnest(%s::smallint[], %s::text[]) as given (share, owner)
            where s.share = given.share and s.owner = %s
            """,
            (list(to), list(to.values()), member),
        )
        await connection.execute("select pg_notify(%s, '')", (CHANNEL,))


async def leave(connection: AsyncConnection, member: str) -> None:
    """Give up everything at once, for the others to take."""
    async with connection.transaction():
        await connection.execute("update alert_share set owner = null where owner = %s", (member,))
        await connection.execute(
            "delete from alert_member where instance = %s or seen_at < now() - %s", (member, _FORGOTTEN_AFTER)
        )
        await connection.execute("select pg_notify(%s, '')", (CHANNEL,))


async def places(connection: AsyncConnection, wanted: Sequence[int]) -> dict[int, Place]:
    """Where some shares stand."""
    cursor = await connection.execute(
        "select share, transaction_id::text::bigint, id, city_time from alert_share where share = any(%s)",
        (list(wanted),),
    )
    return {share: Place(FeedPosition(transaction, number), time) async for share, transaction, number, time in cursor}


async def move_on(
    connection: AsyncConnection, member: str, moved: Sequence[int], before: FeedPosition, to: Place
) -> bool:
    """Move shares that stand at ``before``, first thing in the transaction that stores what was concluded.

    ``False`` where one of them is not the member's any more or stands elsewhere; the caller rolls back then. Until
    the transaction ends nobody else can take them.
    """
    await connection.execute(
        "select set_config('idle_in_transaction_session_timeout', %s, true)",
        (str(int(_STALLED_AFTER.total_seconds() * 1000)),),
    )
    cursor = await connection.execute(
        """
        update alert_share set transaction_id = %(to)s::text::xid8, id = %(to_id)s, city_time = %(city_time)s
        where share = any(%(moved)s) and owner = %(member)s
          and transaction_id = %(before)s::text::xid8 and id = %(before_id)s
        """,
        {
            "member": member,
            "moved": list(moved),
            "before": before.transaction_id,
            "before_id": before.id,
            "to": to.position.transaction_id,
            "to_id": to.position.id,
            "city_time": to.city_time,
        },
    )
    return cursor.rowcount == len(moved)


async def weigh(connection: AsyncConnection, member: str, weights: Mapping[int, int]) -> None:
    """Say how much work the member's shares are, so that they are divided fairly."""
    await connection.execute(
        """
        update alert_share s set weight = given.weight
        from unnest(%s::smallint[], %s::integer[]) as given (share, weight)
        where s.share = given.share and s.owner = %s and s.weight <> given.weight
        """,
        (list(weights), list(weights.values()), member),
    )
