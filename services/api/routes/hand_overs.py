"""What one shift leaves to the next, and the rules by which orders are followed."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, status

from services.api import problems
from services.api.disposal_answers import (
    DisposalRuleAnswer,
    DisposalRuleRequest,
    HandOverAnswer,
    HandOverRequest,
)
from services.api.security import Approver, Connection, Handler, Reader
from services.core.lifeline import Lifeline
from services.core.store import disposal_rules, hand_overs, organisations

router = APIRouter(tags=["work orders"])


@router.get("/hand-overs", summary="What shifts left to the next ones")
async def list_hand_overs(
    connection: Connection,
    _: Reader,
    organisation: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
) -> list[HandOverAnswer]:
    """The newest first."""
    found = await hand_overs.newest(connection, organisation, limit)
    return [HandOverAnswer.model_validate(each) for each in found]


@router.post(
    "/hand-overs",
    summary="Hand the running orders over",
    status_code=status.HTTP_201_CREATED,
    responses=problems.documented(409),
)
async def give(request: HandOverRequest, connection: Connection, caller: Handler) -> HandOverAnswer:
    """At the end of a shift: the running orders of an organisation are written down as they stand, with a note."""
    if request.organisation not in await organisations.load_organisations(connection):
        raise problems.not_valid("body.organisation", f"there is no organisation {request.organisation}")
    now = datetime.now(UTC)
    given = await hand_overs.give(connection, request.organisation, request.note, actor=caller.actor, now=now)
    return HandOverAnswer.model_validate(given)


@router.post("/hand-overs/{hand_over}/take", summary="Take the orders over", responses=problems.documented(404, 409))
async def take(hand_over: UUID, connection: Connection, caller: Handler) -> HandOverAnswer:
    """By somebody of the next shift, never by who gave them."""
    given = await hand_overs.find(connection, hand_over)
    if given is None:
        raise problems.not_found("hand-over", hand_over)
    taken = await hand_overs.take(connection, given, actor=caller.actor, now=datetime.now(UTC))
    return HandOverAnswer.model_validate(taken)


@router.get("/disposal-rules", summary="Deadlines, hold and watch times")
async def list_disposal_rules(connection: Connection, _: Reader) -> list[DisposalRuleAnswer]:
    """The rule of each lifeline that is in force; where the centre has made none, a default, marked as such."""
    return [
        DisposalRuleAnswer.model_validate(await disposal_rules.in_force(connection, lifeline)) for lifeline in Lifeline
    ]


@router.put("/disposal-rules/{lifeline}", summary="Put a rule in force", responses=problems.documented(404, 409))
async def put_disposal_rule(
    lifeline: Lifeline, request: DisposalRuleRequest, connection: Connection, caller: Approver
) -> DisposalRuleAnswer:
    """For orders from now on; those that run keep the rule they began with."""
    now = datetime.now(UTC)
    kept = await disposal_rules.add(
        connection, lifeline, request.rule, author=caller.actor, reason=request.reason, now=now
    )
    return DisposalRuleAnswer.model_validate(kept)
