"""Organisations, their receivers, and who answers for an asset."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from services.core.channel import SIGNING, Channel
from services.core.lifeline import Lifeline
from services.core.organisation import Organisation, OrganisationRole, Receiver
from services.core.text import Text


def _organisation(row: Mapping[str, Any]) -> Organisation:
    return Organisation(
        id=row["id"],
        name=Text(row["name_en"], row["name_zh"]),
        role=OrganisationRole(row["role"]),
        lifelines=frozenset(Lifeline(name) for name in row["lifelines"]),
    )


async def load_organisations(connection: AsyncConnection) -> dict[str, Organisation]:
    """Every organisation by identifier."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute("select * from organisation order by id")
        return {row["id"]: _organisation(row) for row in await cursor.fetchall()}


_RECEIVERS = """
    select r.id, r.organisation, r.url, r.minimum_severity, r.channel, r.settings, r.enabled,
        coalesce((select value from receiver_secret
            where receiver = r.id and name = 'signing' and ends_at is null), '') as secret,
        (select value from receiver_secret where receiver = r.id and name = 'signing' and ends_at > now()
            order by ends_at desc limit 1) as previous_secret,
        coalesce((select jsonb_object_agg(name, value) from receiver_secret
            where receiver = r.id and name <> 'signing' and ends_at is null), '{}') as secrets
    from receiver r
"""


def _receiver(row: Mapping[str, Any]) -> Receiver:
    return Receiver(**{**row, "channel": Channel(row["channel"])})


async def load_receivers(connection: AsyncConnection, *, enabled_alone: bool = True) -> list[Receiver]:
    """Every enabled receiver, or every one."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(f"{_RECEIVERS} where r.enabled or not %s order by r.id", (enabled_alone,))
        return [_receiver(row) for row in await cursor.fetchall()]


async def find_receiver(connection: AsyncConnection, receiver: str) -> Receiver | None:
    """One receiver, enabled or not."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(f"{_RECEIVERS} where r.id = %s", (receiver,))
        row = await cursor.fetchone()
    return None if row is None else _receiver(row)


async def save_receiver(connection: AsyncConnection, receiver: Receiver) -> None:
    """Add or change a receiver with its secrets; a signing secret that differs replaces the old one at once."""
    await connection.execute(
        """
        insert into receiver (id, organisation, url, minimum_severity, channel, settings, enabled)
        values (%s, %s, %s, %s, %s, %s, %s)
        on conflict (id) do update set organisation = excluded.organisation, url = excluded.url,
            minimum_severity = excluded.minimum_severity, channel = excluded.channel, settings = excluded.settings,
            enabled = excluded.enabled
        """,
        (
            receiver.id,
            receiver.organisation,
            receiver.url,
            receiver.minimum_severity,
            receiver.channel,
            Jsonb(receiver.settings),
            receiver.enabled,
        ),
    )
    wanted = dict(receiver.secrets) | ({SIGNING: receiver.secret} if receiver.secret else {})
    await connection.execute(
        "delete from receiver_secret where receiver = %s and ends_at is null and not name = any(%s)",
        (receiver.id, list(wanted)),
    )
    for name, value in wanted.items():
        await connection.execute(
            """
            insert into receiver_secret (receiver, name, value) values (%s, %s, %s)
            on conflict (receiver, name) where ends_at is null
            do update set value = excluded.value, created_at = now() where receiver_secret.value <> excluded.value
            """,
            (receiver.id, name, value),
        )


async def rotate_secret(connection: AsyncConnection, receiver: str, secret: str, *, overlap: timedelta) -> None:
    """Sign with a new secret from now on, and with the one before it as well until ``overlap`` is over."""
    await connection.execute("delete from receiver_secret where receiver = %s and ends_at <= now()", (receiver,))
    await connection.execute(
        "update receiver_secret set ends_at = now() + %s where receiver = %s and name = %s and ends_at is null",
        (overlap, receiver, SIGNING),
    )
    await connection.execute(
        "insert into receiver_secret (receiver, name, value) values (%s, %s, %s)", (receiver, SIGNING, secret)
    )


async def responsible_organisation(connection: AsyncConnection, asset: str, lifeline: Lifeline) -> str | None:
    """The owner of an asset; for an asset without one (or a gateway) the owner of the lifeline."""
    cursor = await connection.execute(
        """
        select coalesce(
            (select organisation from asset where id = %s),
            (select id from organisation where role = 'owner' and %s = any(lifelines) order by id limit 1))
        """,
        (asset, lifeline),
    )
    row = await cursor.fetchone()
    return None if row is None else row[0]
