"""How bridges are doing, and what was too heavy for them."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from psycopg import AsyncConnection

from services.api import problems, schemas
from services.api.bridge_answers import (
    BridgeModeAnswer,
    HealthEvaluationAnswer,
    ModeSightingAnswer,
    OverloadedVehicleAnswer,
)
from services.api.moment import Moment
from services.api.question import time_range
from services.api.security import Connection, Reader
from services.core.health_evaluation import HealthEvaluation
from services.core.store import bridge_modes, health_evaluations

router = APIRouter(tags=["bridges"])
_USUAL, _LONGEST = timedelta(days=7), timedelta(days=92)


@router.get(
    "/bridges/{zone}/health", summary="How a bridge is doing, evaluated twice a day", responses=problems.documented(404)
)
async def get_health(
    zone: str, connection: Connection, _: Reader, limit: Annotated[int, Query(ge=1, le=1000)] = 14
) -> list[HealthEvaluationAnswer]:
    """Evaluations of 06:00 and 18:00, and of when it got worse, newest first, each with its reasons as known then."""
    await _known_bridge(connection, zone)
    return [_answer(each) for each in await health_evaluations.newest(connection, zone, limit)]


@router.get(
    "/bridges/{zone}/overloads", summary="Vehicles over a bridge's limit", responses=problems.documented(404, 422)
)
async def list_overloads(
    zone: str,
    connection: Connection,
    _: Reader,
    start: Moment | None = None,
    end: Moment | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[OverloadedVehicleAnswer]:
    """Weighed vehicles at or above the lowest limit of severity 3, newest first; by default of the last seven days."""
    await _known_bridge(connection, zone)
    since, until = time_range(start, end, _USUAL, _LONGEST)
    return [
        OverloadedVehicleAnswer(
            sensor=each.sensor, asset=each.asset, time=each.time, weight_t=each.weight_t, limit_t=each.limit_t
        )
        for each in await health_evaluations.overloaded_vehicles(connection, zone, since, until, limit)
    ]


@router.get(
    "/bridges/{zone}/modes", summary="The modes of a bridge, tracked by shape", responses=problems.documented(404)
)
async def list_modes(
    zone: str, connection: Connection, _: Reader, limit: Annotated[int, Query(ge=1, le=1000)] = 168
) -> list[BridgeModeAnswer]:
    """Modes identified in windows of raw vibration, slowest number first, each with its last ``limit`` sightings."""
    await _known_bridge(connection, zone)
    recent = await bridge_modes.sightings(connection, zone, limit)
    return [
        BridgeModeAnswer(
            number=mode.number,
            frequency_hz=mode.frequency_hz,
            shape=dict(mode.shape),
            sightings=mode.sightings,
            missed=mode.missed,
            first_seen_at=mode.first_seen_at,
            last_seen_at=mode.last_seen_at,
            recent=[ModeSightingAnswer.model_validate(seen) for seen in recent.get(mode.number, [])],
        )
        for mode in await bridge_modes.known(connection, zone)
        if mode.is_confirmed
    ]


async def _known_bridge(connection: AsyncConnection, zone: str) -> None:
    if not await health_evaluations.is_bridge(connection, zone):
        raise problems.not_found("bridge", zone)


def _answer(evaluation: HealthEvaluation) -> HealthEvaluationAnswer:
    return HealthEvaluationAnswer(
        zone=evaluation.zone,
        evaluated_at=evaluation.evaluated_at,
        grade=int(evaluation.grade),
        label=schemas.TextAnswer.model_validate(evaluation.grade.label),
        reasons=[schemas.TextAnswer.model_validate(reason) for reason in evaluation.reasons],
        alerts=list(evaluation.alerts),
        sensors=evaluation.sensors,
        heard=evaluation.heard,
        overloads=evaluation.overloads,
        proposes_closure=evaluation.proposes_closure,
    )
