"""Current values, and the values that were current at a past moment."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.api import problems
from services.api.moment import Moment
from services.api.packed import packed_json
from services.api.question import Selected, known_sensor
from services.api.reading_answers import LatestAnswer
from services.api.schemas import Page
from services.api.security import Connection, Reader
from services.core.store import belief, current_values

router = APIRouter(tags=["sensors"])

At = Annotated[Moment | None, Query(description="the newest value not measured after this moment")]
BelievedAt = Annotated[
    Moment | None,
    Query(description="only what had been received by this moment, and values that were corrected since as they were"),
]


@router.get("/sensors/{sensor}/latest", summary="A sensor's current value", responses=problems.documented(404))
async def get_latest(
    sensor: str, connection: Connection, _: Reader, at: At = None, believed_at: BelievedAt = None
) -> LatestAnswer:
    """The newest value by measurement time, now or at a past moment; a late value never becomes current."""
    await known_sensor(connection, sensor)
    if at is None and believed_at is None:
        found = next(iter(await current_values.latest_of(connection, [sensor])), None)
    else:
        found = await belief.one_at(connection, sensor, at=at, believed_at=believed_at)
    if found is None:
        raise problems.not_found("reading of sensor", sensor)
    return LatestAnswer.model_validate(found)


@router.get("/latest", summary="All current values in one call", response_model=Page[LatestAnswer])
async def list_latest(
    request: Request,
    connection: Connection,
    _: Reader,
    selection: Selected,
    at: At = None,
    believed_at: BelievedAt = None,
) -> Response:
    """The newest value of every sensor that ever reported, now or at a past moment, in no particular order.

    `at` alone answers as we know it now, with what came late and what was corrected; with `believed_at` too, as it
    was known then.
    """
    if at is None and believed_at is None:
        items = await current_values.all_latest(connection, selection)
    else:
        items = await belief.all_at(connection, selection, at=at, believed_at=believed_at)
    return await packed_json(request, f'{{"items":{items},"next":null}}')
