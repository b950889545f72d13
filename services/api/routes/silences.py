"""What people keep quiet, and what one alert explains of another."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Query, status

from services.api import cursor as cursors
from services.api import problems, schemas
from services.api.question import Cursor
from services.api.security import Connection, Operator, Reader
from services.api.silence_answers import InhibitionAnswer, MatcherFields, SilenceAnswer, SilenceRequest, SwitchRequest
from services.core.inhibition import Inhibition
from services.core.move import MoveNotAllowedError
from services.core.severity import Severity
from services.core.silence import Matcher, Silence, SilenceError, check
from services.core.store import audit, inhibitions, silences

router = APIRouter(tags=["alerts"])


def _answer(silence: Silence, now: datetime) -> SilenceAnswer:
    fields = {name: getattr(silence, name) for name in SilenceAnswer.model_fields if hasattr(silence, name)}
    return SilenceAnswer.model_validate(
        fields
        | {
            "matcher": MatcherFields.model_validate(silence.matcher),
            "in_force": silence.holds_at(now),
            "over_at": silence.over_at(now),
        }
    )


@router.get("/silences", summary="Silences and maintenance windows, newest first")
async def list_silences(
    connection: Connection,
    _: Reader,
    in_force: Annotated[bool, Query(description="only those that may hold now or later, without paging")] = False,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Cursor = None,
) -> schemas.Page[SilenceAnswer]:
    """Who muted what, until when, and why."""
    now = datetime.now(UTC)
    if in_force:
        return schemas.Page(items=[_answer(known, now) for known in await silences.in_force(connection, now)][::-1])
    found = await silences.list_silences(connection, before=cursors.decode(cursor), limit=limit + 1)
    items = [_answer(known, now) for known in found[:limit]]
    following = cursors.encode(items[-1].created_at, items[-1].id) if len(found) > limit else None
    return schemas.Page(items=items, next=following)


@router.post(
    "/silences",
    summary="Keep alerts quiet",
    status_code=status.HTTP_201_CREATED,
    responses=problems.documented(409, 422),
)
async def add_silence(request: SilenceRequest, connection: Connection, caller: Operator) -> SilenceAnswer:
    """Alerts that fit are kept and shown with the reason, and nobody is told of them.

    What is worse than `mutes_to` is told all the same. When the silence ends, what still stands is told then.
    """
    now = datetime.now(UTC)
    try:
        silence = Silence(
            id=uuid4(),
            kind=request.kind,
            matcher=Matcher(**request.matcher.model_dump()),
            starts_at=request.starts_at or now,
            ends_at=request.ends_at,
            recurrence=request.recurrence,
            mutes_to=Severity(request.mutes_to),
            records=request.records,
            reason=request.reason,
            author=caller.actor,
            created_at=now,
        )
        check(silence)
    except SilenceError as error:
        field, _, reason = str(error).partition(": ")
        raise problems.not_valid(f"body.{field}", reason) from None
    if silence.recurrence is None and silence.ends_at <= now:
        raise problems.not_valid("body.ends_at", "lies in the past")
    await silences.add(connection, silence)
    return _answer(silence, now)


@router.post("/silences/{silence}/end", summary="End a silence now", responses=problems.documented(404, 409))
async def end_silence(silence: UUID, connection: Connection, caller: Operator) -> SilenceAnswer:
    """What it kept quiet and still stands is told within seconds."""
    known = await silences.find(connection, silence)
    if known is None:
        raise problems.not_found("silence", silence)
    if known.ended_at is not None:
        raise MoveNotAllowedError("silence", "end", "ended", ())
    now = datetime.now(UTC)
    await silences.end(connection, known, actor=caller.actor, now=now)
    ended = await silences.find(connection, silence)
    return _answer(ended or known, now)


@router.get("/inhibitions", summary="What explains what")
async def list_inhibitions(connection: Connection, _: Reader) -> list[InhibitionAnswer]:
    """The rules by which one alert explains another, with their words."""
    return [_rule(rule, enabled=enabled) for rule, enabled in await inhibitions.list_inhibitions(connection)]


@router.post(
    "/inhibitions/{rule}/switch", summary="Switch such a rule on or off", responses=problems.documented(404, 409)
)
async def switch_inhibition(
    rule: str, request: SwitchRequest, connection: Connection, caller: Operator
) -> InhibitionAnswer:
    """Alerts that stand are looked at again with the next thing that happens to them."""
    if not await inhibitions.switch(connection, rule, enabled=request.enabled):
        raise problems.not_found("inhibition", rule)
    await audit.record(
        connection,
        actor=caller.actor,
        action="inhibition.switch",
        subject_kind="inhibition",
        subject=rule,
        after={"enabled": request.enabled, "reason": request.reason},
    )
    known = {found.id: (found, enabled) for found, enabled in await inhibitions.list_inhibitions(connection)}
    return _rule(known[rule][0], enabled=known[rule][1])


def _rule(rule: Inhibition, *, enabled: bool) -> InhibitionAnswer:
    return InhibitionAnswer(
        id=rule.id,
        lifeline=rule.lifeline,
        causes=sorted(rule.causes),
        effects=sorted(rule.effects),
        reach=rule.reach,
        effect_lifelines=sorted(rule.effect_lifelines),
        within_m=rule.within_m,
        mutes_to=int(rule.mutes_to),
        reason=schemas.TextAnswer.model_validate(asdict(rule.reason)),
        enabled=enabled,
    )
