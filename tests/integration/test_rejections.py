"""What could not become a reading is kept within bounds, and read again when somebody asks for it."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from psycopg import AsyncConnection
from typer.testing import CliRunner

from services.cli import app
from services.core import wire
from services.core.rejection import MAX_KEPT_BYTES, Rejection, RejectionReason
from services.core.store import rejected, rejections
from services.core.store.rejected import RejectionSelection
from services.core.store.rejections import KEPT_PAYLOADS, MOST_BYTES, PRUNED_AT_ONCE, write_rejections
from services.demo.broker import EmbeddedBroker
from tests.integration.ingest_harness import (
    Tables,
    batch,
    ingest_process,
    ingesting,
    milliseconds,
    now_ms,
    publish,
    register_sensors,
    settings_for,
    single,
    tables_of,
    until,
)

T0 = datetime(2026, 1, 1, tzinfo=UTC)
RECENT = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=30)
"""What a running service does not forget at once."""
SENSORS = 8


@pytest.fixture
def tables(database_url: str) -> Iterator[Tables]:
    register_sensors(database_url, SENSORS)
    with tables_of(database_url) as tables:
        yield tables


def refused(number: int = 0, *, payload: bytes = b"{}", topic: str = "t", sensor: str | None = "s0") -> Rejection:
    moment = T0 + timedelta(seconds=number)
    return Rejection(topic, payload, RejectionReason.BAD_JSON, f"payload: {number}", moment, sensor, "gateway")


async def write(database_url: str, given: Sequence[Rejection]) -> None:
    async with await AsyncConnection.connect(database_url) as connection:
        await write_rejections(connection, given)


async def prune(database_url: str, before: datetime, keep: int) -> int:
    async with await AsyncConnection.connect(database_url) as connection:
        return await rejections.prune_rejections(connection, before, keep)


async def request(database_url: str, selection: RejectionSelection = RejectionSelection()) -> None:  # noqa: B008 - frozen
    async with await AsyncConnection.connect(database_url) as connection:
        await rejected.request_all(connection, selection, by="tester")


def register(
    tables: Tables, sensor: str, unit: str = "kPa", gateway: str = "gateway", address: str | None = None
) -> None:
    said = "null" if address is None else f"'{address}'"
    tables.do(
        "insert into sensor"
        " (id, lifeline, quantity, unit, asset, zone, longitude, latitude, interval_s, gateway, address)"
        f" values ('{sensor}', 'gas', 'test-pressure', '{unit}', 'asset-0', 'zone-0', 0, 0, 60, '{gateway}', {said})"
    )


def kept(tables: Tables) -> int:
    return tables.count("rejected_payload")


def done(tables: Tables) -> bool:
    return tables.ask("select count(*) from rejection where reprocess_requested_at is not null") == [(0,)]


class TestBounds:
    async def test_a_chattering_device_makes_one_row_that_counts_exactly(
        self, database_url: str, tables: Tables
    ) -> None:
        rng = Random(1)  # noqa: S311 - no secret
        total = 0
        while total < 2_500:
            size = rng.choice([1, 3, 40, 99, 100, 101, 350])
            await write(database_url, [refused(total + number) for number in range(size)])
            total += size
            assert min(total, KEPT_PAYLOADS) <= kept(tables) <= 2 * KEPT_PAYLOADS
        found = tables.ask("select count, first_seen, last_seen, detail, sender from rejection")
        last = T0 + timedelta(seconds=total - 1)
        assert found == [(total, T0, last, f"payload: {total - 1}", "gateway")]
        assert tables.ask("select max(received_at) from rejected_payload") == [(last,)]
        newest = tables.ask("select received_at from rejected_payload order by 1 desc limit %s", KEPT_PAYLOADS)
        assert [row[0] for row in newest] == [last - timedelta(seconds=back) for back in range(KEPT_PAYLOADS)]

    @pytest.mark.parametrize("size", [600, 5_000, MAX_KEPT_BYTES - 1, 300_000])
    async def test_large_payloads_are_bounded_in_bytes(self, database_url: str, tables: Tables, size: int) -> None:
        for turn in range(4):
            await write(database_url, [refused(turn * 60 + number, payload=b"x" * size) for number in range(60)])
            held = tables.ask("select sum(octet_length(payload)), count(*) from rejected_payload")
            assert held[0][0] <= MOST_BYTES
            assert held[0][1] >= 1
        assert tables.ask("select count from rejection") == [(240,)]
        assert tables.ask("select bool_and(is_cut) from rejected_payload") == [(size > MAX_KEPT_BYTES,)]

    async def test_older_ones_that_come_later_do_not_displace_newer_ones(
        self, database_url: str, tables: Tables
    ) -> None:
        for numbers in (range(1_000, 1_000 + KEPT_PAYLOADS), range(KEPT_PAYLOADS)):
            await write(database_url, [refused(number) for number in numbers])
        assert tables.ask("select min(received_at) from rejected_payload") == [(T0 + timedelta(seconds=1_000),)]
        assert tables.ask("select first_seen, detail from rejection") == [(T0, f"payload: {999 + KEPT_PAYLOADS}")]

    async def test_ever_new_topics_are_bounded_and_the_oldest_go_first(self, database_url: str, tables: Tables) -> None:
        count = 3 * PRUNED_AT_ONCE + 7
        await write(database_url, [refused(number, topic=f"t/{number}") for number in range(count)])
        pruned: list[int] = []
        while pruned[-1:] != [0]:
            pruned.append(await prune(database_url, T0, keep=50))
        assert max(pruned) == PRUNED_AT_ONCE
        assert sum(pruned) == count - 50
        assert kept(tables) == 50
        assert tables.ask("select min(last_seen) from rejection") == [(T0 + timedelta(seconds=count - 50),)]

    async def test_what_is_old_is_forgotten_and_what_came_again_is_not(self, database_url: str, tables: Tables) -> None:
        await write(database_url, [refused(0, topic="old"), refused(0, topic="again"), refused(10, topic="again")])
        before = T0 + timedelta(seconds=5)
        assert await prune(database_url, before, keep=50) == 1
        async with await AsyncConnection.connect(database_url) as connection:
            assert await rejections.prune_payloads(connection, before) == 1
        assert tables.ask("select topic, count from rejection") == [("again", 2)]
        assert tables.ask("select received_at from rejected_payload") == [(T0 + timedelta(seconds=10),)]

    async def test_topics_and_sensors_longer_than_a_key_are_kept(self, database_url: str) -> None:
        rng = Random(2)  # noqa: S311 - no secret
        odd = "".join(chr(rng.randrange(0x4E00, 0x9FFF)) for _ in range(20_000))
        await write(database_url, [refused(topic="lifeline/" + odd, sensor=odd), refused(topic="lifeline/" + odd)])
        async with await AsyncConnection.connect(database_url) as connection:
            held = await rejected.list_rejections(connection, RejectionSelection(), before=None, limit=9)
            payloads = await rejected.payloads_of(connection, held[0].id)
        assert sorted(len(one.topic.encode()) for one in held) == [1023, 1023]
        assert payloads[0].obstacle(held[0].topic) == "cut"

    async def test_writers_of_the_same_rejections_in_other_orders_do_not_lock_each_other_out(
        self, database_url: str, tables: Tables
    ) -> None:
        async def chatter(seed: int) -> None:
            rng = Random(seed)  # noqa: S311 - no secret
            for _ in range(30):
                topics = rng.sample(range(12), 8)
                await write(database_url, [refused(number, topic=f"t/{topic}") for number, topic in enumerate(topics)])

        await asyncio.gather(*map(chatter, range(4)), *(prune(database_url, T0, 100) for _ in range(5)))
        assert tables.ask("select sum(count) from rejection") == [(4 * 30 * 8,)]


ODD_PAYLOADS = {
    "NUL bytes": b"\x00\x00{\x00}",
    "invalid UTF-8": b'{"time": 1767225600000, "value": \xff\xfe}',
    "too large": b"\x01" * 300_000,
    "nothing": b"",
    "a broken compression": b"\x1f\x8b\x08garbage",
    "a deep nest": b"[" * 100_000,
}


async def test_any_bytes_are_kept_and_the_good_ones_go_on(
    database_url: str, tables: Tables, mosquitto_broker: EmbeddedBroker
) -> None:
    topic = wire.sensor_readings_topic("test", "s0")
    async with ingesting(settings_for(mosquitto_broker, database_url)):
        await publish(
            mosquitto_broker.url, [*((topic, odd) for odd in ODD_PAYLOADS.values()), single("s0", now_ms(), 1)]
        )
        await tables.hold(1, rejections=len(ODD_PAYLOADS))
    found = {bytes(row[0]) for row in tables.ask("select payload from rejected_payload")}
    whole = {odd for odd in ODD_PAYLOADS.values() if len(odd) < MAX_KEPT_BYTES}
    assert whole <= found
    assert {len(odd) for odd in found - whole} == {MAX_KEPT_BYTES}


async def test_a_device_that_chatters_nonsense_does_not_hold_the_others_up(
    database_url: str, tables: Tables, mosquitto_broker: EmbeddedBroker
) -> None:
    topic = wire.sensor_readings_topic("test", "s0")
    messages = [(topic, b"nonsense %d" % number) for number in range(5_000)]
    start = now_ms()
    messages[2_500:2_500] = [single(f"s{number % SENSORS}", start - number, 1.0) for number in range(1_000)]
    async with ingesting(settings_for(mosquitto_broker, database_url)):
        await publish(mosquitto_broker.url, messages)
        await tables.hold(1_000, rejections=5_000)
    assert tables.ask("select count, sensor, sender from rejection") == [(5_000, "s0", "s0")]
    assert KEPT_PAYLOADS <= kept(tables) <= 2 * KEPT_PAYLOADS


async def test_what_an_unknown_sensor_sent_becomes_readings_when_it_is_registered(
    database_url: str, tables: Tables, mosquitto_broker: EmbeddedBroker
) -> None:
    start = now_ms() - 10_000
    async with ingesting(settings_for(mosquitto_broker, database_url)):
        alone = [single("new", start + number, number) for number in range(30)]
        together = [batch([("newer", start + number, number), ("s1", start + number, 1.0)]) for number in range(30)]
        await publish(mosquitto_broker.url, [*alone, *together])
        await tables.hold(30, rejections=60)
        arrived = dict(
            tables.ask(
                "select sensor, max(received_at) from rejection join rejected_payload"
                " on rejection = rejection.id group by 1"
            )
        )
        register(tables, "new")
        register(tables, "newer")
        await request(database_url)
        await until(lambda: tables.count("reading") == 90)
        await until(lambda: tables.count("rejection") == 0)
    stored = tables.ask(
        "select s.id, count(*), sum(value), max(received_at) from reading r join sensor s on s.key = r.sensor_key"
        " where s.id like 'new%%' group by 1 order by 1"
    )
    assert stored == [(name, 30, 435.0, arrived[name]) for name in ("new", "newer")]
    fed = tables.fed()
    assert len(fed) == len(set(fed)) == 90


async def test_what_is_refused_again_stays_and_what_is_refused_otherwise_moves_without_being_counted_twice(
    database_url: str, tables: Tables, mosquitto_broker: EmbeddedBroker
) -> None:
    now = now_ms()
    async with ingesting(settings_for(mosquitto_broker, database_url)):
        await publish(
            mosquitto_broker.url,
            [
                single("ghost", now, 1.0),
                single("late", now, 1.0),
                single("late", now - 1, 2.0, unit="m3/h"),
                single("late", now - 2, 3.0, unit="m3/h"),
            ],
        )
        await tables.hold(0, rejections=4)
        moments = tables.ask("select first_seen, last_seen from rejection where sensor = 'late'")
        register(tables, "late")
        await request(database_url)
        await until(lambda: tables.count("reading") == 1 and done(tables))
    found = tables.ask("select sensor, reason, count, reprocessed_at is not null, detail from rejection order by 1")
    assert found == [
        ("ghost", "unknown-sensor", 1, True, "sensor: ghost is not registered"),
        ("late", "wrong-unit", 2, False, "unit: m3/h cannot be converted to kPa"),
    ]
    assert kept(tables) == 3
    assert moments[0][0] <= tables.ask("select first_seen from rejection where sensor = 'late'")[0][0] <= moments[0][1]


async def test_the_clock_is_held_against_the_moment_of_arrival(
    database_url: str, tables: Tables, mosquitto_broker: EmbeddedBroker
) -> None:
    """What arrived long ago was on time then; what was absurd then is absurd now."""
    arrived = datetime.now(UTC) - timedelta(days=20)
    entries = {
        "on time": arrived - timedelta(seconds=1),
        "late": arrived - timedelta(hours=2),
        "ahead": datetime.now(UTC),
    }
    topic = wire.gateway_readings_topic("test", "gateway")
    await write(
        database_url,
        [
            Rejection(
                topic,
                json.dumps({"sensor": "new", "time": milliseconds(time), "value": 5}).encode(),
                RejectionReason.UNKNOWN_SENSOR,
                "sensor: new is not registered",
                arrived,
                "new",
                "gateway",
                "application/json",
            )
            for time in entries.values()
        ],
    )
    register(tables, "new")
    async with ingesting(settings_for(mosquitto_broker, database_url)):
        await request(database_url)
        await until(lambda: tables.count("reading") == 2 and done(tables))
    assert tables.ask("select reason, received_at from reading order by time") == [(4, arrived), (0, arrived)]
    assert tables.ask("select reason, count, last_seen from rejection") == [("bad-time", 1, arrived)]


async def test_a_value_read_again_does_not_replace_one_that_was_received_later(
    database_url: str, tables: Tables, mosquitto_broker: EmbeddedBroker
) -> None:
    time = now_ms() - 60_000
    topic, payload = single("s0", time, 1.0)
    early = datetime.now(UTC) - timedelta(seconds=50)
    await write(database_url, [Rejection(topic, payload, RejectionReason.UNKNOWN_SENSOR, "unknown", early, "s0", "s0")])
    async with ingesting(settings_for(mosquitto_broker, database_url)):
        await publish(mosquitto_broker.url, [single("s0", time, 2.0)])
        await tables.hold(1)
        await request(database_url)
        await until(lambda: tables.count("rejection") == 0)
    assert tables.ask("select value, reason from reading") == [(2.0, 0)]
    assert tables.ask("select value, received_at from superseded_reading") == [(1.0, early)]


async def test_entries_of_other_protocols_are_read_again_and_sparkplug_messages_are_left_alone(
    database_url: str, tables: Tables, mosquitto_broker: EmbeddedBroker
) -> None:
    time = milliseconds(RECENT)
    entry = json.dumps({"time": time, "value": 3.5}).encode()
    metric, stream = "sparkplug:g/n/pressure", "sensorthings:Datastreams(7)"
    observations = "v1.1/Datastreams(7)/Observations"
    unknown, unreadable = RejectionReason.UNKNOWN_SENSOR, RejectionReason.BAD_ENCODING
    await write(
        database_url,
        [
            Rejection("spBv1.0/g/NDATA/n", entry, unknown, "unknown", RECENT, metric, "g/n", "application/json"),
            Rejection("spBv1.0/g/NDATA/n", b"\x08\x01", unreadable, "x", RECENT, None, "g/n", "application/x-protobuf"),
            Rejection(observations, entry, unknown, "unknown", RECENT, stream, stream, "application/json"),
            Rejection(observations, entry, RejectionReason.BAD_FIELD, "result: is missing", RECENT, stream, stream),
        ],
    )
    register(tables, "metric", address=metric)
    register(tables, "stream", address=stream)
    async with ingesting(settings_for(mosquitto_broker, database_url)):
        await request(database_url)
        await until(lambda: tables.count("reading") == 2 and done(tables))
    assert tables.ask("select reason, detail, count from rejection order by 1") == [
        ("bad-encoding", "x", 1),
        ("bad-field", "result: is missing", 1),
    ]
    assert kept(tables) == 2


async def test_a_batch_refused_as_a_whole_gives_its_good_entries_and_keeps_its_bad_ones(
    database_url: str, tables: Tables, mosquitto_broker: EmbeddedBroker
) -> None:
    """As after an update that can read what an earlier version could not."""
    content = [{"sensor": f"s{number}", "time": milliseconds(RECENT), "value": 1.0} for number in range(SENSORS)]
    content[3]["value"] = "high"
    topic = wire.gateway_readings_topic("test", "gateway")
    await write(
        database_url,
        [
            Rejection(
                topic,
                json.dumps(content).encode(),
                RejectionReason.BAD_ENCODING,
                "payload: odd",
                RECENT,
                sender="gateway",
            )
        ],
    )
    async with ingesting(settings_for(mosquitto_broker, database_url)):
        await request(database_url)
        await until(lambda: tables.count("reading") == SENSORS - 1 and done(tables))
    assert tables.ask("select reason, sensor, count from rejection") == [("bad-field", "s3", 1)]
    assert [json.loads(row[0])["value"] for row in tables.ask("select payload from rejected_payload")] == ["high"]


async def test_what_the_database_refuses_stays_and_the_rest_is_stored(
    database_url: str, tables: Tables, mosquitto_broker: EmbeddedBroker
) -> None:
    tables.do("alter table reading add check (value <> 666)")
    topic = wire.sensor_readings_topic("test", "s0")
    await write(
        database_url,
        [
            Rejection(
                topic,
                json.dumps({"time": milliseconds(RECENT) + number, "value": 666 if number == 7 else 1}).encode(),
                RejectionReason.UNKNOWN_SENSOR,
                "sensor: unknown",
                RECENT,
                "s0",
                "s0",
            )
            for number in range(20)
        ],
    )
    async with ingesting(settings_for(mosquitto_broker, database_url)):
        await request(database_url)
        await until(lambda: tables.count("reading") == 19 and done(tables))
    ((count, detail),) = tables.ask("select count, detail from rejection")
    assert count == kept(tables) == 1
    assert "refused by the database" in detail


async def test_what_stays_may_be_named_in_any_text(
    database_url: str, tables: Tables, mosquitto_broker: EmbeddedBroker
) -> None:
    topic, payload = single("s0", milliseconds(RECENT), 1, **{"a\x00b": 2})
    await write(database_url, [Rejection(topic, payload, RejectionReason.BAD_FIELD, "old", RECENT, "s0", "s0")])
    async with ingesting(settings_for(mosquitto_broker, database_url)):
        await request(database_url)
        await until(lambda: done(tables))
    ((count, detail),) = tables.ask("select count, detail from rejection")
    assert count == kept(tables) == 1
    assert "unknown field" in detail


@pytest.mark.slow
async def test_killed_while_reading_again_loses_and_doubles_nothing(
    database_url: str, tables: Tables, mosquitto_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    """Every commit is slowed down, so that the kills fall into one: the database ends it, and nobody hears of it."""
    parts, count, each = ("a", "b", "c"), 14, KEPT_PAYLOADS
    start = milliseconds(RECENT)
    for sensor in (f"{part}{number}" for part in parts for number in range(count)):
        topic = wire.sensor_readings_topic("test", sensor)
        units = ["m3/h" if second % 10 == 0 else "kPa" for second in range(each)]
        payloads = [{"time": start + second, "value": 1, "unit": unit} for second, unit in enumerate(units)]
        await write(
            database_url,
            [
                Rejection(
                    topic, json.dumps(payload).encode(), RejectionReason.UNKNOWN_SENSOR, "new", RECENT, sensor, sensor
                )
                for payload in payloads
            ],
        )
        register(tables, sensor)
    tables.do(
        "create function dawdle() returns trigger language plpgsql as $$"
        " begin perform pg_sleep(0.05); return null; end $$;"
        "create constraint trigger dawdle after insert on feed deferrable initially deferred"
        " for each row execute function dawdle()"
    )
    committing = (
        "select count(*) > 0 from pg_stat_activity"
        " where datname = current_database() and state = 'active' and query = 'COMMIT'"
    )
    total = "select (select count(*) from reading) + (select count(*) from rejected_payload)"
    kinds = len(parts) * count
    good, bad = kinds * each * 9 // 10, kinds * each // 10
    async with ingest_process(settings_for(mosquitto_broker, database_url), tmp_path / "log") as ingest:
        for part in parts:
            await request(database_url, RejectionSelection(topic_prefix=wire.sensor_readings_topic("test", part)[:-9]))
            await until(lambda: tables.ask(committing) == [(True,)])
            ingest.kill()
            assert not done(tables)
            assert tables.ask(total) == [(good + bad,)]
            await ingest.start()
        await until(lambda: done(tables) and tables.count("reading") == good)
        assert ingest.said("Traceback") == 0
    fed = tables.fed()
    assert len(fed) == len(set(fed)) == good
    assert tables.ask("select reason, count(*), sum(count) from rejection group by 1") == [("wrong-unit", kinds, bad)]
    assert kept(tables) == bad


@pytest.mark.slow
async def test_two_processes_read_each_payload_once(
    database_url: str, tables: Tables, mosquitto_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    for number in range(30):
        topic, payload = single(f"new{number}", milliseconds(RECENT), 1.0)
        sensor = f"new{number}"
        await write(
            database_url, [Rejection(topic, payload, RejectionReason.UNKNOWN_SENSOR, "unknown", RECENT, sensor, sensor)]
        )
        register(tables, sensor)
    one, two = (settings_for(mosquitto_broker, database_url) for _ in range(2))
    async with (
        ingest_process(one, tmp_path / "log-1") as first,
        ingest_process(two, tmp_path / "log-2") as second,
    ):
        await request(database_url)
        await until(lambda: tables.count("rejection") == 0)
        assert tables.count("reading") == 30
        assert len(tables.fed()) == 30
        assert first.said("a rejection was read again") + second.said("a rejection was read again") == 30


async def test_what_comes_while_it_is_read_again_is_kept(
    database_url: str, tables: Tables, mosquitto_broker: EmbeddedBroker
) -> None:
    async with ingesting(settings_for(mosquitto_broker, database_url)):
        for turn in range(5):
            await asyncio.gather(
                publish(mosquitto_broker.url, [single("ghost", now_ms() - number, 1.0) for number in range(200)]),
                *(request(database_url) for _ in range(5)),
            )
            await until(lambda turn=turn: tables.rejected() == 200 * (turn + 1) and done(tables))  # type: ignore[misc]
    assert KEPT_PAYLOADS <= kept(tables) <= 2 * KEPT_PAYLOADS
    assert tables.ask("select count, reason from rejection") == [(1_000, "unknown-sensor")]


async def test_service_forgets_what_is_old_and_what_is_too_much(
    database_url: str, tables: Tables, mosquitto_broker: EmbeddedBroker
) -> None:
    recent = datetime.now(UTC)
    await write(database_url, [refused(number, topic=f"old/{number}") for number in range(250)])
    fresh = [
        Rejection(f"new/{number}", b"", RejectionReason.BAD_TOPIC, "topic", recent - timedelta(seconds=number))
        for number in range(250)
    ]
    await write(database_url, fresh)
    settings = settings_for(mosquitto_broker, database_url, rejections_kept=120, rejection_retention=timedelta(hours=1))
    async with ingesting(settings):
        await until(lambda: tables.count("rejection") == 120)
    assert tables.ask("select count(*) from rejection where topic like 'new%%'") == [(120,)]


class TestCommandLine:
    @pytest.fixture(autouse=True)
    def database(self, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LIFELINE_DATABASE_URL", database_url)

    def run(self, *words: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, ["rejections", *words])
        assert result.exit_code == code, result.output
        return result.output

    def write(self, url: str, given: Sequence[Rejection]) -> None:
        asyncio.run(write(url, given))

    def test_list_and_show_say_what_arrived_without_letting_it_speak_to_the_terminal(self, database_url: str) -> None:
        self.write(database_url, [refused(topic="t/\x1b[2J", payload=b"\x1b]0;owned\x07\x00\xff"), refused(topic="u")])
        listed = self.run("list")
        assert "COUNT" in listed
        assert "t/\\x1b[2J" in listed
        (one,) = json.loads(self.run("list", "--topic", "t/", "--json"))
        assert (one["count"], one["kept"], one["reason"]) == (1, 1, "bad-json")
        shown = self.run("show", str(one["id"]))
        assert "\x1b" not in listed + shown
        assert "\\x1b]0;owned\\x07\\x00\\xff" in shown
        assert (
            json.loads(self.run("show", str(one["id"]), "--json"))["payloads"][0]["payload_base64"]
            == "G10wO293bmVkBwD/"
        )

    def test_reprocess_asks_for_one_or_for_those_that_meet_the_conditions(
        self, database_url: str, tables: Tables
    ) -> None:
        self.write(database_url, [refused(topic=f"t/{number}", sensor=f"s{number}") for number in range(4)])
        self.run("reprocess", code=1)
        assert "1 rejections with 1 payloads" in self.run("reprocess", "--sensor", "s2")
        assert json.loads(self.run("reprocess", "--all", "--json")) == {"rejections": 4, "payloads": 4}
        ((asked, distinct),) = tables.ask("select count(reprocess_requested_by), count(distinct topic) from rejection")
        assert (asked, distinct) == (4, 4)
        self.run("reprocess", "987654", code=1)

    def test_dismiss_forgets_and_leaves_a_trace(self, database_url: str, tables: Tables) -> None:
        self.write(database_url, [refused(), refused(1, topic="other")])
        ((identifier,),) = tables.ask("select id from rejection where topic = 't'")
        self.run("dismiss", str(identifier))
        self.run("dismiss", str(identifier), code=1)
        assert tables.ask("select topic from rejection") == [("other",)]
        ((action, before),) = tables.ask("select action, before from audit where subject = %s", str(identifier))
        assert action == "rejection.dismiss"
        assert before["count"] == 1

    def test_without_a_database_it_says_so_in_one_line(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LIFELINE_DATABASE_URL", "postgresql://127.0.0.1:1/none")
        assert self.run("list", code=1).count("\n") == 1
