"""What people, patrols and other systems hand in; for those that speak to an Alertmanager, in its own words."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID, uuid5

from fastapi import APIRouter, Response, status
from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict, Field, RootModel

from services.api import problems
from services.api.moment import Moment
from services.api.position import Position
from services.api.security import Connection, Reporter
from services.core.asset import Asset
from services.core.caller import Caller
from services.core.finding import FindingState
from services.core.geometry import METRES_PER_DEGREE, centre, distance_m
from services.core.lifeline import Lifeline
from services.core.report import REPORTED, Report, ReportSource
from services.core.severity import Severity
from services.core.store import alert_kinds, network, reports

router = APIRouter(tags=["reports"])
alertmanager = APIRouter(tags=["reports"])

_NAMESPACE = UUID("8e5a2b1c-3d5f-4a53-9a43-0f4d2c1b7e90")
_SEARCHED_M = 500.0
_SEVERITIES = {
    "critical": Severity.CRITICAL,
    "page": Severity.CRITICAL,
    "error": Severity.MAJOR,
    "major": Severity.MAJOR,
    "warning": Severity.MODERATE,
    "minor": Severity.MINOR,
    "info": Severity.MINOR,
    "none": Severity.MINOR,
}
_RESOLVE_TIMEOUT = timedelta(minutes=5)
"""Where a sender gives no end, as an Alertmanager does: what it does not repeat within this time is over."""

Label = Annotated[str, Field(max_length=2000)]


class ReportRequest(BaseModel):
    """What somebody noticed, at an asset or at a place."""

    model_config = ConfigDict(extra="forbid")

    source: Literal[ReportSource.CITIZEN, ReportSource.PATROL]
    lifeline: Lifeline
    asset: str | None = Field(default=None, max_length=100)
    position: Position | None = Field(
        default=None, description="longitude, latitude; the nearest asset of the lifeline within 500 m is taken"
    )
    kind: str = Field(default=REPORTED, max_length=100, description="a kind of alert that the lifeline knows")
    severity: int = Field(default=2, ge=1, le=4)
    text: str = Field(min_length=1, max_length=2000)
    reporter: str | None = Field(default=None, max_length=200, description="name or number to call back")
    noticed_at: Moment | None = None
    is_over: bool = Field(default=False, description="true: what was reported there is over")


class ReportAnswer(BaseModel):
    """What was made of a report."""

    id: UUID
    lifeline: Lifeline
    asset: str
    zone: str
    kind: str
    is_new: bool


class PostedAlert(BaseModel):
    """An alert as clients post it to an Alertmanager (API v2)."""

    labels: dict[str, Label] = Field(min_length=1, max_length=64)
    annotations: dict[str, Label] = Field(default_factory=dict, max_length=64)
    startsAt: Moment | None = None  # noqa: N815 - the wire's own word
    endsAt: Moment | None = None  # noqa: N815 - the wire's own word
    generatorURL: str = Field(default="", max_length=4000)  # noqa: N815 - the wire's own word


class PostedAlerts(RootModel[Annotated[list[PostedAlert], Field(max_length=500)]]):
    """Several of them."""


@router.post(
    "/reports",
    summary="Hand in what somebody noticed",
    status_code=status.HTTP_201_CREATED,
    responses=problems.documented(409, 422),
)
async def add_report(request: ReportRequest, connection: Connection, caller: Reporter) -> ReportAnswer:
    """It becomes a finding and an alert like any other. The same words at the same asset and time are one report."""
    now = datetime.now(UTC)
    asset = await _place_of(connection, request)
    await _check_kind(connection, request.lifeline, request.kind, "body.kind")
    time = request.noticed_at or now
    if time > now + timedelta(minutes=5):
        raise problems.not_valid("body.noticed_at", "lies in the future")
    state = FindingState.CLEARED if request.is_over else FindingState.RAISED
    known = f"{request.source}/{asset.id}/{request.kind}/{state}/{request.text}/{request.noticed_at or now}"
    report = Report(
        id=uuid5(_NAMESPACE, known),
        source=request.source,
        state=state,
        lifeline=request.lifeline,
        kind=request.kind,
        zone=asset.zone,
        asset=asset.id,
        target=f"{request.source}/{asset.id}/{request.kind}",
        severity=Severity(request.severity),
        time=time,
        text=request.text,
        reporter=request.reporter or caller.actor,
        received_at=now,
    )
    is_new = await reports.add(connection, report)
    return ReportAnswer(
        id=report.id, lifeline=report.lifeline, asset=asset.id, zone=asset.zone, kind=report.kind, is_new=is_new
    )


@alertmanager.post(
    "/alerts",
    summary="Post alerts as to an Alertmanager",
    response_class=Response,
    responses=problems.documented(409, 422),
)
async def post_alerts(request: PostedAlerts, connection: Connection, caller: Reporter) -> Response:
    """API v2 of the Prometheus Alertmanager, for `amtool`, Prometheus and Grafana.

    The labels `lifeline` and `asset` say where; `severity` is critical, error, warning or info; `kind` may name a kind
    of alert that the lifeline knows. An alert is over when its `endsAt` has passed without being posted again.
    """
    now = datetime.now(UTC)
    for number, posted in enumerate(request.root):
        await _take(connection, posted, f"body.{number}", caller, now)
    return Response(status_code=status.HTTP_200_OK)


async def _take(connection: AsyncConnection, posted: PostedAlert, place: str, caller: Caller, now: datetime) -> None:
    labels = posted.labels
    lifeline = _lifeline_of(labels, place)
    asset = await _asset(connection, lifeline, labels.get("asset", ""), f"{place}.labels.asset")
    kind = labels.get("kind", REPORTED)
    await _check_kind(connection, lifeline, kind, f"{place}.labels.kind")
    ends_at = posted.endsAt if posted.endsAt is not None and posted.endsAt.year > 1 else now + _RESOLVE_TIMEOUT
    began = posted.startsAt if posted.startsAt is not None and posted.startsAt.year > 1 else now
    target = hashlib.sha256(json.dumps(labels, sort_keys=True).encode()).hexdigest()[:32]
    text = posted.annotations.get("summary") or posted.annotations.get("description") or labels.get("alertname", "")

    def report(state: FindingState, time: datetime) -> Report:
        return Report(
            id=uuid5(_NAMESPACE, f"{target}/{state}/{time.isoformat()}"),
            source=ReportSource.SYSTEM,
            state=state,
            lifeline=lifeline,
            kind=kind,
            zone=asset.zone,
            asset=asset.id,
            target=target,
            severity=_SEVERITIES.get(labels.get("severity", "warning").lower(), Severity.MODERATE),
            time=time,
            text=text,
            reporter=caller.actor,
            received_at=now,
            labels={**labels, **({"generatorURL": posted.generatorURL} if posted.generatorURL else {})},
        )

    if ends_at <= now:
        await reports.add(connection, report(FindingState.CLEARED, ends_at))
        return
    await reports.add(connection, report(FindingState.RAISED, min(began, now)))
    await reports.add(connection, report(FindingState.CLEARED, ends_at), after=ends_at)


def _lifeline_of(labels: Mapping[str, str], place: str) -> Lifeline:
    try:
        return Lifeline(labels.get("lifeline", ""))
    except ValueError:
        names = ", ".join(Lifeline)
        raise problems.not_valid(f"{place}.labels.lifeline", f"must be one of {names}") from None


async def _place_of(connection: AsyncConnection, request: ReportRequest) -> Asset:
    if request.asset is not None:
        return await _asset(connection, request.lifeline, request.asset, "body.asset")
    if request.position is None:
        raise problems.not_valid("body.asset", "asset or position has to be given")
    longitude, latitude = request.position
    if not (-180 <= longitude <= 180 and -85 <= latitude <= 85):  # noqa: PLR2004 - degrees of the globe
        raise problems.not_valid("body.position", "must be longitude, latitude")
    margin = 2 * _SEARCHED_M / METRES_PER_DEGREE
    box = (longitude - margin, latitude - margin, longitude + margin, latitude + margin)
    found = await network.load_assets(connection, lifeline=request.lifeline, box=box)
    near = [(distance_m(request.position, centre(asset.geometry)), asset.id, asset) for asset in found]
    near = [each for each in near if each[0] <= _SEARCHED_M]
    if not near:
        raise problems.not_valid("body.position", f"no asset of {request.lifeline} within {_SEARCHED_M:g} m")
    return min(near)[2]


async def _asset(connection: AsyncConnection, lifeline: Lifeline, name: str, field: str) -> Asset:
    asset = (await network.find_assets(connection, [name])).get(name)
    if asset is None or asset.lifeline is not lifeline:
        raise problems.not_valid(field, f"{lifeline} has no asset {name!r}")
    return asset


async def _check_kind(connection: AsyncConnection, lifeline: Lifeline, kind: str, field: str) -> None:
    known = (await alert_kinds.load_alert_kinds(connection)).get((lifeline, kind))
    if known is None or known.report_every is not None:
        raise problems.not_valid(field, f"{lifeline} knows no kind of alert {kind!r}")
