"""Warnings: what is to be approved, what was published, who received it, how it ended; and the policy behind them."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Header, Query, status
from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict, Field

from services.api import cursor as cursors
from services.api import problems, schemas, views
from services.api.preconditions import LONGEST_TAGS
from services.api.security import Approver, Connection, Operator, Reader
from services.core.caller import Caller
from services.core.severity import Severity
from services.core.store import alert_kinds, alerts, network, warning_policies, warnings, work_orders
from services.core.text import Text
from services.core.warning import ASKS_FOR_REASON, PublicWarning, WarningMove
from services.core.warning_policy import DEFAULT_POLICY, WarningPolicy

router = APIRouter(tags=["warnings"])


@router.get("/warnings", summary="Warnings, newest first")
async def list_warnings(
    connection: Connection,
    _: Reader,
    is_open: Annotated[bool | None, Query(alias="open")] = None,
    alert: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: str | None = None,
) -> schemas.Page[schemas.WarningAnswer]:
    """Warnings in force, lifted ones, or both."""
    before = cursors.decode(cursor)
    found = await warnings.list_warnings(connection, is_open=is_open, alert=alert, before=before, limit=limit + 1)
    items = [views.warning_answer(warning) for warning in found[:limit]]
    following = cursors.encode(items[-1].created_at, items[-1].id) if len(found) > limit else None
    return schemas.Page(items=items, next=following)


@router.get("/warnings/{warning}", summary="One warning", responses=problems.documented(404))
async def get_warning(warning: UUID, connection: Connection, _: Reader) -> schemas.WarningAnswer:
    """A warning with the moves that are possible now."""
    known = await warnings.find(connection, warning)
    if known is None:
        raise problems.not_found("warning", warning)
    return views.warning_answer(known)


async def _move(
    connection: AsyncConnection, warning: UUID, step: WarningMove, caller: Caller, reason: str | None
) -> PublicWarning:
    known = await warnings.find(connection, warning, lock=True)
    if known is None:
        raise problems.not_found("warning", warning)
    if step in ASKS_FOR_REASON and not reason and step in warnings.possible_moves(known):
        raise problems.not_valid("body.note", f"say why you {step} it")
    return await warnings.move(connection, known, step, actor=caller.actor, now=datetime.now(UTC), reason=reason)


@router.post("/warnings/{warning}/approve", summary="Approve a warning", responses=problems.documented(404, 409))
async def approve_warning(
    warning: UUID, connection: Connection, caller: Approver, request: schemas.MoveRequest | None = None
) -> schemas.WarningAnswer:
    """A draft is published and its work order dispatched; one that was published at once is confirmed."""
    note = None if request is None else request.note
    approved = await _move(connection, warning, WarningMove.APPROVE, caller, note)
    alert = await alerts.find(connection, approved.alert, lock=True)
    if alert is not None and await work_orders.find_newest(connection, approved.alert) is None:
        await work_orders.dispatch(
            connection,
            alert,
            warning=approved.id,
            severity=approved.severity,
            organisation=approved.organisation,
            title=approved.headline,
            actor=caller.actor,
            now=datetime.now(UTC),
        )
    return views.warning_answer(approved)


@router.post("/warnings/{warning}/reject", summary="Reject a draft", responses=problems.documented(404, 409))
async def reject_warning(
    warning: UUID, request: schemas.MoveRequest, connection: Connection, caller: Approver
) -> schemas.WarningAnswer:
    """It is not published; the note says why, and the alert goes on standing."""
    return views.warning_answer(await _move(connection, warning, WarningMove.REJECT, caller, request.note))


@router.post("/warnings/{warning}/grade", summary="Grade a warning up or down", responses=problems.documented(404, 409))
async def grade_warning(
    warning: UUID, request: schemas.GradeRequest, connection: Connection, caller: Operator
) -> schemas.WarningAnswer:
    """Its receivers are told of the new grade. A rule raises it again when the sensors get worse still."""
    known = await warnings.find(connection, warning, lock=True)
    if known is None:
        raise problems.not_found("warning", warning)
    if known.lifted_at is not None:
        raise problems.over("warning", warning)
    alert = await alerts.find(connection, known.alert)
    kind = (await alert_kinds.load_alert_kinds(connection)).get((known.lifeline, "" if alert is None else alert.kind))
    headline = known.headline
    if kind is not None:
        assets = await network.find_assets(connection, [known.asset])
        name = assets[known.asset].name if known.asset in assets else Text(known.asset, known.asset)
        headline = kind.headline(Severity(request.severity), name)
    graded = await warnings.grade(
        connection, known, Severity(request.severity), headline, actor=caller.actor, reason=request.reason
    )
    return views.warning_answer(graded)


@router.post(
    "/warnings/{warning}/{move}", summary="Receive, lift or cancel a warning", responses=problems.documented(404, 409)
)
async def move_warning(
    warning: UUID,
    move: Literal[WarningMove.RECEIVE, WarningMove.LIFT, WarningMove.CANCEL],
    connection: Connection,
    caller: Operator,
    request: schemas.MoveRequest | None = None,
) -> schemas.WarningAnswer:
    """`receive`: a named recipient has it. `lift`: it no longer holds. `cancel`: it was wrong; the note says why."""
    note = None if request is None else request.note
    return views.warning_answer(await _move(connection, warning, move, caller, note))


class PolicyAnswer(schemas.Answer):
    """A policy and who put it in force."""

    version: int | None = Field(description="unset: the default, in force until the centre keeps a policy of its own")
    policy: WarningPolicy
    author: str | None
    reason: str | None
    created_at: datetime | None


class PolicyRequest(BaseModel):
    """A policy to put in force, and why."""

    model_config = ConfigDict(extra="forbid")

    policy: WarningPolicy
    reason: str = Field(min_length=1, max_length=2000)


@router.get("/warning-policies", summary="Warning policies, newest first")
async def list_policies(
    connection: Connection, _: Reader, limit: Annotated[int, Query(ge=1, le=100)] = 20
) -> list[PolicyAnswer]:
    """The first is in force."""
    kept = await warning_policies.list_policies(connection, limit)
    found = [PolicyAnswer.model_validate(each) for each in kept]
    return found or [PolicyAnswer(version=None, policy=DEFAULT_POLICY, author=None, reason=None, created_at=None)]


@router.post(
    "/warning-policies",
    summary="Put a warning policy in force",
    status_code=status.HTTP_201_CREATED,
    responses=problems.documented(409, 412),
)
async def add_policy(
    request: PolicyRequest,
    connection: Connection,
    caller: Approver,
    seen: Annotated[
        str | None,
        Header(
            alias="If-Match", max_length=LONGEST_TAGS, description="the `version` in force that was seen, in quotes"
        ),
    ] = None,
) -> PolicyAnswer:
    """Warnings that exist keep the policy under which they were made."""
    _, standing = await warning_policies.in_force(connection)
    if seen not in (None, f'"{standing}"'):
        raise problems.changed_since(standing)
    now = datetime.now(UTC)
    version = await warning_policies.add(
        connection, request.policy, author=caller.actor, reason=request.reason, now=now
    )
    return PolicyAnswer(
        version=version, policy=request.policy, author=caller.actor, reason=request.reason, created_at=now
    )
