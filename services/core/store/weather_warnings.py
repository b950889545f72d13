"""Messages of weather services as rows."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from services.core.severity import Severity
from services.core.store import events
from services.core.text import Text
from services.core.weather_warning import MessageType, WeatherWarning

EVENT = "weather-warning"
_MOST_KEPT = 65_536
"""Characters of a message that are kept."""


class KnownWarning(NamedTuple):
    """A warning under its number here."""

    id: int
    warning: WeatherWarning
    received_at: datetime
    ended_at: datetime | None


def _warning(row: Mapping[str, Any]) -> WeatherWarning:
    area = row["area"]
    rings = [] if area is None else [polygon[0] for polygon in area["coordinates"]]
    return WeatherWarning(
        sender=row["sender"],
        identifier=row["identifier"],
        sent=row["sent"],
        message_type=MessageType(row["message_type"]),
        is_exercise=row["is_exercise"],
        event=Text(row["event_en"], row["event_zh"]),
        severity=Severity(row["severity"]),
        headline=Text(row["headline_en"], row["headline_zh"]),
        description=Text(row["description_en"], row["description_zh"]),
        instruction=Text(row["instruction_en"], row["instruction_zh"]),
        onset=row["onset"],
        expires=row["expires"],
        area_names=tuple(row["area_names"]),
        areas=tuple(tuple((point[0], point[1]) for point in ring) for ring in rings),
    )


def _known(row: Mapping[str, Any]) -> KnownWarning:
    return KnownWarning(row["id"], _warning(row), row["received_at"], row["ended_at"])


async def add(connection: AsyncConnection, warning: WeatherWarning, message: str, now: datetime) -> int | None:
    """Keep a message and end those that it changes or takes back; ``None`` when it was there already."""
    cursor = await connection.execute(
        """
        insert into weather_warning (sender, identifier, sent, message_type, is_exercise, event_en, event_zh, severity,
            headline_en, headline_zh, description_en, description_zh, instruction_en, instruction_zh, onset, expires,
            area_names, area, brings_water, message, ended_at)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        on conflict (sender, identifier, sent) do nothing returning id
        """,
        (
            warning.sender,
            warning.identifier,
            warning.sent,
            warning.message_type,
            warning.is_exercise,
            *(warning.event.en, warning.event.zh),
            int(warning.severity),
            *(warning.headline.en, warning.headline.zh),
            *(warning.description.en, warning.description.zh),
            *(warning.instruction.en, warning.instruction.zh),
            warning.onset,
            warning.expires,
            list(warning.area_names),
            None if (area := warning.as_geojson()) is None else Jsonb(area),
            warning.brings_water,
            message[:_MOST_KEPT],
            now if warning.message_type is MessageType.CANCEL else None,
        ),
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    identifier: int = row[0]
    if warning.message_type is not MessageType.ALERT:
        for sender, name in warning.references:
            await connection.execute(
                """
                update weather_warning set ended_at = %s, ended_by = %s
                where sender = %s and identifier = %s and ended_at is null and id <> %s
                """,
                (now, identifier, sender, name, identifier),
            )
    await events.announce(connection, EVENT, str(identifier))
    return identifier


async def in_force(connection: AsyncConnection, now: datetime) -> list[KnownWarning]:
    """Every warning that has been neither changed nor taken back and has not expired, worst first."""
    return await _select(connection, "ended_at is null and expires > %s order by severity desc, sent desc", (now,))


async def newest(connection: AsyncConnection, limit: int) -> list[KnownWarning]:
    """The last messages, newest first, whatever became of them."""
    return await _select(connection, "true order by sent desc, id desc limit %s", (limit,))


async def refuse(connection: AsyncConnection, source: str, reason: str, content: bytes) -> None:
    """Keep a message that could not be read; the same again is counted."""
    digest = sha256(content).hexdigest()
    text = content[:_MOST_KEPT].decode("utf-8", "replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")
    await connection.execute(
        """
        insert into weather_refusal (source, reason, message, digest) values (%s, %s, %s, %s)
        on conflict (digest) do update set count = weather_refusal.count + 1, last_at = now()
        """,
        (source, reason, text, digest),
    )


async def _select(connection: AsyncConnection, where: str, parameters: tuple[Any, ...]) -> list[KnownWarning]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(f"select * from weather_warning where {where}".encode(), parameters)
        return [_known(row) for row in await cursor.fetchall()]
