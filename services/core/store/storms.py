"""Low points, and what is prepared at them while warnings are in force."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row, dict_row

from services.core.geometry import points_of
from services.core.low_point import LowPoint, Preparation, StormTask, TaskState, preparations
from services.core.severity import Severity
from services.core.store import audit, events, weather_warnings
from services.core.store.weather_warnings import KnownWarning
from services.core.weather_warning import WeatherWarning

EVENT = "storm"
_LOCK = 0x11FE_57A9
"""Advisory lock of whoever decides what is prepared."""
_STILL_DONE = timedelta(hours=24)
"""What was brought to a place stays there for so long, whatever warning comes next."""


@dataclass(frozen=True, slots=True)
class PreparedTask:
    """One task at one place, with the person and the numbers as they were when it was prepared."""

    id: int
    weather_warning: int
    asset: str
    task: StormTask
    quantity: int
    person: str | None
    phone: str | None
    is_exercise: bool
    state: TaskState
    changed_by: str | None
    changed_at: datetime | None


def _task(row: Mapping[str, Any]) -> PreparedTask:
    names = PreparedTask.__dataclass_fields__
    return PreparedTask(
        **{name: row[name] for name in names} | {"task": StormTask(row["task"]), "state": TaskState(row["state"])}
    )


async def load_low_points(connection: AsyncConnection) -> list[LowPoint]:
    """Every registered low point, by asset."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute("select * from low_point order by asset")
        rows = await cursor.fetchall()
    return [
        LowPoint(
            asset=row["asset"],
            person=row["person"],
            pumps=tuple(row["pumps"]),
            mobile_pumps=row["mobile_pumps"],
            sandbags=row["sandbags"],
            barriers=row["barriers"],
            prepare_from=Severity(row["prepare_from"]),
            contributing_ha=row["contributing_ha"],
            drain_m3_s=row["drain_m3_s"],
            storage_m3=row["storage_m3"],
            expected_15min_cm=row["expected_15min_cm"],
            expected_30min_cm=row["expected_30min_cm"],
            expected_60min_cm=row["expected_60min_cm"],
        )
        for row in rows
    ]


async def take(connection: AsyncConnection, warning: WeatherWarning, message: str, now: datetime) -> int | None:
    """Keep a warning and prepare what it asks for; ``None`` when it was there already. In the caller's transaction."""
    identifier = await weather_warnings.add(connection, warning, message, now)
    if identifier is not None:
        await prepare(connection, now)
    return identifier


async def prepare(connection: AsyncConnection, now: datetime) -> bool:
    """Bring the open tasks in line with the warnings in force; whether anything changed.

    Tasks of warnings that are over stand down; what is done stays done while the storm lasts.
    """
    await connection.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
    wanted = await _wanted(connection, now)
    open_now = {(task.asset, task.task, task.is_exercise): task for task in await _tasks(connection, "state = 'open'")}
    over = [task.id for key, task in open_now.items() if key not in wanted]
    done = {
        (task.asset, task.task, task.is_exercise)
        for task in await _tasks(connection, "state = 'done' and changed_at > %s", (now - _STILL_DONE,))
    }
    new = {key: source for key, source in wanted.items() if key not in open_now and key not in done}
    if over:
        await connection.execute(
            "update storm_task set state = 'stood-down', changed_by = %s, changed_at = %s where id = any(%s)",
            (audit.SYSTEM, now, over),
        )
    for (asset, task, is_exercise), (source, quantity) in new.items():
        await connection.execute(
            """
            insert into storm_task (weather_warning, asset, task, quantity, person, phone, is_exercise)
            select %s, %s, %s, %s, person.name, person.phone, %s
            from low_point left join person on person.id = low_point.person where low_point.asset = %s
            """,
            (source.id, asset, task, quantity, is_exercise, asset),
        )
    if over or new:
        await events.announce(connection, EVENT, "tasks")
    return bool(over or new)


_Key = tuple[str, StormTask, bool]


