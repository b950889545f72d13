"""Warnings as rows, and the one way a warning is published."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from services.core import jobs
from services.core.alert import Alert
from services.core.lifeline import Lifeline
from services.core.move import ChangedMeanwhileError, MoveNotAllowedError, allowed_moves, next_state
from services.core.severity import Scheme, Severity
from services.core.store import audit, events
from services.core.text import Text
from services.core.warning import ENDS, MOVES, Approval, PublicWarning, WarningMove, WarningState

EVENT = "warning"
_NEWS = {WarningMove.APPROVE: "published", WarningMove.LIFT: "lifted", WarningMove.CANCEL: "cancelled"}
"""What the receivers are told after a step."""


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
        area=row["area"],
        valid_until=row["valid_until"],
        approval=Approval(row["approval"]),
        approved_at=row["approved_at"],
        approved_by=row["approved_by"],
        ended_reason=row["ended_reason"],
        policy_version=row["policy_version"],
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What a warning says when it is published, and who or what decided so."""

    severity: Severity
    headline: Text
    instruction: Text
    organisation: str | None
    actor: str
    policy: str
    area: Mapping[str, Any] | None = None
    valid_until: datetime | None = None
    approval: Approval = Approval.NONE
    policy_version: int | None = None


async def publish(
    connection: AsyncConnection, alert: Alert, publication: Publication, *, now: datetime
) -> PublicWarning:
    """Publish a warning for an alert: the row, its audit line, its event and the job that tells the receivers.

    One that has to be approved before becomes a draft, of which nobody is told yet.

    Raises:
        psycopg.errors.UniqueViolation: a warning for this alert is in force already.
    """
    is_draft = publication.approval is Approval.BEFORE
    warning = PublicWarning(
        id=uuid4(),
        alert=alert.id,
        state=WarningState.DRAFT if is_draft else WarningState.PUBLISHED,
        lifeline=alert.lifeline,
        zone=alert.zone,
        asset=alert.asset,
        severity=publication.severity,
        scheme=alert.scheme,
        headline=publication.headline,
        instruction=publication.instruction,
        organisation=publication.organisation,
        policy=publication.policy,
        created_at=now,
        published_at=None if is_draft else now,
        published_by=None if is_draft else publication.actor,
        received_at=None,
        received_by=None,
        lifted_at=None,
        lifted_by=None,
        version=1,
        area=publication.area,
        valid_until=publication.valid_until,
        approval=publication.approval,
        policy_version=publication.policy_version,
    )
    await connection.execute(
        """
        insert into warning (id, alert, state, lifeline, zone, asset, severity, scheme, headline_en, headline_zh,
            instruction_en, instruction_zh, organisation, policy, created_at, published_at, published_by, area,
            valid_until, approval, policy_version)
        values (%(id)s, %(alert)s, %(state)s, %(lifeline)s, %(zone)s, %(asset)s, %(severity)s, %(scheme)s,
            %(headline_en)s, %(headline_zh)s, %(instruction_en)s, %(instruction_zh)s, %(organisation)s, %(policy)s,
            %(now)s, %(published_at)s, %(published_by)s, %(area)s, %(valid_until)s, %(approval)s, %(policy_version)s)
        """,
        {
            "id": warning.id,
            "alert": warning.alert,
            "state": warning.state,
            "lifeline": warning.lifeline,
            "zone": warning.zone,
            "asset": warning.asset,
            "severity": int(warning.severity),
            "scheme": warning.scheme,
            "headline_en": warning.headline.en,
            "headline_zh": warning.headline.zh,
            "instruction_en": warning.instruction.en,
            "instruction_zh": warning.instruction.zh,
            "organisation": warning.organisation,
            "policy": warning.policy,
            "now": now,
            "published_at": warning.published_at,
            "published_by": warning.published_by,
            "area": None if warning.area is None else Jsonb(dict(warning.area)),
            "valid_until": warning.valid_until,
            "approval": warning.approval,
            "policy_version": warning.policy_version,
        },
    )
    await _follow(connection, warning, actor=publication.actor, action="draft" if is_draft else "publish", before=None)
    if not is_draft:
        await _announce(connection, warning, "published")
    await jobs.defer(connection, jobs.ESCALATE, queue=jobs.REVIEWS, schedule_at=now, warning=str(warning.id), step=0)
    return warning


