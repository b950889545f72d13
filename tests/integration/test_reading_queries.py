"""Questions about readings: what they answer, and that none of them reads what other sensors measured."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from operator import itemgetter
from typing import Any

import psycopg
import pytest
from psycopg import AsyncConnection

from services.core.alert import Alert
from services.core.lifeline import Lifeline
from services.core.reading import QualityReason
from services.core.store import (
    alert_peaks,
    availability,
    belief,
    continuous_aggregates,
    current_values,
    gaps,
    history,
    liveness,
    rollup_tables,
)
from services.core.store.history_source import BucketPlan, Source, plan_buckets
from services.core.store.liveness import GatewayLiveness, SensorLiveness
from services.core.store.sensor_selection import SensorSelection
from services.core.store.storage_level import StorageLevel
from tests.fixtures.timescale import Server
from tests.integration.api.harness import alert_at
from tests.integration.explained import explaining

SENSORS, DAYS = 120, 25
BEGIN = datetime(2026, 6, 1, tzinfo=UTC)
END = BEGIN + timedelta(days=DAYS)
NOON = BEGIN + timedelta(days=20, hours=12)
EVERYTHING = SensorSelection()
ONE_ZONE = SensorSelection(zone="Z3")
FOR_EVER = dict.fromkeys(Source)
SERVERS = {
    StorageLevel.PLAIN: "plain_server",
    StorageLevel.TIMESCALE_APACHE: "apache_server",
    StorageLevel.TIMESCALE_COMMUNITY: "community_server",
}

# Every sensor reports once an hour, some minutes past it; of each hundred readings one is bad and two are suspect, and
# until the 22nd one of twelve was corrected a day later.
_CITY = """
insert into quantity values ('water', 'pressure', 'kPa', 'Pressure', '压力', 0, 1000);
insert into zone select 'Z' || n, 'water', 'zone', '片区', null from generate_series(0, 11) n;
insert into asset (id, lifeline, kind, zone, name_en, name_zh, geometry, extent)
select 'A' || n, 'water', 'pipe', 'Z' || n, 'pipe', '管', '{}', box(point(0, 0), point(0, 0))
from generate_series(0, 11) n;
insert into sensor (id, lifeline, quantity, unit, asset, zone, longitude, latitude, interval_s, gateway)
select 'W-' || lpad(n::text, 3, '0'), 'water', 'pressure', 'kPa', 'A' || n / 10, 'Z' || n / 10,
    113 + n / 1000.0, 23 + n / 1000.0, 3600, 'G' || n / 20
from generate_series(0, 119) n;
insert into reading (sensor_key, time, value, quality, reason, received_at)
select key, at, 300 + (key * 31 + hour * 17) % 50, quality, case quality when 0 then 0 when 1 then 3 else 1 end,
    at + interval '2 seconds'
from sensor, generate_series(0, 25 * 24 - 1) hour,
    lateral (select timestamptz '2026-06-01 00:00+00' + hour * interval '1 hour' + key % 50 * interval '1 minute' as at,
        case (key + hour) % 100 when 0 then 2 when 1 then 1 when 2 then 1 else 0 end as quality) made;
