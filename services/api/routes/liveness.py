"""Who is heard: sensors and gateways."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query

from services.api import question
from services.api.question import MISSED_REPORTS, Cursor, Missed, Selected
from services.api.reading_answers import GatewayAnswer, LivenessAnswer
from services.api.schemas import Page
from services.api.security import Connection, Reader
from services.core.store import liveness
from services.core.store.liveness import GatewayLiveness

router = APIRouter(tags=["availability"])
Limit = Annotated[int, Query(ge=1, le=5000)]


@router.get("/liveness", summary="Which sensors are heard")
async def list_liveness(
    connection: Connection,
    _: Reader,
    selection: Selected,
    silent: Annotated[bool | None, Query(description="only those that are silent, or that are not")] = None,
    missed: Missed = MISSED_REPORTS,
    limit: Limit = 1000,
    cursor: Cursor = None,
) -> Page[LivenessAnswer]:
    """Sensors by identifier, with when their newest value came in by the service's clock.

    A sensor is silent after so many missed intervals, and at least two minutes; one that never reported is too.
    """
    found = await liveness.heard_sensors(
        connection,
        replace(selection, after=cursor),
        now=question.now(),
        missed=missed,
        silent=silent,
        limit=limit + 1,
    )
    items = [LivenessAnswer.model_validate(heard) for heard in found[:limit]]
    return Page(items=items, next=items[-1].sensor if len(found) > limit else None)


@router.get("/gateways", summary="Gateways and whether their sensors are heard")
async def list_gateways(
    connection: Connection,
    _: Reader,
    selection: Selected,
    state: GatewayLiveness | None = None,
    missed: Missed = MISSED_REPORTS,
    limit: Limit = 1000,
    cursor: Cursor = None,
) -> Page[GatewayAnswer]:
    """Gateways by name, with how many of their sensors are silent by the service's clock."""
    found = await liveness.heard_gateways(
        connection, selection, now=question.now(), missed=missed, state=state, after=cursor, limit=limit + 1
    )
    items = [GatewayAnswer.model_validate(heard) for heard in found[:limit]]
    return Page(items=items, next=items[-1].gateway if len(found) > limit else None)
