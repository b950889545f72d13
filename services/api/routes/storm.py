"""What the weather service says, and what is prepared for it."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, status

from services.api import problems, schemas
from services.api.security import Connection, Handler, Operator, Reader
from services.api.storm_answers import (
    LowPointAnswer,
    PersonAnswer,
    StormAnswer,
    StormTaskAnswer,
    WeatherWarningAnswer,
    WeatherWarningTakenAnswer,
)
from services.core.cap_message import CapError, NotMeantForUsError, read_message
from services.core.forecast import Forecast
from services.core.lifeline import Lifeline
from services.core.low_point import TASK_WORDS, TaskState
from services.core.move import MoveNotAllowedError
from services.core.store import audit, forecasts, storms, weather_warnings
from services.core.store.weather_warnings import KnownWarning

router = APIRouter(tags=["storm"])
_LOOKED_BACK = timedelta(hours=24)


def _warning(known: KnownWarning) -> WeatherWarningAnswer:
    warning = known.warning
    return WeatherWarningAnswer(
        id=known.id,
        sender=warning.sender,
        identifier=warning.identifier,
        sent=warning.sent,
        message_type=warning.message_type,
        is_exercise=warning.is_exercise,
        event=schemas.TextAnswer.model_validate(warning.event),
        severity=int(warning.severity),
        headline=schemas.TextAnswer.model_validate(warning.headline),
        description=schemas.TextAnswer.model_validate(warning.description),
        instruction=schemas.TextAnswer.model_validate(warning.instruction),
        onset=warning.onset,
        expires=warning.expires,
        area_names=list(warning.area_names),
        area=warning.as_geojson(),
        brings_water=warning.brings_water,
        received_at=known.received_at,
        ended_at=known.ended_at,
    )


@router.get("/weather-warnings", summary="Warnings of the weather service")
async def list_weather_warnings(
    connection: Connection,
    _: Reader,
    in_force: Annotated[bool, Query(description="only those that count now")] = True,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[WeatherWarningAnswer]:
    """Those in force, worst first; or all messages, newest first."""
    if in_force:
        return [_warning(known) for known in (await weather_warnings.in_force(connection, datetime.now(UTC)))[:limit]]
    return [_warning(known) for known in await weather_warnings.newest(connection, limit)]


@router.post(
    "/weather-warnings",
    summary="Hand over a warning as a CAP message",
    status_code=status.HTTP_201_CREATED,
    responses=problems.documented(422),
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/cap+xml": {"schema": {"type": "string"}}}}
    },
)
async def hand_over_warning(request: Request, connection: Connection, caller: Operator) -> WeatherWarningTakenAnswer:
    """For weather services that push. CAP 1.1 or 1.2, UTF-8; the same message again changes nothing.

    Messages that are tests, drafts or acknowledgements are refused: nobody is to act on them.
    """
    content = await request.body()
    try:
        warning = read_message(content)
    except NotMeantForUsError as reason:
        raise problems.not_valid("body", str(reason)) from None
    except CapError as error:
        raise problems.not_valid("body", str(error)) from None
    taken = await storms.take(connection, warning, content.decode("utf-8-sig"), datetime.now(UTC))
    if taken is not None:
        await audit.record(
            connection,
            actor=caller.actor,
            action="weather-warning.hand-over",
            subject_kind="weather-warning",
            subject=str(taken),
        )
    return WeatherWarningTakenAnswer(sender=warning.sender, identifier=warning.identifier, is_new=taken is not None)


@router.get("/storm", summary="The storm at one look")
async def get_storm(connection: Connection, _: Reader) -> StormAnswer:
    """Warnings in force, and each low point: what stands there, what is expected, who is there and with what."""
    now = datetime.now(UTC)
    known = [each for each in await weather_warnings.in_force(connection, now) if each.warning.brings_water]
    tasks = await storms.tasks(connection, now - _LOOKED_BACK)
    expected = await forecasts.current(connection, lifeline=Lifeline.DRAINAGE)
    return StormAnswer(
        severity=max((int(each.warning.severity) for each in known if not each.warning.is_exercise), default=0),
        warnings=[_warning(each) for each in known],
        places=[_place(water, tasks, expected) for water in await storms.standing_water(connection)],
    )


def _place(water: storms.StandingWater, tasks: list[storms.PreparedTask], expected: list[Forecast]) -> LowPointAnswer:
    person = None
    if water.person is not None:
        post = schemas.TextAnswer(en=water.post_en or "", zh=water.post_zh or "")
        person = PersonAnswer(name=water.person, post=post, phone=water.phone or "")
    return LowPointAnswer(
        asset=water.asset,
        name=schemas.TextAnswer(en=water.name_en, zh=water.name_zh),
        zone=water.zone,
        person=person,
        pumps=water.pumps,
        prepare_from=water.prepare_from,
        sensor=water.sensor,
        unit=water.unit,
        depth=water.depth,
        measured_at=water.measured_at,
        alert=water.alert,
        severity=water.severity,
        expected=[schemas.ForecastAnswer.model_validate(each) for each in expected if each.sensor == water.sensor],
        tasks=[_task(task) for task in tasks if task.asset == water.asset],
    )


def _task(task: storms.PreparedTask) -> StormTaskAnswer:
    words = schemas.TextAnswer.model_validate(TASK_WORDS[task.task])
    return StormTaskAnswer.model_validate({**asdict(task), "label": words})


@router.post(
    "/storm/tasks/{task}/done", summary="Say that a task is carried out", responses=problems.documented(404, 409)
)
async def finish_task(task: int, connection: Connection, caller: Handler) -> StormTaskAnswer:
    """The person is there, the pumps, sandbags or barriers are in place."""
    known = await storms.find_task(connection, task)
    if known is None:
        raise problems.not_found("storm task", task)
    if known.state is not TaskState.OPEN:
        raise MoveNotAllowedError("storm task", "finish", known.state, ())
    return _task(await storms.finish(connection, known, actor=caller.actor, now=datetime.now(UTC)))
