"""From a value back to the device, and from a device to everything that ever depended on it."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request

from services.api import problems
from services.api.moment import Moment
from services.api.question import known_sensor, now
from services.api.schemas import Answer
from services.api.security import Connection, Reader
from services.core import wire
from services.core.reading import Quality, QualityReason
from services.core.store import lineage

router = APIRouter(tags=["lineage"])
_LATER = "the payload itself is not kept; these are the values that were taken from it"


class GivenValue(Answer):
    """A value as it came in; ``superseded_at`` says when another one took its place."""

    value: float
    quality: Quality
    reason: QualityReason | None
    received_at: datetime
    superseded_at: datetime | None


class BufferProgress(Answer):
    """Which numbered batches of a gateway's buffer are stored."""

    buffer: str
    stored: str
    updated_at: datetime


class LineageAnswer(Answer):
    """Where a value came from.

    ``device`` is the gateway, or the sensor itself; ``topics`` are those on which it may have come, by the published
    contract. ``register_version`` is what the register said of the sensor when the value came in.
    """

    sensor: str
    time: datetime
    unit: str
    values: list[GivenValue]
    device: str
    gateway: str | None
    address: str | None
    device_unit: str | None
    topics: list[str]
    payload: str
    register_version: int | None
    register_valid_from: datetime | None
    batches: list[BufferProgress]


class DependentAlert(Answer):
    """An alert that rests on the sensor."""

    id: UUID
    kind: str
    asset: str
    state: str
    severity: int
    detected_at: datetime
    cleared_at: datetime | None


class DependentFinding(Answer):
    """A finding that rests on the sensor."""

    id: UUID
    alert: UUID | None
    rule: str
    detector: str
    detector_version: str
    state: str
    time: datetime
    stored_at: datetime


class DependentModel(Answer):
    """A model that was taught with the sensor's readings."""

    rule: str
    target: str
    version: int
    state: str
    trained_from: datetime
    trained_until: datetime
    promoted_at: datetime | None


class DependentForecasts(Answer):
    """What a detector foretold of the sensor."""

    detector: str
    detector_version: str
    model: str | None
    values: int
    first: datetime
    last: datetime


class DependentNewNormal(Answer):
    """What a person took as the new normal of the sensor."""

    alert: UUID
    rule: str
    target: str
    actor: str
    asked_at: datetime
    outcome: str | None


class DependentCommand(Answer):
    """What the device was asked to do."""

    id: UUID
    device: str
    interval_s: float
    finding: UUID
    asked_at: datetime
    state: str


class DependantsAnswer(Answer):
    """Everything that ever depended on a sensor, newest first."""

    sensor: str
    alerts: list[DependentAlert]
    findings: list[DependentFinding]
    models: list[DependentModel]
    forecasts: list[DependentForecasts]
    new_normals: list[DependentNewNormal]
    commands: list[DependentCommand]


@router.get("/sensors/{sensor}/lineage", summary="Where a value came from", responses=problems.documented(404))
async def get_lineage(
    sensor: str,
    request: Request,
    connection: Connection,
    _: Reader,
    time: Annotated[
        Moment | None, Query(description="of the value at this moment or the last one before; default: now")
    ] = None,
) -> LineageAnswer:
    """Every value that was ever given for the moment, the device and the topics it came by, and the register then."""
    known, _words = await known_sensor(connection, sensor)
    moment = await lineage.nearest_time(connection, known.key, time or now())
    if moment is None:
        raise problems.not_found("reading", f"of {sensor} at that moment or before")
    values = await lineage.values_of(connection, known.key, moment)
    version = await lineage.version_at(connection, sensor, values[0]["received_at"])
    row: dict[str, Any] = (version or {"row": {}})["row"]
    gateway, address = row.get("gateway", known.gateway), row.get("address")
    city = request.app.state.city
    topics = [] if gateway is None else [wire.gateway_readings_topic(city, gateway)]
    return LineageAnswer(
        sensor=sensor,
        time=moment,
        unit=known.unit,
        values=[GivenValue.model_validate(each | {"reason": QualityReason.of_code(each["reason"])}) for each in values],
        device=gateway or sensor,
        gateway=gateway,
        address=address,
        device_unit=row.get("device_unit"),
        topics=[*topics, wire.sensor_readings_topic(city, sensor)],
        payload=_LATER,
        register_version=None if version is None else version["version"],
        register_valid_from=None if version is None else version["valid_from"],
        batches=[] if gateway is None else await _batches(connection, gateway),
    )


async def _batches(connection: Connection, gateway: str) -> list[BufferProgress]:
    return [BufferProgress.model_validate(each) for each in await lineage.progress_of(connection, gateway)]


@router.get(
    "/sensors/{sensor}/dependants", summary="What ever depended on a sensor", responses=problems.documented(404)
)
async def get_dependants(
    sensor: str,
    connection: Connection,
    _: Reader,
    limit: Annotated[int, Query(ge=1, le=500, description="of each kind at the most")] = 100,
) -> DependantsAnswer:
    """Alerts, findings, models, forecasts, new normals and commands, newest first."""
    known, _words = await known_sensor(connection, sensor)
    found = await lineage.dependants_of(connection, sensor, known.key, known.zone, limit)
    return DependantsAnswer.model_validate({"sensor": sensor, **found})
