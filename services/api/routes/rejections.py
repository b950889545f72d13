"""Payloads that could not become readings: looking at them, having them read again, dismissing them."""

import base64
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Response

from services.api import cursor as cursors
from services.api import problems, schemas
from services.api.moment import Moment
from services.api.security import Auditor, Connection, Operator
from services.core.rejection import RejectionReason
from services.core.store import rejected
from services.core.store.rejected import HeldRejection, KeptPayload, RejectionSelection

router = APIRouter(tags=["rejections"])
_LARGEST = 2**63 - 1
Identifier = Annotated[int, Path(ge=0, le=_LARGEST)]
Text = Annotated[str | None, Query(max_length=1000, pattern="^[^\x00]*$")]


async def _selection(
    reason: RejectionReason | None = None,
    sensor: Text = None,
    sender: Text = None,
    topic_prefix: Annotated[
        str | None, Query(max_length=1000, pattern="^[^\x00]*$", description="how the topic begins")
    ] = None,
    since: Annotated[Moment | None, Query(description="only what came at this moment or later")] = None,
) -> RejectionSelection:
    return RejectionSelection(reason, sensor, sender, topic_prefix, since)


Selection = Annotated[RejectionSelection, Depends(_selection)]


@router.get("/rejections", summary="Payloads that could not become readings")
async def list_rejections(
    connection: Connection,
    _: Auditor,
    selection: Selection,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: str | None = None,
) -> schemas.Page[schemas.RejectionAnswer]:
    """One for each kind of trouble of one sender, what came last first."""
    position = cursors.decode(cursor)
    # The cursors of all lists name an item by a UUID; here it holds the number.
    before = None if position is None else (position[0], min(position[1].int, _LARGEST))
    found = await rejected.list_rejections(connection, selection, before=before, limit=limit + 1)
    page = found[:limit]
    following = cursors.encode(page[-1].last_seen, UUID(int=page[-1].id)) if len(found) > limit else None
    return schemas.Page(items=[schemas.RejectionAnswer.model_validate(_answer(held)) for held in page], next=following)


@router.get("/rejections/{rejection}", summary="One rejection with what arrived", responses=problems.documented(404))
async def get_rejection(rejection: Identifier, connection: Connection, _: Auditor) -> schemas.RejectionDetailAnswer:
    """The rejection and the payloads that it keeps, newest first."""
    held = await rejected.find(connection, rejection)
    if held is None:
        raise problems.not_found("rejection", rejection)
    payloads = [_payload(payload, held.topic) for payload in await rejected.payloads_of(connection, rejection)]
    return schemas.RejectionDetailAnswer.model_validate({**_answer(held), "payloads": payloads})


@router.post("/rejections/reprocess", summary="Have many rejections read again", status_code=202)
async def reprocess_rejections(
    connection: Connection, caller: Operator, selection: Selection
) -> schemas.ReprocessAnswer:
    """Ask for every rejection that meets the conditions; without any, for all of them."""
    requested = await rejected.request_all(connection, selection, by=caller.actor)
    return schemas.ReprocessAnswer.model_validate(requested)


@router.post(
    "/rejections/{rejection}/reprocess",
    summary="Have a rejection read again",
    status_code=202,
    responses=problems.documented(404),
)
async def reprocess_rejection(
    rejection: Identifier, connection: Connection, caller: Operator
) -> schemas.ReprocessAnswer:
    """What was refused is read again as if it had just arrived when it did; what is fit by now becomes readings."""
    requested = await rejected.request_one(connection, rejection, by=caller.actor)
    if requested is None:
        raise problems.not_found("rejection", rejection)
    return schemas.ReprocessAnswer.model_validate(requested)


@router.delete(
    "/rejections/{rejection}", summary="Dismiss a rejection", status_code=204, responses=problems.documented(404)
)
async def dismiss_rejection(rejection: Identifier, connection: Connection, caller: Operator) -> Response:
    """It and what it keeps are forgotten. When the trouble comes again, it is counted anew."""
    if not await rejected.dismiss(connection, rejection, by=caller.actor):
        raise problems.not_found("rejection", rejection)
    return Response(status_code=204)


def _answer(held: HeldRejection) -> dict[str, object]:
    given = {name: getattr(held, name, None) for name in schemas.RejectionAnswer.model_fields}
    sample = "" if held.sample is None else held.sample.decode("utf-8", "backslashreplace")
    return given | {"payload": sample, "received_at": held.last_seen}


def _payload(payload: KeptPayload, topic: str) -> dict[str, object]:
    try:
        text, encoded = payload.payload.decode(), None
    except UnicodeDecodeError:
        text, encoded = None, base64.b64encode(payload.payload).decode()
    return {
        "received_at": payload.received_at,
        "text": text,
        "base64": encoded,
        "encoding": payload.encoding,
        "is_cut": payload.is_cut,
        "obstacle": payload.obstacle(topic),
    }
