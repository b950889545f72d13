"""Sensors, their current values and their history."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from psycopg import AsyncConnection
from pydantic import AwareDatetime

from services.api import problems, schemas
from services.api.security import Connection, Reader
from services.core.lifeline import Lifeline
from services.core.sensor import Sensor
from services.core.store import history, sensors, thresholds
from services.core.text import Text

router = APIRouter(tags=["sensors"])


def _answer(sensor: Sensor, words: Text) -> schemas.SensorAnswer:
    return schemas.SensorAnswer(
        id=sensor.id,
        lifeline=sensor.lifeline,
        quantity=sensor.quantity,
        label=schemas.TextAnswer(**asdict(words)),
        unit=sensor.unit,
        asset=sensor.asset,
        zone=sensor.zone,
        longitude=sensor.longitude,
        latitude=sensor.latitude,
        interval_s=sensor.interval.total_seconds(),
        gateway=sensor.gateway,
        plausible=sensor.plausible,
        thresholds=[schemas.ThresholdAnswer(**limit) for limit in thresholds.to_json(sensor.thresholds)],
    )


async def _known(connection: AsyncConnection, sensor: str) -> tuple[Sensor, Text]:
    found = await sensors.find_sensor(connection, sensor)
    if found is None:
        raise problems.not_found("sensor", sensor)
    return found


@router.get("/sensors", summary="Registered sensors")
async def list_sensors(
    connection: Connection,
    _: Reader,
    lifeline: Lifeline | None = None,
    zone: str | None = None,
    asset: str | None = None,
    limit: Annotated[int, Query(ge=1, le=5000)] = 200,
    cursor: Annotated[str | None, Query(description="the `next` of the page before")] = None,
) -> schemas.Page[schemas.SensorAnswer]:
    """Sensors by identifier."""
    found = await sensors.list_sensors(
        connection, lifeline=lifeline, zone=zone, asset=asset, after=cursor, limit=limit + 1
    )
    items = [_answer(sensor, words) for sensor, words in found[:limit]]
    return schemas.Page(items=items, next=items[-1].id if len(found) > limit else None)


@router.get("/sensors/{sensor}", summary="One sensor", responses=problems.documented(404))
async def get_sensor(sensor: str, connection: Connection, _: Reader) -> schemas.SensorAnswer:
    """A sensor with its limits."""
    return _answer(*await _known(connection, sensor))


@router.get("/sensors/{sensor}/latest", summary="A sensor's current value", responses=problems.documented(404))
async def get_latest(sensor: str, connection: Connection, _: Reader) -> schemas.LatestAnswer:
    """The newest value by measurement time; a late value never becomes current."""
    await _known(connection, sensor)
    found = await history.latest_of(connection, [sensor])
    if not found:
        raise problems.not_found("reading of sensor", sensor)
    return schemas.LatestAnswer.model_validate(found[0])


@router.get("/latest", summary="All current values in one call")
async def list_latest(
    connection: Connection, _: Reader, lifeline: Lifeline | None = None, zone: str | None = None
) -> schemas.Page[schemas.LatestAnswer]:
    """The newest value of every sensor that ever reported."""
    found = await history.all_latest(connection, lifeline=lifeline, zone=zone)
    return schemas.Page(items=[schemas.LatestAnswer.model_validate(latest) for latest in found])


def _day_before(until: datetime) -> datetime:
    try:
        return until - timedelta(hours=24)
    except OverflowError:
        raise problems.not_valid("query.end", "lies too early for a day before it") from None


@router.get("/sensors/{sensor}/history", summary="A sensor's history in buckets", responses=problems.documented(404))
async def get_history(
    sensor: str,
    connection: Connection,
    _: Reader,
    start: AwareDatetime | None = None,
    end: AwareDatetime | None = None,
    points: Annotated[int, Query(ge=1, le=5000, description="buckets at the most")] = 600,
) -> schemas.HistoryAnswer:
    """Minimum, maximum and mean of equal stretches of time; without ``start`` the last 24 hours before ``end``."""
    known, _words = await _known(connection, sensor)
    until = end or datetime.now(UTC)
    since = start or _day_before(until)
    if since >= until:
        raise problems.not_valid("query.start", "must lie before query.end")
    bucket = timedelta(seconds=max(1.0, -(-(until - since).total_seconds() // points)))
    found = await history.history(connection, known.key, since, until, bucket)
    return schemas.HistoryAnswer(
        sensor=sensor,
        unit=known.unit,
        bucket_s=bucket.total_seconds(),
        points=[schemas.HistoryPoint.model_validate(point) for point in found],
    )
