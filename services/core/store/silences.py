"""Silences as rows."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from services.core import jobs
from services.core.lifeline import Lifeline
from services.core.severity import Severity
from services.core.silence import Matcher, Silence, SilenceKind
from services.core.store import audit, events

EVENT = "silence"


def _silence(row: Mapping[str, Any]) -> Silence:
    return Silence(
        id=row["id"],
        kind=SilenceKind(row["kind"]),
        matcher=Matcher(
            lifeline=None if row["lifeline"] is None else Lifeline(row["lifeline"]),
            zone=row["zone"],
            asset=row["asset"],
            kind=row["alert_kind"],
            sensor=row["sensor"],
        ),
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        recurrence=row["recurrence"],
        mutes_to=Severity(row["mutes_to"]),
        records=row["records"],
        reason=row["reason"],
        author=row["author"],
        created_at=row["created_at"],
        ended_at=row["ended_at"],
        ended_by=row["ended_by"],
    )


async def add(connection: AsyncConnection, silence: Silence) -> None:
    """Keep a silence, with its audit line and the jobs that look again at what it concerns."""
    matcher = silence.matcher
    await connection.execute(
        """
        insert into silence (id, kind, lifeline, zone, asset, alert_kind, sensor, starts_at, ends_at, recurrence,
            mutes_to, records, reason, author, created_at)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            silence.id,
            silence.kind,
            matcher.lifeline,
            matcher.zone,
            matcher.asset,
            matcher.kind,
            matcher.sensor,
            silence.starts_at,
            silence.ends_at,
            silence.recurrence,
            int(silence.mutes_to),
            silence.records,
            silence.reason,
            silence.author,
            silence.created_at,
        ),
    )
    await _follow(connection, silence, actor=silence.author, action="add")


async def end(connection: AsyncConnection, silence: Silence, *, actor: str, now: datetime) -> None:
    """End a silence before its time; what it kept quiet and still stands is told now."""
    await connection.execute(
        "update silence set ended_at = %s, ended_by = %s where id = %s and ended_at is null", (now, actor, silence.id)
    )
    await _follow(connection, silence, actor=actor, action="end")


async def find(connection: AsyncConnection, silence: UUID) -> Silence | None:
    """One silence."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute("select * from silence where id = %s", (silence,))
        row = await cursor.fetchone()
    return None if row is None else _silence(row)


async def in_force(connection: AsyncConnection, since: datetime) -> list[Silence]:
    """Silences that may hold at a moment after ``since``: not over before, or recurring."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            """
            select * from silence
            where (ends_at > %(since)s or recurrence is not null) and (ended_at is null or ended_at > %(since)s)
            order by created_at, id
            """,
            {"since": since},
        )
        return [_silence(row) for row in await cursor.fetchall()]


async def list_silences(
    connection: AsyncConnection, *, before: tuple[datetime, UUID] | None, limit: int
) -> list[Silence]:
    """Silences, newest first, behind a cursor of creation time and identifier."""
    moment, identifier = before or (None, None)
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            """
            select * from silence
            where %(moment)s::timestamptz is null or (created_at, id) < (%(moment)s, %(identifier)s)
            order by created_at desc, id desc limit %(limit)s
            """,
            {"moment": moment, "identifier": identifier, "limit": limit},
        )
        return [_silence(row) for row in await cursor.fetchall()]


async def _follow(connection: AsyncConnection, silence: Silence, *, actor: str, action: str) -> None:
    matcher = silence.matcher
    await audit.record(
        connection,
        actor=actor,
        action=f"silence.{action}",
        subject_kind=EVENT,
        subject=silence.id,
        after={
            "kind": silence.kind,
            "matcher": {
                name: value
                for name in ("lifeline", "zone", "asset", "kind", "sensor")
                if (value := getattr(matcher, name)) is not None
            },
            "starts_at": silence.starts_at.isoformat(),
            "ends_at": silence.ends_at.isoformat(),
            "reason": silence.reason,
        },
    )
    await events.announce(connection, EVENT, str(silence.id))
    await jobs.defer(connection, jobs.REVIEW, queue=jobs.REVIEWS, cause=None)
    if action == "add" and silence.recurrence is None:
        await jobs.defer(connection, jobs.REVIEW, queue=jobs.REVIEWS, schedule_at=silence.ends_at, cause=None)