async def _announce(connection: AsyncConnection, warning: PublicWarning, news: str, occasion: str = "") -> None:
    await jobs.defer(
        connection,
        jobs.ANNOUNCE,
        type=f"warning.{news}",
        subject_kind=EVENT,
        subject=str(warning.id),
        occasion=occasion,
    )


async def grade(
    connection: AsyncConnection,
    warning: PublicWarning,
    severity: Severity,
    headline: Text,
    *,
    actor: str,
    reason: str | None = None,
) -> PublicWarning:
    """Grade a warning up or down in force, say so in its headline, and tell its receivers."""
    changed = replace(warning, severity=severity, headline=headline, version=warning.version + 1)
    await _store(connection, changed)
    action = "raise" if severity > warning.severity else "lower"
    await _follow(connection, changed, actor=actor, action=action, before=warning, reason=reason)
    if changed.state is not WarningState.DRAFT:
        await _announce(connection, changed, "updated", occasion=f"version {changed.version}")
    return changed


async def confirm(connection: AsyncConnection, warning: PublicWarning, *, actor: str, now: datetime) -> PublicWarning:
    """Approve afterwards what was published at once.

    Raises:
        MoveNotAllowedError: nothing is left to approve.
        ChangedMeanwhileError: somebody else was faster.
    """
    if not warning.awaits_confirmation:
        raise MoveNotAllowedError("warning", WarningMove.APPROVE, warning.state, possible_moves(warning))
    changed = replace(warning, approved_at=now, approved_by=actor, version=warning.version + 1)
    await _store(connection, changed)
    await _follow(connection, changed, actor=actor, action="confirm", before=warning)
    return changed


def possible_moves(warning: PublicWarning) -> tuple[WarningMove, ...]:
    """What may be done with a warning now, confirming included."""
    moves = allowed_moves(MOVES, warning.state)
    return (WarningMove.APPROVE, *moves) if warning.awaits_confirmation else moves


async def move(
    connection: AsyncConnection,
    warning: PublicWarning,
    step: WarningMove,
    *,
    actor: str,
    now: datetime,
    reason: str | None = None,
) -> PublicWarning:
    """Take one step with a warning.

    Raises:
        MoveNotAllowedError: the warning does not stand where this step starts.
        ChangedMeanwhileError: somebody else was faster.
    """
    if step is WarningMove.APPROVE and warning.awaits_confirmation:
        return await confirm(connection, warning, actor=actor, now=now)
    changed = replace(warning, state=next_state("warning", MOVES, warning.state, step), version=warning.version + 1)
    if step is WarningMove.RECEIVE:
        changed = replace(changed, received_at=now, received_by=actor)
    elif step is WarningMove.APPROVE:
        changed = replace(changed, approved_at=now, approved_by=actor, published_at=now, published_by=actor)
    elif step in ENDS:
        changed = replace(changed, lifted_at=now, lifted_by=actor, ended_reason=reason)
    await _store(connection, changed)
    await _follow(connection, changed, actor=actor, action=step, before=warning, reason=reason)
    if step in _NEWS:
        await _announce(connection, changed, _NEWS[step])
    return changed


async def _store(connection: AsyncConnection, warning: PublicWarning) -> None:
    cursor = await connection.execute(
        """
        update warning set state = %s, severity = %s, headline_en = %s, headline_zh = %s, received_at = %s,
            received_by = %s, lifted_at = %s, lifted_by = %s, published_at = %s, published_by = %s, approved_at = %s,
            approved_by = %s, ended_reason = %s, version = %s
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
            warning.published_at,
            warning.published_by,
            warning.approved_at,
            warning.approved_by,
            warning.ended_reason,
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
    reason: str | None = None,
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
            **({} if reason is None else {"reason": reason}),
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
