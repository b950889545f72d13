"""Teaching every detector of a city that can be taught: readings out of the database, models into it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from psycopg import AsyncConnection

from services.alerts import lifelines
from services.alerts.lifelines.drainage_forecast import with_low_points
from services.alerts.models.forecast_training import train_forecast
from services.alerts.models.forecast_trial import stirring
from services.alerts.models.past import Past, Series, Span, past
from services.alerts.models.subject import Subject, subjects
from services.alerts.models.training import TooLittlePastError, Window, train
from services.core.detector_model import DetectorModel, ModelState
from services.core.reading import Quality
from services.core.store import audit, detector_models, history, sensors, storms
from services.core.store.pool import Pool

TAUGHT = timedelta(days=28)
"""Default length of what is taught: four weeks hold every day of the week four times."""
HELD_BACK = timedelta(days=7)
"""Default length of what is held back: a week, so that its days are those of the taught ones."""
STORMS = timedelta(days=365)
"""How far back a forecast looks for storms at least: many places are under water once or twice in a season."""
_STORMS_AT_ONCE = timedelta(days=28)
_MOST_READINGS = 2_000_000
"""Readings of one subject that fit into memory beside a running service."""
_MICROSECONDS = 1e6

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be taught: all of it, or what one of the names picks."""

    end: datetime
    taught: timedelta = TAUGHT
    held_back: timedelta = HELD_BACK
    rule: str | None = None
    zone: str | None = None
    target: str | None = None

    @property
    def window(self) -> Window:
        """The past that is asked for."""
        split = self.end - self.held_back
        return Window(split - self.taught, split, self.end)

    def wants(self, subject: Subject) -> bool:
        """Whether a subject is among those to be taught."""
        pairs = ((self.rule, subject.rule.name), (self.zone, subject.zone), (self.target, subject.target))
        return all(wanted in {None, given} for wanted, given in pairs)


@dataclass(frozen=True, slots=True)
class Lesson:
    """What became of one subject: a model, or why there is none."""

    rule: str
    target: str
    model: DetectorModel | None
    skipped: str | None = None


async def teach(pool: Pool, wish: Wish) -> list[Lesson]:
    """Teach everything wished for, one after the other; each model is stored and promoted for itself.

    The arithmetic runs in a thread, so that the caller's other work goes on.
    """
    async with pool.connection() as connection:
        registered = await sensors.load_sensors(connection)
        low_points = await storms.load_low_points(connection)
    rules = {lifeline: with_low_points(each, low_points) for lifeline, each in lifelines.discover().items()}
    chosen = [subject for subject in subjects(rules, registered) if wish.wants(subject)]
    return [await _teach(pool, subject, wish.window) for subject in chosen]


async def _teach(pool: Pool, subject: Subject, window: Window) -> Lesson:
    try:
        async with pool.connection() as connection:
            in_use = await detector_models.find(connection, subject.rule.name, subject.target)
        learn = _forecast if subject.forecasts else _detector
        model = await learn(pool, subject, window, in_use)
    except (TooLittlePastError, history.TooManyReadingsError) as reason:
        return Lesson(subject.rule.name, subject.target, None, str(reason))
    async with pool.connection() as connection, connection.transaction():
        model = await detector_models.add(connection, model)
        if model.reason is None:
            await detector_models.promote(connection, model.rule, model.target, model.version, actor=audit.SYSTEM)
            model = replace(model, state=ModelState.ACTIVE)
    log.info(
        "detector taught",
        rule=model.rule,
        target=model.target,
        version=model.version,
        in_use=model.reason is None,
        reason=None if model.reason is None else model.reason.en,
    )
    return Lesson(model.rule, model.target, model)


async def _detector(pool: Pool, subject: Subject, window: Window, in_use: DetectorModel | None) -> DetectorModel:
    async with pool.connection() as connection:
        series = await _series(connection, subject, window)
        troubles = await _troubles(connection, subject, window)
    return await asyncio.to_thread(_trained, subject, series, troubles, window, in_use)


async def _forecast(pool: Pool, subject: Subject, window: Window, in_use: DetectorModel | None) -> DetectorModel:
    """A forecast learns from troubles: the stormy hours of a long past, read a few weeks at a time."""
    parts: list[Past] = []
    start = min(window.start, window.end - STORMS)
    while start < window.end:
        end = min(start + _STORMS_AT_ONCE, window.end)
        async with pool.connection() as connection:
            series = await _read(connection, subject, Window(start, end, end))
        if series:
            parts.append(await asyncio.to_thread(_storms, subject, series))
        start = end
    if not parts:
        raise TooLittlePastError("no readings")
    return await asyncio.to_thread(train_forecast, subject, Past.joined(parts), in_use)


def _storms(subject: Subject, series: dict[str, Series]) -> Past:
    whole = past(subject, series, ())
    return replace(whole, rows=stirring(subject, whole.rows))


def _trained(
    subject: Subject, series: dict[str, Series], troubles: Sequence[Span], window: Window, in_use: DetectorModel | None
) -> DetectorModel:
    return train(subject, past(subject, series, troubles), window, in_use)


async def _series(connection: AsyncConnection, subject: Subject, window: Window) -> dict[str, Series]:
    """The good readings of a subject's sensors, empty ones included."""
    series = await _read(connection, subject, window)
    if not series:
        raise TooLittlePastError("no readings")
    return series


async def _read(connection: AsyncConnection, subject: Subject, window: Window) -> dict[str, Series]:
    names = {sensor.key: sensor.id for sensor in subject.sensors}
    found = await history.samples(connection, list(names), window.start, window.end, _MOST_READINGS)
    series: dict[str, Series] = {}
    for key, name in names.items():
        samples = found.get(key)
        if samples is None:
            continue
        good = samples.qualities == int(Quality.GOOD)
        series[name] = (samples.times_us[good] / _MICROSECONDS, samples.values[good])
    return series


async def _troubles(connection: AsyncConnection, subject: Subject, window: Window) -> list[Span]:
    """When something was reported in the zone, or by one of the sensors; what people called a false alarm was none."""
    cursor = await connection.execute(
        """
        select extract(epoch from started_at)::float8, extract(epoch from coalesce(cleared_at, %(end)s))::float8
        from alert
        where (zone = %(zone)s or sensors && %(sensors)s) and started_at < %(end)s
          and coalesce(cleared_at, %(end)s) > %(start)s and verdict is distinct from 'false-alarm'
        """,
        {
            "zone": subject.zone,
            "sensors": [sensor.id for sensor in subject.sensors],
            "start": window.start,
            "end": window.end,
        },
    )
    return [(start_s, end_s) async for start_s, end_s in cursor]
