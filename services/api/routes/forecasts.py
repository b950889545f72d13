"""What is expected of sensors."""

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from services.api import problems, schemas
from services.api.moment import Moment
from services.api.question import Name, known_sensor, time_range
from services.api.security import Connection, Reader
from services.core.forecast import Forecast
from services.core.lifeline import Lifeline
from services.core.store import forecasts

router = APIRouter(tags=["forecasts"])

_USUAL = timedelta(hours=24)
_LONGEST = timedelta(days=7)


def _answer(forecast: Forecast) -> schemas.ForecastAnswer:
    return schemas.ForecastAnswer.model_validate(asdict(forecast))


@router.get("/forecasts", summary="What is expected now")
async def list_forecasts(
    connection: Connection, _: Reader, lifeline: Lifeline | None = None, zone: Name = None
) -> list[schemas.ForecastAnswer]:
    """The last issue of each sensor that has a current one; sensors where nothing stirs have none."""
    return [_answer(each) for each in await forecasts.current(connection, lifeline=lifeline, zone=zone)]


@router.get(
    "/sensors/{sensor}/forecast", summary="What is and was expected of a sensor", responses=problems.documented(404)
)
async def get_forecast(
    sensor: str,
    connection: Connection,
    _: Reader,
    start: Annotated[Moment | None, Query(description="issues from then on")] = None,
    end: Annotated[Moment | None, Query(description="and before then")] = None,
) -> list[schemas.ForecastAnswer]:
    """The current issue; with ``start`` or ``end`` every issue of a stretch of time, to be laid beside what came."""
    await known_sensor(connection, sensor)
    if start is None and end is None:
        return [_answer(each) for each in await forecasts.current(connection, sensor=sensor)]
    since, until = time_range(start, end, _USUAL, _LONGEST)
    return [_answer(each) for each in await forecasts.of_sensor(connection, sensor, since, until)]
