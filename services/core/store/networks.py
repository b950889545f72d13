"""Hydraulic models: which file describes the pipes or sewers of which zones."""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import AsyncConnection, Connection

from services.core.lifeline import Lifeline
from services.core.network_file import NetworkFile, NetworkFormat
from services.core.store import register


@dataclass(frozen=True, slots=True)
class RegisteredNetwork:
    """A model and what it covers: the zones of one lifeline whose assets are its nodes and links."""

    lifeline: Lifeline
    file: NetworkFile
    zones: tuple[str, ...]


def save_network(connection: Connection, network: RegisteredNetwork) -> bool:
    """Keep a model under its name, in place of an earlier one; whether that changed anything.

    Running services load the register again when the caller's transaction commits.

    Raises:
        psycopg.errors.RaiseException: a zone is not registered.
    """
    file = network.file
    with connection.transaction():
        cursor = connection.execute(
            """
            insert into hydraulic_network as held (name, lifeline, format, text, fingerprint, zones)
            values (%s, %s, %s, %s, %s, %s)
            on conflict (name) do update set lifeline = excluded.lifeline, format = excluded.format,
                text = excluded.text, fingerprint = excluded.fingerprint, zones = excluded.zones, updated_at = now()
            where (held.lifeline, held.format, held.fingerprint, held.zones)
                is distinct from (excluded.lifeline, excluded.format, excluded.fingerprint, excluded.zones)
            """,
            (file.name, network.lifeline, file.format, file.text, file.fingerprint, sorted(network.zones)),
        )
        if cursor.rowcount:
            connection.execute("select pg_notify(%s, '')", (register.CHANNEL,))
        return bool(cursor.rowcount)


def forget_network(connection: Connection, name: str) -> bool:
    """Drop a model; whether there was one. Its zones are judged without a model from then on."""
    with connection.transaction():
        cursor = connection.execute("delete from hydraulic_network where name = %s", (name,))
        if cursor.rowcount:
            connection.execute("select pg_notify(%s, '')", (register.CHANNEL,))
        return bool(cursor.rowcount)


async def load_networks(connection: AsyncConnection) -> Sequence[RegisteredNetwork]:
    """Every model, by name."""
    cursor = await connection.execute("select lifeline, name, format, text, zones from hydraulic_network order by name")
    return [
        RegisteredNetwork(Lifeline(lifeline), NetworkFile(name, NetworkFormat(kind), text), tuple(zones))
        async for lifeline, name, kind, text, zones in cursor
    ]
