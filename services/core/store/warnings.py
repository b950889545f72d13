"""Warnings as rows, and the one way a warning is published."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from services.core import jobs
from services.core.alert import Alert
from services.core.lifeline import Lifeline
from services.core.move import ChangedMeanwhileError, next_state
from services.core.severity import Scheme, Severity
from services.core.store import audit, events
from services.core.text import Text
from services.core.warning import MOVES, PublicWarning, WarningMove, WarningState

EVENT = "warning"


def warning_from_row(row: Mapping[str, Any]) -> PublicWarning:
    """The record of one row of table ``warning``."""
    return PublicWarning(
        id=row["id"],
        alert=row["alert"],
        state=WarningState(row["state"]),
        lifeline=Lifeline(row["lifeline"]),
        zone=row["zone"],
        asset=row["asset"],
        severity=Severity(row["severity"]),
        scheme=Scheme(row["scheme"]),
        headline=Text(row["headline_en"], row["headline_zh"]),
        instruction=Text(row["instruction_en"], row["instruction_zh"]),
        organisation=row["organisation"],
        policy=row["policy"],
        created_at=row["created_at"],
        published_at=row["published_at"],
        published_by=row["published_by"],
        received_at=row["received_at"],
        received_by=row["received_by"],
        lifted_at=row["lifted_at"],
        lifted_by=row["lifted_by"],
        version=row["version"],
    )


async def _one(connection: AsyncConnection, where: str, parameters: Sequence[Any]) -> PublicWarning | None:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(f"select * from warning where {where}", parameters)
        row = await cursor.fetchone()
    return None if row is None else warning_from_row(row)


async def find(connection: AsyncConnection, warning: UUID, *, lock: bool = False) -> PublicWarning | None:
    """One warning; with ``lock`` nobody else changes it until the transaction ends."""
    return await _one(connection, "id = %s" + (" for update" if lock else ""), (warning,))


async def find_open(connection: AsyncConnection, alert: UUID) -> PublicWarning | None:
    """The warning in force for an alert, locked for the transaction."""
    return await _one(connection, "alert = %s and lifted_at is null for update", (alert,))


async def publish(
    connection: AsyncConnection,
    alert: Alert,
    *,
    severity: Severity,
    headline: Text,
    instruction: Text,
    organisation: str | None,
    actor: str,
    policy: str,
    now: datetime,
) -> PublicWarning:
    """Publish a warning for an alert: the row, its audit line, its event and the job that tells the receivers.

    Raises:
        psycopg.errors.UniqueViolation: a warning for this alert is in force already.
    """
    warning = PublicWarning(
        id=uuid4(),
        alert=alert.id,
        state=WarningState.PUBLISHED,
        lifeline=alert.lifeline,
        zone=alert.zone,
        asset=alert.asset,
        severity=severity,
        scheme=alert.scheme,
        headline=headline,
        instruction=instruction,
        organisation=organisation,
        policy=policy,
        created_at=now,
        published_at=now,
        published_by=actor,
        received_at=None,
        received_by=None,
        lifted_at=None,
        lifted_by=None,
        version=1,
    )
    await connection.execute(
        """
        insert into warning (id, alert, state, lifeline, zone, asset, severity, scheme, headline_en, headline_zh,
            instruction_en, instruction_zh, organisation, policy, created_at, published_at, published_by)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            warning.id,
            warning.alert,
            warning.state,
            warning.lifeline,
            warning.zone,
            warning.asset,
            int(warning.severity),
            warning.scheme,
            headline.en,
            headline.zh,
            instruction.en,
            instruction.zh,
            organisation,
            policy,
            now,
            now,
            actor,
        ),
    )
    await _follow(connection, warning, actor=actor, action="publish", before=None)
    await jobs.defer(connection, jobs.ANNOUNCE, type="warning.published", subject_kind=EVENT, subject=str(warning.id))
    return warning


