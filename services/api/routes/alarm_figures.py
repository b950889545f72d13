"""How the centre does: alerts for each operator, who is noisy, how long each step takes; what kinds of alert are."""

from datetime import datetime, timedelta
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from pydantic import Field

from services.api import question, schemas
from services.api.moment import Moment
from services.api.question import time_range
from services.api.security import Connection, Reader
from services.core import day_report
from services.core.lifeline import Lifeline
from services.core.store import alarm_figures, alert_kinds, day_reports

router = APIRouter(tags=["alerts"])
_USUAL = timedelta(days=1)
_LONGEST = timedelta(days=366)
Step = Literal["acknowledged", "published", "received", "on_site", "under_control", "closed"]


class SourceAnswer(schemas.Answer):
    """A place that raises many alerts."""

    lifeline: Lifeline
    kind: str
    asset: str
    times: int = Field(description="episodes, those that came back counted each time")


class SensorVerdictsAnswer(schemas.Answer):
    """What people judged of the alerts in which a sensor spoke."""

    sensor: str
    false_alarms: int
    true_alarms: int
    unjudged: int


class VerdictsAnswer(schemas.Answer):
    """What people judged of a detector's alerts of a kind."""

    detector: str
    kind: str
    false_alarms: int
    true_alarms: int
    unjudged: int


class ClockAnswer(schemas.Answer):
    """Seconds from the alert until a step."""

    count: int = Field(description="alerts that have come so far")
    median_s: float
    ninth_decile_s: float


class AlarmFiguresAnswer(schemas.Answer):
    """The numbers of a span of time."""

    start: datetime
    end: datetime
    alerts: int = Field(description="raised by machines")
    told: int = Field(description="of these not kept quiet")
    warnings: int = Field(description="published")
    per_hour: float = Field(description="told alerts; an operator can take about six")
    busiest: int = Field(description="most told alerts within ten minutes")
    in_flood: float = Field(description="share of the time with more than ten told alerts within ten minutes")
    by_severity: dict[int, int] = Field(description="told alerts by their highest severity")
    suppressed: dict[str, int] = Field(description="alerts kept quiet, by reason")
    top_sources: list[SourceAnswer]
    chattering: int = Field(description="alerts that came back three times or more")
    stale: int = Field(description="standing for more than a day now")
    verdicts: list[VerdictsAnswer] = Field(description="most false alarms first")
    clocks: dict[Step, ClockAnswer]
    sensor_verdicts: list[SensorVerdictsAnswer] = Field(description="the ten sensors with the most false alarms")


class AlertKindAnswer(schemas.Answer):
    """What may be raised."""

    lifeline: Lifeline
    kind: str
    label: schemas.TextAnswer


@router.get("/alert-kinds", summary="Kinds of alert and what they are called")
async def list_kinds(connection: Connection, _: Reader) -> list[AlertKindAnswer]:
    """Every kind that the rules of this service may raise, by lifeline."""
    known = await alert_kinds.load_alert_kinds(connection)
    return [AlertKindAnswer.model_validate(known[place]) for place in sorted(known)]


@router.get("/alarm-figures", summary="The numbers the centre lives by")
async def get_figures(
    connection: Connection, _: Reader, start: Moment | None = None, end: Moment | None = None
) -> AlarmFiguresAnswer:
    """Of a span of wall time, usually the last day."""
    since, until = time_range(start, end, _USUAL, _LONGEST)
    found = await alarm_figures.count(connection, since, until, question.now())
    fields = {name: getattr(found, name) for name in AlarmFiguresAnswer.model_fields if hasattr(found, name)}
    return AlarmFiguresAnswer.model_validate(fields | {"start": since, "end": until})


@router.get(
    "/alarm-figures/report",
    summary="The numbers as a document to be printed",
    response_class=HTMLResponse,
    responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}},
)
async def get_report(
    request: Request,
    connection: Connection,
    _: Reader,
    start: Moment | None = None,
    end: Moment | None = None,
) -> HTMLResponse:
    """HTML in both languages, of a span of wall time, usually the last day; it refers to nothing outside itself."""
    since, until = time_range(start, end, _USUAL, _LONGEST)
    app = request.app.state
    report = await day_reports.gather(connection, app.city, since, until, now=question.now(), exercise=app.exercise)
    return HTMLResponse(day_report.written(report))
