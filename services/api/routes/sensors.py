"""Registered sensors."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query

from services.api import problems, schemas
from services.api.question import Cursor, Name, known_sensor
from services.api.security import Connection, Reader
from services.api.threshold_answers import answered
from services.core.lifeline import Lifeline
from services.core.sensor import Sensor
from services.core.store import sensors
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
        thresholds=answered(sensor.thresholds),
    )


@router.get("/sensors", summary="Registered sensors")
async def list_sensors(
    connection: Connection,
    _: Reader,
    lifeline: Lifeline | None = None,
    zone: Name = None,
    asset: Name = None,
    limit: Annotated[int, Query(ge=1, le=5000)] = 200,
    cursor: Cursor = None,
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
    return _answer(*await known_sensor(connection, sensor))
