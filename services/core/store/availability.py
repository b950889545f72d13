"""How much of what sensors ought to have reported came in, by sensor and day."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from psycopg import AsyncConnection

from services.core.store import summary
from services.core.store.sensor_selection import SensorSelection

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DayCount:
    """What came in on one day (UTC): readings of any quality, and the bad ones among them.

    ``expected`` follows from the declared interval and from how much of the day is over.
    """

    day: date
    expected: int
    received: int
    bad: int

    @property
    def received_percent(self) -> float | None:
        """Never more than 100, however often a sensor reports; null where nothing was expected."""
        return _percent(self.received, self.expected)

    @property
    def usable_percent(self) -> float | None:
        """The same without bad readings."""
        return _percent(self.received - self.bad, self.expected)


@dataclass(frozen=True, slots=True)
class SensorDays:
    """A sensor's counts, one for each day asked about."""

    sensor: str
    interval_s: float
    days: list[DayCount]


@dataclass(frozen=True, slots=True)
class DayTotal:
    """One day of many sensors: no sensor counts for more than was expected of it, so none hides another's silence."""

    day: date
    sensors: int
    expected: int
    received: int
    usable: int

    @property
    def received_percent(self) -> float | None:
        """Null where nothing was expected."""
        return _percent(self.received, self.expected)

    @property
    def usable_percent(self) -> float | None:
        """The same without bad readings."""
        return _percent(self.usable, self.expected)


def _percent(part: int, whole: int) -> float | None:
    return min(100.0, round(100 * part / whole, 2)) if whole > 0 else None


def expected_readings(day: date, interval: timedelta, now: datetime) -> int:
    """How many readings of a sensor are due by now of one day (UTC)."""
    begins = _midnight(day)
    return max(0, (min(now, begins + _DAY) - begins) // interval)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


# The keys of what is written down and of the readings lead to each sensor's days: without the offset the planner would
# rather work out everybody's days and then look for the sensors among them.
_DAYS = f"""
    select (bucket at time zone 'UTC')::date as day, count + bad as received, bad
    from {summary.DAY.view}
    where sensor_key = sensor.key and bucket >= %(start)s and bucket < %(end)s
    offset 0
"""
_SENSOR_DAYS = f"""
select sensor.id, sensor.interval_s, counted.day, counted.received, counted.bad
from (select * from sensor where {{condition}} order by id limit %(limit)s) sensor
left join lateral ({_DAYS}) counted on true
order by sensor.id
"""
_TOTALS = f"""
select counted.day, sensor.interval_s, counted.received, counted.received - counted.bad as usable, count(*)
from sensor cross join lateral ({_DAYS}) counted
where {{condition}}
group by 1, 2, 3, 4
"""
_INTERVALS = "select sensor.interval_s, count(*) from sensor where {condition} group by 1"


def _range(first: date, last: date) -> dict[str, datetime]:
    return {"start": _midnight(first), "end": _midnight(last) + _DAY}


def _each_day(first: date, last: date) -> list[date]:
    return [first + _DAY * number for number in range((last - first).days + 1)]


async def sensor_days(
    connection: AsyncConnection,
    selection: SensorSelection,
    first: date,
    last: date,
    *,
    now: datetime,
    limit: int,
) -> list[SensorDays]:
    """The first ``limit`` sensors of a selection by identifier, each with every day from ``first`` to ``last``."""
    statement = _SENSOR_DAYS.format(condition=selection.condition())
    parameters = selection.parameters() | _range(first, last) | {"limit": limit}
    cursor = await connection.execute(statement.encode(), parameters)
    intervals: dict[str, float] = {}
    counts: dict[tuple[str, date], tuple[int, int]] = {}
    async for sensor, interval_s, day, received, bad in cursor:
        intervals[sensor] = interval_s
        if day is not None:
            counts[sensor, day] = received, bad
    return [
        SensorDays(
            sensor,
            interval_s,
            [
                DayCount(
                    day,
                    expected_readings(day, timedelta(seconds=interval_s), now),
                    *counts.get((sensor, day), (0, 0)),
                )
                for day in _each_day(first, last)
            ],
        )
        for sensor, interval_s in intervals.items()
    ]


async def day_totals(
    connection: AsyncConnection,
    selection: SensorSelection,
    first: date,
    last: date,
    *,
    now: datetime,
) -> list[DayTotal]:
    """All sensors of a selection together, for every day from ``first`` to ``last``."""
    condition = selection.condition()
    parameters = selection.parameters() | _range(first, last)
    intervals = await (await connection.execute(_INTERVALS.format(condition=condition).encode(), parameters)).fetchall()
    received: dict[date, int] = defaultdict(int)
    usable: dict[date, int] = defaultdict(int)
    cursor = await connection.execute(_TOTALS.format(condition=condition).encode(), parameters)
    async for day, interval_s, came, good, sensors in cursor:
        due = expected_readings(day, timedelta(seconds=interval_s), now)
        received[day] += min(came, due) * sensors
        usable[day] += min(good, due) * sensors
    return [
        DayTotal(
            day,
            sum(sensors for _, sensors in intervals),
            sum(
                expected_readings(day, timedelta(seconds=interval_s), now) * sensors
                for interval_s, sensors in intervals
            ),
            received[day],
            usable[day],
        )
        for day in _each_day(first, last)
    ]
