"""What becomes of what devices send."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import gmqtt
import pytest

from services.core import wire
from services.core.reading import QualityReason
from services.demo.broker import EmbeddedBroker
from tests.integration.ingest_harness import (
    Tables,
    batch,
    connected,
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


@pytest.fixture
def tables(database_url: str) -> Iterator[Tables]:
    register_sensors(database_url, 8)
    with tables_of(database_url) as tables:
        yield tables


async def test_a_reading_is_current_within_two_seconds(
    database_url: str, tables: Tables, any_broker: EmbeddedBroker
) -> None:
    async with ingesting(settings_for(any_broker, database_url)):
        await publish(any_broker.url, [single("s3", "2026-01-01T08:00:00+08:00", 101.5)])
        seconds = await tables.hold_current(1)
    assert seconds < 2
    query = "select s.id, l.time, l.value, l.quality from latest l join sensor s on s.key = l.sensor_key"
    assert tables.ask(query) == [("s3", T0, 101.5, 0)]
    assert tables.ask("select zone, cardinality(times) from feed") == [("zone-3", 1)]


GARBAGE: dict[str, tuple[str, object]] = {
    "bad-topic": ("lifeline/v1/test/sensors/-odd-/readings", {"time": 1767225600000, "value": 1}),
    "bad-json": (wire.sensor_readings_topic("test", "s0"), b'{"time": \xff'),
    "oversized": (wire.sensor_readings_topic("test", "s0"), b" " * (wire.MAX_PAYLOAD_BYTES + 1)),
}
BAD_ENTRIES: dict[str, object] = {
    "bad-field": {"sensor": "s1", "time": 1767225600000, "value": "high"},
    "not-finite": {"sensor": "s1", "time": 1767225600000, "value": float("nan")},
    "bad-time": {"sensor": "s1", "time": "2026-01-01T00:00:00", "value": 1},
    "unknown-sensor": {"sensor": "nobody", "time": 1767225600000, "value": 1},
    "wrong-unit": {"sensor": "s1", "time": 1767225600000, "value": 1, "unit": "m3/h"},
    "not-yours": {"sensor": "s7", "time": 1767225600000, "value": 1},
}


async def test_garbage_is_set_aside_with_its_reason_and_the_good_entries_are_stored(
    database_url: str, tables: Tables, mosquitto_broker: EmbeddedBroker
) -> None:
    good = [{"sensor": f"s{i}", "time": 1767225600000, "value": i} for i in range(4)]
    mixed = json.dumps([*good[:2], *BAD_ENTRIES.values(), *good[2:]]).encode()
    publications = [(wire.gateway_readings_topic("test", "gateway"), mixed)]
    for topic, content in GARBAGE.values():
        publications.append((topic, content if isinstance(content, bytes) else json.dumps(content).encode()))
    tables.do("update sensor set gateway = 'another' where id = 's7'")
    publications.append((wire.sensor_readings_topic("test", "s0"), b"\x1f\x8bnot really gzip"))
    async with ingesting(settings_for(mosquitto_broker, database_url)):
        await publish(mosquitto_broker.url, publications)
        await tables.hold(4, rejections=10)
    assert tables.count("reading") == 4
    found = {
        reason: (detail, payload)
        for reason, detail, payload in tables.ask(
            "select reason, detail, payload from rejection join rejected_payload on rejection = rejection.id"
        )
    }
    assert found.keys() == GARBAGE.keys() | BAD_ENTRIES.keys() | {"bad-encoding"}
    assert all(": " in detail for detail, _ in found.values())
    assert found["wrong-unit"][0] == "unit: m3/h cannot be converted to kPa"
    assert json.loads(found["bad-field"][1]) == BAD_ENTRIES["bad-field"]
    assert max(len(payload) for _, payload in found.values()) == 65_536


async def test_repetitions_are_harmless_and_reach_the_feed_once(
    database_url: str, tables: Tables, any_broker: EmbeddedBroker
) -> None:
    start = milliseconds(T0)
    readings = [(f"s{i % 8}", start + i // 8, float(i)) for i in range(80)]
    async with ingesting(settings_for(any_broker, database_url)):
        await publish(any_broker.url, [batch(readings + readings), batch(readings)] * 2)
        await publish(any_broker.url, [single("s0", start + 999_999, 5.0)])
        await tables.hold(81)
    assert tables.count("reading") == 81
    fed = tables.fed()
    assert len(fed) == len(set(fed)) == 81


async def test_a_late_reading_is_stored_and_never_becomes_current(
    database_url: str, tables: Tables, mosquitto_broker: EmbeddedBroker
) -> None:
    start = milliseconds(T0)
    async with ingesting(settings_for(mosquitto_broker, database_url)):
        await publish(mosquitto_broker.url, [single("s0", start + 60_000, 2.0)])
        await tables.hold(1)
        await publish(mosquitto_broker.url, [single("s0", start, 1.0), batch([("s0", start + 30_000, 1.5)])])
        await tables.hold(3)
    assert tables.ask("select time, value from latest") == [(T0 + timedelta(minutes=1), 2.0)]


async def test_a_sensor_registered_while_ingest_runs_is_known(
    database_url: str, mosquitto_broker: EmbeddedBroker
) -> None:
    with tables_of(database_url) as tables:
        await _register_late(database_url, tables, mosquitto_broker)


async def _register_late(database_url: str, tables: Tables, mosquitto_broker: EmbeddedBroker) -> None:
    async with ingesting(settings_for(mosquitto_broker, database_url)):
        await publish(mosquitto_broker.url, [single("s1", now_ms(), 1.0)])
        await tables.hold(0, rejections=1)
        register_sensors(database_url, 8)
        tables.ask("select pg_notify('lifeline_register', '')")
        await asyncio.sleep(0.3)
        await publish(mosquitto_broker.url, [single(f"s{i}", now_ms() + i, 1.0) for i in range(8)])
        await tables.hold(8)


async def test_implausible_and_doubted_values_are_kept_and_marked(
    database_url: str, tables: Tables, mosquitto_broker: EmbeddedBroker
) -> None:
    start = milliseconds(T0)
    sent = [single("s0", start, 1001.0), single("s1", start, 5.0, quality=1), single("s2", start, -1.0, quality=1)]
    async with ingesting(settings_for(mosquitto_broker, database_url)):
        await publish(mosquitto_broker.url, sent)
        await tables.hold(3)
    assert tables.ask("select value, quality, reason from reading order by value") == [
        (-1.0, 2, QualityReason.OUT_OF_RANGE.code),
        (5.0, 1, QualityReason.DEVICE.code),
        (1001.0, 2, QualityReason.OUT_OF_RANGE.code),
    ]


async def test_other_units_are_converted_to_the_declared_one(
    database_url: str, tables: Tables, mosquitto_broker: EmbeddedBroker
) -> None:
    tables.do("update sensor set device_unit = 'bar' where id = 's2'")
    start = milliseconds(T0)
    sent = [single("s0", start, 0.2, unit="MPa"), single("s1", start, 300.0, unit="kPa"), single("s2", start, 4.0)]
    async with ingesting(settings_for(mosquitto_broker, database_url)):
        await publish(mosquitto_broker.url, sent)
        await tables.hold(3)
    assert [round(value, 9) for (value,) in tables.ask("select value from reading order by value")] == [200, 300, 400]


async def test_another_value_for_a_stored_moment_stands_and_the_older_one_is_kept_beside_it(
    database_url: str, tables: Tables, mosquitto_broker: EmbeddedBroker
) -> None:
    start = milliseconds(T0)
    async with ingesting(settings_for(mosquitto_broker, database_url)):
        for value in (1.0, 2.0, 1.0, 2.0):  # the later repetitions are old messages delivered again
            await publish(mosquitto_broker.url, [single("s0", start, value)])
            await asyncio.sleep(0.2)
        await publish(mosquitto_broker.url, [batch([("s1", start, 5.0), ("s1", start, 6.0)])])
        await until(lambda: tables.count("superseded_reading") == 2)
    assert tables.ask("select value, quality, reason from reading order by sensor_key") == [
        (2.0, 1, QualityReason.CHANGED.code),
        (6.0, 1, QualityReason.CHANGED.code),
    ]
    assert tables.ask("select value, quality from superseded_reading order by value") == [(1.0, 0), (5.0, 0)]
    assert tables.ask("select value from latest order by value") == [(2.0,), (6.0,)]
    assert len(tables.fed()) == 2


async def test_readings_are_marked_when_their_clock_is_ahead_or_they_come_late(
    database_url: str, tables: Tables, mosquitto_broker: EmbeddedBroker
) -> None:
    now = now_ms()
    sent = [single("s0", now + 60_000, 1.0), single("s1", now, 2.0), single("s2", now - 7_200_000, 3.0)]
    async with ingesting(settings_for(mosquitto_broker, database_url)):
        await publish(mosquitto_broker.url, sent)
        await tables.hold(3)
    assert tables.ask("select value, quality, reason from reading order by value") == [
        (1.0, 1, QualityReason.CLOCK_AHEAD.code),
        (2.0, 0, 0),
        (3.0, 0, QualityReason.LATE.code),
    ]


async def test_a_numbered_batch_is_acknowledged_by_number_once_it_is_committed(
    database_url: str, tables: Tables, any_broker: EmbeddedBroker
) -> None:
    start = milliseconds(T0)
    topic = wire.gateway_readings_topic("test", "gateway")

    def numbered(number: int, *, value: object = 1.0) -> tuple[str, bytes]:
        entries = [{"sensor": "s0", "time": start + number, "value": value}]
        return topic, json.dumps({"seq": number, "readings": entries}).encode()

    told: list[wire.WireAcknowledgement] = []
    client = gmqtt.Client("gateway-under-test")
    client.on_message = lambda _client, _topic, payload, _qos, _properties: told.append(
        wire.decode_acknowledgement(payload)
    )
    async with (
        ingesting(settings_for(any_broker, database_url)),
        connected(any_broker.url, client),
    ):
        client.subscribe(wire.gateway_acknowledgement_topic("test", "gateway"), qos=1)
        for number in (1, 2, 5, 9):
            await publish(any_broker.url, [numbered(number)])
        await until(lambda: bool(told) and told[-1].gaps == [(3, 4), (6, 8)])
        assert told[-1].stored == 2
        for number in (3, 4):
            await publish(any_broker.url, [numbered(number, value="garbage")] * 3)
        await until(lambda: told[-1].stored == 5)
        assert told[-1].gaps == [(6, 8)]
    assert tables.rejected() == 2, "a batch that is sent again must not count its garbage again"