async def _wanted(connection: AsyncConnection, now: datetime) -> dict[_Key, tuple[KnownWarning, int]]:
    """What is to be prepared now, by place, task and earnest, and because of which warning: the worst one."""
    low_points = await load_low_points(connection)
    places = await _places(connection, [point.asset for point in low_points])
    wanted: dict[_Key, tuple[KnownWarning, int]] = {}
    for known in await weather_warnings.in_force(connection, now):
        asked: Sequence[Preparation] = list(preparations(known.warning, low_points, places))
        for each in asked:
            wanted.setdefault((each.asset, each.task, known.warning.is_exercise), (known, each.quantity))
    return wanted


async def _places(connection: AsyncConnection, assets: Sequence[str]) -> dict[str, tuple[float, float]]:
    cursor = await connection.execute("select id, geometry from asset where id = any(%s)", (list(assets),))
    found = {}
    for identifier, geometry in await cursor.fetchall():
        longitude, latitude = next(iter(points_of(geometry)))
        found[identifier] = (longitude, latitude)
    return found


@dataclass(frozen=True, slots=True)
class StandingWater:
    """How a low point stands: who answers for it, what its depth sensor shows, and whether it alarms.

    ``depth`` is in ``unit``; ``sensor`` and all that comes from it is ``None`` where no sensor measures the depth.
    """

    asset: str
    name_en: str
    name_zh: str
    zone: str
    person: str | None
    post_en: str | None
    post_zh: str | None
    phone: str | None
    pumps: list[str]
    prepare_from: int
    sensor: str | None
    unit: str | None
    depth: float | None
    measured_at: datetime | None
    alert: UUID | None
    severity: int


async def standing_water(connection: AsyncConnection) -> list[StandingWater]:
    """Every low point as it stands, by asset."""
    async with connection.cursor(row_factory=class_row(StandingWater)) as cursor:
        await cursor.execute(
            """
            select low_point.asset, asset.name_en, asset.name_zh, asset.zone, person.name as person, person.post_en,
                person.post_zh, person.phone, low_point.pumps, low_point.prepare_from, gauge.id as sensor, gauge.unit,
                latest.value as depth, latest.time as measured_at, running.id as alert,
                coalesce(running.severity, 0) as severity
            from low_point
            join asset on asset.id = low_point.asset
            left join person on person.id = low_point.person
            left join lateral (
                select key, id, unit from sensor
                where sensor.asset = low_point.asset and sensor.quantity = 'road_depth' order by id limit 1
            ) gauge on true
            left join latest on latest.sensor_key = gauge.key
            left join lateral (
                select id, severity from alert
                where alert.asset = low_point.asset and alert.kind = 'waterlogging' and alert.cleared_at is null
                order by severity desc limit 1
            ) running on true
            order by low_point.asset
            """
        )
        return await cursor.fetchall()


async def tasks(connection: AsyncConnection, since: datetime) -> list[PreparedTask]:
    """The open tasks, and those that were done or stood down since then, by place."""
    return await _tasks(connection, "state = 'open' or changed_at > %s", (since,))


async def find_task(connection: AsyncConnection, task: int) -> PreparedTask | None:
    """One task, locked for the transaction."""
    found = await _tasks(connection, "id = %s", (task,), lock=True)
    return found[0] if found else None


async def finish(connection: AsyncConnection, task: PreparedTask, *, actor: str, now: datetime) -> PreparedTask:
    """Say that an open task has been carried out."""
    await connection.execute(
        "update storm_task set state = 'done', changed_by = %s, changed_at = %s where id = %s", (actor, now, task.id)
    )
    await audit.record(
        connection,
        actor=actor,
        action="storm-task.done",
        subject_kind="storm-task",
        subject=str(task.id),
        before={"state": task.state},
        after={"state": TaskState.DONE, "asset": task.asset, "task": task.task},
    )
    await events.announce(connection, EVENT, str(task.id))
    return (await _tasks(connection, "id = %s", (task.id,)))[0]


async def _tasks(
    connection: AsyncConnection, where: str, parameters: tuple[Any, ...] = (), *, lock: bool = False
) -> list[PreparedTask]:
    names = ", ".join(PreparedTask.__dataclass_fields__)
    statement = f"select {names} from storm_task where {where} order by asset, id" + (" for update" if lock else "")
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statement.encode(), parameters)
        return [_task(row) for row in await cursor.fetchall()]