async def raise_severity(
    connection: AsyncConnection, warning: PublicWarning, severity: Severity, headline: Text, *, actor: str
) -> PublicWarning:
    """Grade a warning up in force, say so in its headline, and tell its receivers."""
    changed = replace(warning, severity=severity, headline=headline, version=warning.version + 1)
    await _store(connection, changed)
    await _follow(connection, changed, actor=actor, action="raise", before=warning)
    await jobs.defer(connection, jobs.ANNOUNCE, type="warning.updated", subject_kind=EVENT, subject=str(warning.id))
    return changed


async def move(
    connection: AsyncConnection, warning: PublicWarning, step: WarningMove, *, actor: str, now: datetime
) -> PublicWarning:
    """Take one step with a warning.

    Raises:
        MoveNotAllowedError: the warning does not stand where this step starts.
        ChangedMeanwhileError: somebody else was faster.
    """
    changed = replace(warning, state=next_state("warning", MOVES, warning.state, step), version=warning.version + 1)
    if step is WarningMove.RECEIVE:
        changed = replace(changed, received_at=now, received_by=actor)
    else:
        changed = replace(changed, lifted_at=now, lifted_by=actor)
    await _store(connection, changed)
    await _follow(connection, changed, actor=actor, action=step, before=warning)
    if step is WarningMove.LIFT:
        await jobs.defer(connection, jobs.ANNOUNCE, type="warning.lifted", subject_kind=EVENT, subject=str(warning.id))
    return changed


async def _store(connection: AsyncConnection, warning: PublicWarning) -> None:
    cursor = await connection.execute(
        """
        update warning set state = %s, severity = %s, headline_en = %s, headline_zh = %s, received_at = %s,
            received_by = %s, lifted_at = %s, lifted_by = %s, version = %s
        where id = %s and version = %s
        """,
        (
            warning.state,
            int(warning.severity),
            warning.headline.en,
            warning.headline.zh,
            warning.received_at,
            warning.received_by,
            warning.lifted_at,
            warning.lifted_by,
            warning.version,
            warning.id,
            warning.version - 1,
        ),
    )
    if cursor.rowcount != 1:
        raise ChangedMeanwhileError(f"warning {warning.id} was changed by somebody else")


async def _follow(
    connection: AsyncConnection,
    warning: PublicWarning,
    *,
    actor: str,
    action: str,
    before: PublicWarning | None,
) -> None:
    await audit.record(
        connection,
        actor=actor,
        action=f"warning.{action}",
        subject_kind="warning",
        subject=warning.id,
        before=None if before is None else {"state": before.state, "severity": int(before.severity)},
        after={
            "state": warning.state,
            "severity": int(warning.severity),
            "policy": warning.policy,
            "alert": str(warning.alert),
        },
    )
    await events.announce(connection, EVENT, str(warning.id))


async def list_warnings(
    connection: AsyncConnection,
    *,
    is_open: bool | None,
    alert: UUID | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> list[PublicWarning]:
    """Warnings, newest first, behind a cursor of creation time and identifier."""
    moment, identifier = before or (None, None)
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            """
            select * from warning
            where (%(is_open)s::boolean is null or (lifted_at is null) = %(is_open)s)
              and (%(alert)s::uuid is null or alert = %(alert)s)
              and (%(moment)s::timestamptz is null or (created_at, id) < (%(moment)s, %(identifier)s))
            order by created_at desc, id desc limit %(limit)s
            """,
            {"is_open": is_open, "alert": alert, "moment": moment, "identifier": identifier, "limit": limit},
        )
        return [warning_from_row(row) for row in await cursor.fetchall()]


async def newest_of_alerts(connection: AsyncConnection, alerts: Sequence[UUID]) -> dict[UUID, UUID]:
    """For each alert that has one, its newest warning."""
    cursor = await connection.execute(
        "select distinct on (alert) alert, id from warning where alert = any(%s) order by alert, created_at desc",
        (list(alerts),),
    )
    return {row[0]: row[1] async for row in cursor}
