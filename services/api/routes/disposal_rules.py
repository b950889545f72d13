"""The rules by which orders are followed."""

from datetime import UTC, datetime

from fastapi import APIRouter

from services.api import problems
from services.api.disposal_answers import DisposalRuleAnswer, DisposalRuleRequest
from services.api.security import Approver, Connection, Reader
from services.core.lifeline import Lifeline
from services.core.store import disposal_rules

router = APIRouter(tags=["work orders"])


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