insert into superseded_reading
select sensor_key, time, value + 1, received_at, received_at + interval '1 day', quality, reason
from reading where (sensor_key + extract(hour from time)::int) % 12 = 0 and time < '2026-06-22 00:00+00';
update reading set received_at = received_at + interval '1 day'
where (sensor_key, time) in (select sensor_key, time from superseded_reading);
insert into latest select distinct on (sensor_key) sensor_key, time, value, quality, reason, received_at
from reading order by sensor_key, time desc;
"""


@pytest.fixture(scope="module", params=list(StorageLevel), ids=lambda level: level.value)
def city(request: pytest.FixtureRequest) -> Iterator[str]:
    """A city on each storage level, with readings enough for the planner to care, and with its summaries."""
    server: Server = request.getfixturevalue(SERVERS[request.param])
    with server.database(migrated=True) as url:
        with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
            connection.execute(_CITY)
            if request.param is StorageLevel.TIMESCALE_COMMUNITY:
                continuous_aggregates.fill(connection)
            else:
                connection.execute("delete from rollup_progress")
                rollup_tables.fill(connection)
            connection.execute("vacuum analyze")
        yield url


@pytest.fixture
async def connection(city: str) -> AsyncIterator[AsyncConnection]:
    async with await AsyncConnection.connect(city, autocommit=True, prepare_threshold=None) as connection:
        yield connection


def buckets_from(source: Source, length: timedelta = timedelta(days=3)) -> BucketPlan:
    """A plan that ends at noon, in whole days of the source."""
    return BucketPlan(source, NOON - timedelta(hours=12) - length, NOON - timedelta(hours=12), timedelta(days=1))


Question = Callable[[AsyncConnection], Awaitable[Any]]


def history_from(source: Source) -> Question:
    # Of few days the planner may rightly take everybody's rows of a small summary.
    length = timedelta(days=20 if source is Source.DAY else 3)
    return lambda connection: history.history(connection, [30, 50], buckets_from(source, length))


def standing(sensor: str, lasts: timedelta | None, *, is_below: bool = False) -> Alert:
    """An alert of one sensor that began on the third day; with ``lasts`` it is over."""
    start = BEGIN + timedelta(days=2, minutes=17)
    limit = {"peak_value": 0.0, "threshold": 1.0 if is_below else -1.0}
    return alert_at(
        "A0", sensors=(sensor,), started_at=start, cleared_at=None if lasts is None else start + lasts, **limit
    )


STANDING = [
    standing("W-003", None),
    standing("W-014", timedelta(days=15, hours=7), is_below=True),
    standing("W-077", timedelta(hours=3)),
]
JUDGED: dict[str, Any] = {"now": END, "missed": 3, "limit": 5000}
QUESTIONS: dict[str, Question] = {
    "current values": lambda c: current_values.all_latest(c, EVERYTHING),
    "current value of one": lambda c: current_values.latest_of(c, ["W-007"]),
    "values at a moment": lambda c: belief.all_at(c, EVERYTHING, at=NOON, believed_at=None),
    "values believed then": lambda c: belief.all_at(c, EVERYTHING, at=NOON, believed_at=NOON),
    "value of one believed then": lambda c: belief.one_at(c, "W-007", at=None, believed_at=NOON),
    **{f"history from {source}": history_from(source) for source in Source},
    "readings": lambda c: history.samples(c, [1, 99], NOON - timedelta(days=3), NOON, 1000),
    "worst values of alerts": lambda c: alert_peaks.peaks_of(c, STANDING),
    "gaps": lambda c: gaps.gaps_of(c, 7, BEGIN, NOON, longest=timedelta(hours=2), limit=10),
    "availability by sensor": lambda c: availability.sensor_days(
        c, EVERYTHING, date(2026, 6, 10), date(2026, 6, 16), now=END, limit=50
    ),
    "availability by day": lambda c: availability.day_totals(
        c, EVERYTHING, date(2026, 6, 10), date(2026, 6, 16), now=END
    ),
    "sensors heard": lambda c: liveness.heard_sensors(c, EVERYTHING, silent=True, **JUDGED),
    "gateways heard": lambda c: liveness.heard_gateways(c, EVERYTHING, state=None, after=None, **JUDGED),
}


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
async def test_no_question_reads_what_other_sensors_measured(city: str, question: Question) -> None:
    async with explaining(city) as (connection, plans):
        await question(connection)
    assert plans.steps
    assert plans.without_sensor() == []


async def test_a_question_that_does_would_be_found(city: str) -> None:
    """The check above can fail."""
    async with explaining(city) as (connection, plans):
        await connection.execute("select avg(value) from reading where time > %s", (NOON,))
    assert plans.without_sensor()


async def test_sensors_in_a_box_are_found_by_their_index(city: str) -> None:
    async with explaining(city) as (connection, plans):
        await connection.execute("set enable_seqscan = off")
        found = await current_values.all_latest(connection, SensorSelection(box=(113.0, 23.0, 113.002, 23.5)))
    assert sorted(item["sensor"] for item in json.loads(found)) == ["W-000", "W-001", "W-002"]
    assert any(step.get("Index Name") == "sensor_by_place" for step in plans.steps)


async def test_every_source_gives_the_same_buckets(connection: AsyncConnection) -> None:
    found = {source: await history.history(connection, [30, 50], buckets_from(source)) for source in Source}
    raw = found[Source.RAW]
    assert {key: [bucket.count + bucket.bad for bucket in buckets] for key, buckets in raw.items()} == {
        30: [24] * 3,
        50: [24] * 3,
    }
    assert sum(bucket.bad for buckets in raw.values() for bucket in buckets) > 0
    assert sum(bucket.suspect for buckets in raw.values() for bucket in buckets) > 0
    for source in Source:
        assert found[source] == raw, source


async def test_a_plan_that_begins_between_rows_takes_in_the_whole_first_row(connection: AsyncConnection) -> None:
    start = BEGIN + timedelta(days=3, hours=7, minutes=3)
    plan = plan_buckets(start, start + timedelta(days=6), 3, kept=FOR_EVER, now=END)
    assert plan.source is Source.DAY
    buckets = (await history.history(connection, [5], plan))[5]
    assert [(bucket.time, bucket.count + bucket.bad) for bucket in buckets] == [
        (BEGIN + timedelta(days=3), 72),
        (BEGIN + timedelta(days=6), 72),
        (BEGIN + timedelta(days=9), 24),
    ]


async def test_the_worst_value_of_an_alert_is_that_of_its_readings(connection: AsyncConnection) -> None:
    found = await alert_peaks.peaks_of(connection, STANDING)
    for alert in STANDING:
        worse = "value" if alert.threshold == 1.0 else "-value"
        cursor = await connection.execute(
            f"""
            select value, time from reading join sensor on key = sensor_key
            where id = %s and time >= %s and time <= coalesce(%s::timestamptz, 'infinity') and quality < 2
            order by {worse}, time limit 1
            """.encode(),
            (alert.sensors[0], alert.started_at, alert.cleared_at),
        )
        assert found[alert.id] == await cursor.fetchone()


async def test_more_readings_than_may_be_read_are_refused(connection: AsyncConnection) -> None:
    asked = ([1, 2], NOON - timedelta(days=1), NOON)
    found = await history.samples(connection, *asked, 48)
    assert sum(len(samples.values) for samples in found.values()) in range(45, 49)
    with pytest.raises(history.TooManyReadingsError, match="more than 40 readings"):
        await history.samples(connection, *asked, 40)


async def test_reasons_are_words(city: str) -> None:
    names = [f"W-00{number}" for number in range(6)]
    async with await AsyncConnection.connect(city, prepare_threshold=None) as connection:
        for code, name in enumerate(names):
            await connection.execute(
                "update latest set reason = %s from sensor where key = sensor_key and id = %s", (code, name)
            )
        found = {latest.sensor: latest.reason for latest in await current_values.latest_of(connection, names)}
        items = json.loads(await current_values.all_latest(connection, EVERYTHING))
        await connection.rollback()
    listed = {item["sensor"]: item["reason"] for item in items}
    for code, name in enumerate(names):
        reason = QualityReason.of_code(code)
        assert found[name] == listed[name] == (None if reason is None else reason.value)


_BELIEVED = """
select distinct on (id) id, time, value, received_at from sensor join (
    select sensor_key, time, value, received_at, 'infinity'::timestamptz as superseded_at from reading
    union all
    select sensor_key, time, value, received_at, superseded_at from superseded_reading
) believed on sensor_key = key
where time <= %(at)s and received_at <= %(believed_at)s and superseded_at > %(believed_at)s
order by id, time desc
"""


async def test_what_was_believed_is_what_all_that_was_received_says(connection: AsyncConnection) -> None:
    """Compared with the plain reading of every row, at moments before, between and after corrections."""
    seen = set()
    for at, believed_at in (
        (NOON, NOON),
        (NOON, NOON + timedelta(hours=5)),
        (NOON, END + timedelta(days=2)),
        (NOON, NOON - timedelta(hours=30)),
        (END, NOON + timedelta(minutes=17)),
    ):
        cursor = await connection.execute(_BELIEVED, {"at": at, "believed_at": believed_at})
        expected = await cursor.fetchall()
        listed = await belief.all_at(connection, EVERYTHING, at=at, believed_at=believed_at)
        items = sorted(json.loads(listed), key=itemgetter("sensor"))
        moments = [
            (datetime.fromisoformat(item["time"]), datetime.fromisoformat(item["received_at"])) for item in items
        ]
        found = [(item["sensor"], time, item["value"], came) for item, (time, came) in zip(items, moments, strict=True)]
        assert found == expected
        assert len(found) == SENSORS
        seen.add(str(found))
    assert len(seen) == 5, "the moments asked about do not differ"


async def test_silence_is_judged_by_the_clock_that_is_given(connection: AsyncConnection) -> None:
    for now, missed, states in (
        (END, 3, {SensorLiveness.HEARD}),
        (END + timedelta(hours=4), 3, {SensorLiveness.SILENT}),
        (END + timedelta(hours=4), 6, {SensorLiveness.HEARD}),
    ):
        asked: dict[str, Any] = {"now": now, "missed": missed, "limit": 5000}
        found = await liveness.heard_sensors(connection, ONE_ZONE, silent=None, **asked)
        assert {heard.state for heard in found} == states
        assert len(found) == 10
        silent = await liveness.heard_sensors(connection, ONE_ZONE, silent=True, **asked)
        assert [heard.sensor for heard in silent] == [
            heard.sensor for heard in found if heard.state is not SensorLiveness.HEARD
        ]
        for heard in found:
            assert heard.last_received_at is not None
            assert heard.silent_s == (now - heard.last_received_at).total_seconds()
            assert heard.lifeline is Lifeline.WATER


async def test_a_gateway_is_as_silent_as_its_sensors(city: str) -> None:
    """Of twenty sensors of each gateway some stopped, all stopped, or none ever began; nothing of it is kept."""
    async with await AsyncConnection.connect(city, prepare_threshold=None) as connection:
        for gateway, change in {
            "G1": "update latest set received_at = received_at - interval '1 day' where sensor_key = any(%s)",
            "G2": "update latest set received_at = received_at - interval '1 day' where sensor_key = any(%s)",
            "G3": "delete from latest where sensor_key = any(%s)",
        }.items():
            cursor = await connection.execute("select key from sensor where gateway = %s order by id", (gateway,))
            keys = [row[0] async for row in cursor]
            await connection.execute(change.encode(), (keys[:5] if gateway == "G1" else keys,))
        found = {
            heard.gateway: heard
            for heard in await liveness.heard_gateways(connection, EVERYTHING, state=None, after=None, **JUDGED)
        }
        silent = await liveness.heard_gateways(
            connection, EVERYTHING, state=GatewayLiveness.SILENT, after="G1", **JUDGED
        )
        await connection.rollback()
    assert {name: (found[name].state, found[name].silent, found[name].never) for name in ("G0", "G1", "G2", "G3")} == {
        "G0": (GatewayLiveness.HEARD, 0, 0),
        "G1": (GatewayLiveness.PARTLY, 5, 0),
        "G2": (GatewayLiveness.SILENT, 20, 0),
        "G3": (GatewayLiveness.NEVER, 20, 20),
    }
    assert found["G3"].last_received_at is None
    assert [heard.gateway for heard in silent] == ["G2"]


@pytest.mark.parametrize(
    ("now", "expected"),
    [(BEGIN - timedelta(1), 0), (BEGIN, 0), (BEGIN + timedelta(minutes=61), 1), (NOON, 24)],
)
def test_of_a_day_only_what_is_over_is_expected(now: datetime, expected: int) -> None:
    assert availability.expected_readings(BEGIN.date(), timedelta(hours=1), now) == expected
