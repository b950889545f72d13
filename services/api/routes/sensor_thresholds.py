"""The limits of a sensor: what counts, what would have happened with others, and setting them."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from psycopg import AsyncConnection

from services.api import problems
from services.api.question import known_sensor
from services.api.security import Approver, Connection, Reader
from services.api.threshold_answers import (
    SensorThresholdsAnswer,
    ThresholdsRequest,
    ThresholdsTried,
    ThresholdTrialAnswer,
    thresholds_answer,
    trial_side,
)
from services.core.sensor import Sensor
from services.core.store import row_versions, sensor_thresholds
from services.core.store.sensor_thresholds import ByHand, SensorThresholds
from services.core.threshold import Side, Threshold
from services.core.threshold_trial import compared

router = APIRouter(tags=["sensors"])

_MOST_READINGS = 300_000
"""What one trial may look at: a month of a reading every ten seconds."""


async def _known(connection: AsyncConnection, sensor: str) -> tuple[Sensor, SensorThresholds]:
    known, _ = await known_sensor(connection, sensor)
    found = await sensor_thresholds.find(connection, sensor)
    if found is None:
        raise problems.not_found("sensor", sensor)
    return known, found


async def _shown(connection: AsyncConnection, sensor: str) -> SensorThresholdsAnswer:
    known, found = await _known(connection, sensor)
    version = await row_versions.version_of(connection, "sensor", sensor)
    return thresholds_answer(known, found, version or 0)


@router.get("/sensors/{sensor}/thresholds", summary="A sensor's limits", responses=problems.documented(404))
async def get_thresholds(sensor: str, connection: Connection, _: Reader) -> SensorThresholdsAnswer:
    """Those that count, who set them where they were set by hand, and those of the register."""
    return await _shown(connection, sensor)


@router.put("/sensors/{sensor}/thresholds", summary="Set a sensor's limits by hand", responses=problems.documented(404))
async def put_thresholds(
    sensor: str, request: ThresholdsRequest, connection: Connection, caller: Approver
) -> SensorThresholdsAnswer:
    """From now on, until they are set again or taken back; an import of the city folder leaves them."""
    known, found = await _known(connection, sensor)
    _fits(known, found, request.limits())
    by_hand = ByHand(request.limits(), request.reason, caller.actor, datetime.now(UTC))
    await sensor_thresholds.change(connection, sensor, by_hand, actor=caller.actor, reason=request.reason)
    return await _shown(connection, sensor)


@router.delete(
    "/sensors/{sensor}/thresholds", summary="Take back what was set by hand", responses=problems.documented(404)
)
async def delete_thresholds(
    sensor: str,
    connection: Connection,
    caller: Approver,
    reason: Annotated[str, Query(max_length=2000, pattern="^[^\x00]*$", description="for the audit trail")] = "",
) -> SensorThresholdsAnswer:
    """From now on the limits of the register count again."""
    await _known(connection, sensor)
    await sensor_thresholds.change(connection, sensor, None, actor=caller.actor, reason=reason)
    return await _shown(connection, sensor)


@router.post(
    "/sensors/{sensor}/thresholds/trial", summary="What would have happened", responses=problems.documented(404)
)
async def try_thresholds(
    sensor: str,
    request: ThresholdsTried,
    connection: Connection,
    _: Reader,
    days: Annotated[int, Query(ge=1, le=31, description="so many days back from the newest reading")] = 30,
) -> ThresholdTrialAnswer:
    """The readings that are known now, graded as they are when they come, by the limits that count and by others.

    It tells of the limits of this sensor alone, not of what other rules see in it. Nothing is changed.
    """
    known, found = await _known(connection, sensor)
    newest = await sensor_thresholds.newest_reading(connection, known.key)
    end = newest or datetime.now(UTC)
    start = end - timedelta(days=days)
    readings = await sensor_thresholds.readings_of(connection, known.key, start, end, _MOST_READINGS + 1)
    if len(readings) > _MOST_READINGS:
        raise problems.not_valid(
            "query.days", f"{sensor} has over {_MOST_READINGS} readings in this time; ask for less"
        )
    in_force, tried = await asyncio.to_thread(
        compared, readings, found.in_force, request.limits(), known.tolerated_silence_s
    )
    return ThresholdTrialAnswer(
        sensor=known.id,
        unit=known.unit,
        start=start,
        end=end,
        readings=len(readings),
        bad=sum(reading.value is None for reading in readings),
        in_force=trial_side(in_force, days),
        tried=trial_side(tried, days),
    )


def _fits(sensor: Sensor, found: SensorThresholds, limits: Sequence[Threshold]) -> None:
    """Refuse limits that could never be reached, and a side that would not be watched any more.

    Raises:
        Problem: 422, with the field.
    """
    low, high = sensor.plausible
    for number, limit in enumerate(limits):
        if not low <= limit.raise_at <= high:
            reason = (
                f"{sensor.id} says between {low:g} and {high:g} {sensor.unit}: other values are bad and reach nothing"
            )
            raise problems.not_valid(f"body.thresholds.{number}.raise_at", reason)
    for side in Side:
        if any(limit.side is side for limit in found.in_force) and all(limit.side is not side for limit in limits):
            raise problems.not_valid("body.thresholds", f"nothing would be watched {side} any more; keep a limit there")
