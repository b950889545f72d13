"""The ingest processes that divide one shared subscription among them."""

from datetime import timedelta

from psycopg import AsyncConnection

BEAT_EVERY = timedelta(seconds=5)
_GONE_AFTER = timedelta(seconds=20)


async def beat(connection: AsyncConnection, instance: str) -> None:
    """Say that the process is there."""
    await connection.execute(
        """
        insert into ingest_member (instance) values (%s)
        on conflict (instance) do update set seen_at = now(), is_leaving = false
        """,
        (instance,),
    )


async def leave(connection: AsyncConnection, instance: str) -> bool:
    """Whether the process may give up its share, because another one is there and stays.

    Of several that ask at once the last one may not: somebody has to keep a place at the broker, or what is published
    until the next start is lost.
    """
    await connection.execute("lock table ingest_member in share row exclusive mode")
    cursor = await connection.execute(
        """
        update ingest_member set is_leaving = true
        where instance = %s and exists (
            select from ingest_member other
            where other.instance <> ingest_member.instance and not other.is_leaving and other.seen_at > now() - %s)
        """,
        (instance, _GONE_AFTER),
    )
    return cursor.rowcount > 0
