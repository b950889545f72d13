"""Whatever arrives under our topics: nothing crashes, nothing stalls, and every entry becomes a reading or a rejection.

``LIFELINE_FUZZ_PAYLOADS`` says how many payloads are decoded, 100,000 unless it is set; a part of them goes through the
real process. The seed is fixed, so that a failure comes again.
"""

import asyncio
import gzip
import json
import math
import os
import random
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import gmqtt
import hypothesis
import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from psycopg import AsyncConnection

from services.core import wire
from services.core.settings import Settings
from services.core.store.gateway_sequences import BatchNumber
from services.core.store.readings import load_sensor_rows
from services.demo.broker import EmbeddedBroker
from services.ingest.check import ClockLimits, judge, resolve
from services.ingest.decode import decode
from services.ingest.message import Decoded, Message
from services.ingest.sensor_table import SensorTable
from tests.integration.ingest_harness import (
    WINDOW,
    connected,
    ingest_process,
    now_ms,
    register_sensors,
    settings_for,
    tables_of,
    until,
)

PAYLOADS = int(os.environ.get("LIFELINE_FUZZ_PAYLOADS", "100000"))
THROUGH_THE_PROCESS = max(1000, PAYLOADS // 5)
SENSORS = 50
GATEWAY = "gateway"
LONGEST_DECODE_S = 0.5
"""One small payload; on an idle machine it takes a thousandth of that."""
LONGEST_BOMB_S = 5.0
"""A payload made to be slow, of any size the broker lets through."""
LIMITS = ClockLimits(Settings().clock_tolerance, Settings().oldest_reading)
FIELDS = ("time", "value", "sensor", "unit", "quality", "seq", "readings", "buffer")

ODD_TOKENS = [
    *(b"NaN", b"-Infinity", b"1e999", b"-1e-999", b"null", b"true", b"[]", b"{}", b'""', b"0", b"-1", b"1.5"),
    *(b"9" * 40, b"1777601580000", b"253402300799999", b"253402300800000", b'"2026-05-01T02:13:00Z"', b'"yesterday"'),
    *(b'"s1"', b'"nobody"', b'"\\u0000"', b'"\\ud800"', b"[[[[[[", b'"x', b"}", b"]", b",", b":", b"\xff\xfe", b"\x00"),
    *(b'"9**9**9"', b'"(((("', b'"psi"', b'"%LEL"', b"9007199254740993", b"18446744073709551616", b"-1e308"),
]


@dataclass(frozen=True)
class Publication:
    topic: str
    payload: bytes
    content_type: str = ""

    def received(self, at: datetime) -> Message:
        return Message(self.topic, self.payload, at, self.content_type)


class Fuzzer:
    """Makes payloads: valid ones of each kind, and what is left of them after some damage."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - it has to give the same again
        self._sequence = 0

    def publications(self, count: int) -> Iterator[Publication]:
        for _ in range(count):
            yield self.publication()

    def publication(self) -> Publication:
        topic, content = self._content()
        chance = self._random.random()
        if chance < 0.15:
            return Publication(topic, self._packed(self._encoded(content)), self._content_type(chance < 0.02))
        if chance < 0.4:
            content = self._disarranged(content)
        payload = self._encoded(content)
        if chance > 0.3:
            payload = self._damaged(payload)
        payload = self._packed(payload)
        if chance > 0.85:
            payload = self._damaged(payload)
        return Publication(self._topic(topic), payload, self._content_type(wrong=self._random.random() < 0.02))

    def _entry(self, *, with_sensor: bool) -> dict[str, Any]:
        chance = self._random
        time_ms = now_ms() - chance.randrange(10**9)
        moment = datetime.fromtimestamp(time_ms / 1000, UTC).isoformat() if chance.random() < 0.2 else time_ms
        entry: dict[str, Any] = {"time": moment, "value": round(chance.uniform(-100, 1100), 3)}
        if with_sensor:
            entry["sensor"] = f"s{chance.randrange(SENSORS)}"
        if chance.random() < 0.1:
            entry["unit"] = chance.choice(["kPa", "Pa", "psi", "mm", "9**9**9", "((((", "%"])
        if chance.random() < 0.1:
            entry["quality"] = chance.randrange(4)
        return entry

    def _content(self) -> tuple[str, Any]:
        """What a sensor, a gateway or a SensorThings client sends, and where."""
        if self._random.random() < 0.05:
            moment = datetime.now(UTC).isoformat()
            topic = f"v1.{self._random.randrange(2)}/Datastreams({self._random.randrange(SENSORS)})/Observations"
            return topic, {"result": self._random.uniform(0, 100), "phenomenonTime": moment}
        of_gateway = self._random.random() < 0.6
        entries = [self._entry(with_sensor=of_gateway) for _ in range(self._random.randrange(1, 12))]
        shape = self._random.choice(["one", "array", "columns"])
        content: Any = {"one": entries[0], "array": entries, "columns": _columns(entries)}[shape]
        if not of_gateway:
            return wire.sensor_readings_topic("test", f"s{self._random.randrange(SENSORS)}"), content
        if shape != "one" and self._random.random() < 0.3:
            self._sequence += 1
            content = {"seq": self._sequence, "readings": content}
        return wire.gateway_readings_topic("test", GATEWAY), content

    def _encoded(self, content: Any) -> bytes:
        if self._random.random() < 0.7:
            return json.dumps(content).encode()
        try:
            return msgspec.msgpack.encode(content)
        except OverflowError:
            return json.dumps(content).encode()

    def _packed(self, payload: bytes) -> bytes:
        chance = self._random.random()
        if chance < 0.1:
            return gzip.compress(payload, 1, mtime=0)
        return zstandard.compress(payload) if chance < 0.2 else payload

    def _disarranged(self, content: Any) -> Any:
        """The structure with a part replaced by another kind of thing, left out, doubled or renamed."""
        chance = self._random
        if isinstance(content, dict) and content:
            name = chance.choice(list(content))
            changed = {**content, name: self._disarranged(content[name])}
            match chance.randrange(5):
                case 0:
                    del changed[name]
                case 1:
                    changed[chance.choice(FIELDS)] = self._anything(2)
                case 2:
                    changed = {chance.choice(FIELDS) if key == name else key: value for key, value in content.items()}
            return changed
        if isinstance(content, list) and content:
            place = chance.randrange(len(content))
            several = [self._disarranged(content[place])] * chance.randrange(3)
            return [*content[:place], *several, *content[place + 1 :]]
        return self._anything(3)

    def _anything(self, depth: int) -> Any:
        chance = self._random
        plain = [
            *(None, True, 0, -1, 2**53, chance.randrange(-(2**70), 2**70), chance.gauss(0, 1e9), 1e308),
            *(math.nan, math.inf, "", "s1", "kPa", "\x00", "x" * chance.randrange(300), "2026-05-01T00:00:00Z"),
        ]
        if depth and chance.random() < 0.3:
            if chance.random() < 0.5:
                return [self._anything(depth - 1) for _ in range(chance.randrange(4))]
            return {chance.choice(FIELDS): self._anything(depth - 1) for _ in range(chance.randrange(4))}
        return chance.choice(plain)

    def _damaged(self, payload: bytes) -> bytes:
        """A few bytes changed, cut, doubled, or replaced by something that means much."""
        chance = self._random
        damaged = bytearray(payload)
        for _ in range(chance.randrange(1, 4)):
            start = chance.randrange(len(damaged) + 1)
            behind = min(len(damaged), start + chance.randrange(12))
            match chance.randrange(6):
                case 0:
                    del damaged[start:behind]
                case 1:
                    del damaged[start:]
                case 2:
                    damaged[start:start] = damaged[start:behind]
                case 3:
                    damaged[start:behind] = chance.choice(ODD_TOKENS)
                case 4:
                    damaged[start:behind] = chance.randbytes(chance.randrange(6))
                case _ if damaged:
                    damaged[start % len(damaged)] ^= 1 << chance.randrange(8)
        return bytes(damaged)

    def _topic(self, topic: str) -> str:
        chance = self._random
        if chance.random() > 0.05:
            return topic
        names = ["test", "s1", "nobody", "ü", "a b", "", "x" * 80, "$SYS", "(1)", "' or 1=1", "片区"]
        one, two = chance.choice(names), chance.choice(names)
        return chance.choice(
            [
                f"{wire.ROOT}/{one}/sensors/{two}/readings",
                f"{wire.ROOT}/{one}/gateways/{two}/readings",
                f"v1.1/Datastreams({one})/Observations",
                f"v1.0/{two}/Observations",
            ]
        )

    def _content_type(self, wrong: bool) -> str:
        if wrong:
            return self._random.choice(["application/json", "application/msgpack", "text/plain", "gzip", "x" * 100])
        return ""


def _columns(entries: list[dict[str, Any]]) -> dict[str, list[Any]]:
    names = {name for entry in entries for name in entry}
    return {name: [entry.get(name) for entry in entries] for name in sorted(names)}


def assert_sound(publication: Publication, decoded: Decoded) -> None:
    """What came out can be gone on with, whatever went in."""
    length = len(decoded.sensors)
    optional = [column for column in (decoded.units, decoded.qualities) if column is not None]
    assert {len(column) for column in (decoded.times_us, decoded.values, *optional)} <= {length}, publication
    assert all(math.isfinite(value) for value in decoded.values), publication
    if wire.parse_readings_topic(publication.topic) is not None:
        limits = (wire.EARLIEST_MS * 1000, wire.LATEST_MS * 1000 + 999)
        assert all(limits[0] <= time_us <= limits[1] for time_us in decoded.times_us), publication
    expected = plain_entries(publication)
    if expected is not None:
        assert length + len(decoded.rejections) == expected, publication


def plain_entries(publication: Publication) -> int | None:
    """How many entries a plain JSON array on a topic of ours holds; ``None`` for everything else."""
    if publication.content_type or wire.parse_readings_topic(publication.topic) is None:
        return None
    try:
        content = json.loads(publication.payload)
    except (ValueError, RecursionError):
        return None
    return len(content) if isinstance(content, list) else None


def test_any_payload_is_decoded_in_time_and_every_entry_is_accounted_for() -> None:
    now, slowest, readings, rejections = datetime.now(UTC), 0.0, 0, 0
    for publication in Fuzzer(1).publications(PAYLOADS):
        started = time.perf_counter()
        decoded = decode(publication.received(now))
        slowest = max(slowest, time.perf_counter() - started)
        assert_sound(publication, decoded)
        readings += len(decoded.sensors)
        rejections += len(decoded.rejections)
    assert slowest < LONGEST_DECODE_S
    assert readings > PAYLOADS / 2, "the damage leaves hardly anything valid"
    assert rejections > PAYLOADS / 4, "the damage is hardly noticed"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["s1", "kPa", "2026-05-01T00:00:00Z", 1777601580000]),
    lambda part: (
        st.lists(part, max_size=5) | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), part, max_size=5)
    ),
    max_leaves=25,
)


@given(content=JSON, of_gateway=st.booleans(), packed=st.sampled_from([bytes, gzip.compress, zstandard.compress]))
@hypothesis.settings(max_examples=1000, deadline=None)
def test_any_structure_is_decoded(content: Any, of_gateway: bool, packed: Callable[[bytes], bytes]) -> None:
    topic = wire.gateway_readings_topic("test", "g") if of_gateway else wire.sensor_readings_topic("test", "s1")
    for payload in (json.dumps(content).encode(), _msgpack(content)):
        decoded = decode(Message(topic, packed(payload), datetime.now(UTC)))
        assert_sound(Publication(topic, payload), decoded)


@given(payload=st.binary(max_size=200), topic=st.text(max_size=60), content_type=st.text(max_size=30))
@hypothesis.settings(max_examples=1000, deadline=None)
def test_any_bytes_under_any_topic_are_decoded(payload: bytes, topic: str, content_type: str) -> None:
    for name in (topic, wire.gateway_readings_topic("test", "g"), wire.sensor_readings_topic("test", "s1")):
        assert_sound(Publication(name, payload, "x"), decode(Message(name, payload, datetime.now(UTC), content_type)))


def _msgpack(content: Any) -> bytes:
    try:
        return msgspec.msgpack.encode(content)
    except OverflowError:
        return b"\xc1"


def _repeated(part: bytes, count: int, before: bytes = b"[", after: bytes = b"]") -> bytes:
    return before + b",".join([part] * count) + after


_MANY = 1_300_000
BOMBS = {
    "zeros in gzip": gzip.compress(bytes(200_000_000), 9, mtime=0),
    "zeros in zstd": zstandard.compress(bytes(500_000_000)),
    "gzip in gzip": gzip.compress(gzip.compress(bytes(200_000_000), 9, mtime=0), 9, mtime=0),
    "nested arrays": b"[" * wire.MAX_PAYLOAD_BYTES,
    "nested arrays in zstd": zstandard.compress(b"[" * wire.MAX_UNPACKED_BYTES),
    "nested objects in gzip": gzip.compress(b'{"time":' * 500_000, mtime=0),
    "a long number": b'[{"sensor":"s1","time":1777601580000,"value":' + b"9" * 250_000 + b"}]",
    "a long exponent": b'[{"sensor":"s1","time":1777601580000,"value":1e' + b"9" * 250_000 + b"}]",
    "a long name": b'{"' + b"k" * 250_000 + b'":1}',
    "an array of four billion in MessagePack": b"\xdd\xff\xff\xff\xff" + b"\xc0" * 100,
    "a map of four billion in MessagePack": b"\xdf\xff\xff\xff\xff" + b"\xc0" * 100,
    "numbers instead of entries": _repeated(b"0", 131_000),
    "numbers instead of entries in zstd": zstandard.compress(_repeated(b"0", 2_000_000)),
    "empty entries in zstd": zstandard.compress(_repeated(b"{}", _MANY)),
    "wrong columns in zstd": zstandard.compress(
        _repeated(b"0", 600_000, b'{"time":[', b'],"value":[')
        + _repeated(b"0", 600_000, b"", b'],"sensor":[')
        + _repeated(b"0", 600_000, b"", b"]}")
    ),
    "valid entries in zstd": zstandard.compress(
        _repeated(b'{"sensor":"s1","time":1777601580000,"value":1}', wire.MAX_UNPACKED_BYTES // 48)
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_payload_made_to_be_slow_or_large_is_decoded_in_time(name: str) -> None:
    started = time.perf_counter()
    decoded = decode(Message(wire.gateway_readings_topic("test", "g"), BOMBS[name], datetime.now(UTC)))
    seconds = time.perf_counter() - started
    assert decoded.rejections or decoded.sensors
    assert seconds < LONGEST_BOMB_S


STORED = "select sensor_key, (extract(epoch from time) * 1000000)::bigint from reading"


@dataclass
class Expected:
    """What has to be in the tables, by the very functions that the process uses, one message at a time."""

    sensors: SensorTable
    readings: set[tuple[int, int]] = field(default_factory=set)
    rejections: int = 0
    numbers: set[BatchNumber] = field(default_factory=set)

    def take(self, publication: Publication) -> bool:
        """Count a message; ``False`` for one whose number came before: it is skipped, or comes first after all."""
        message = publication.received(datetime.now(UTC))
        decoded = decode(message)
        if decoded.batch_number is not None:
            if decoded.batch_number in self.numbers:
                return False
            self.numbers.add(decoded.batch_number)
        resolved = resolve(decoded, message, self.sensors)
        judged = judge([resolved], self.sensors, LIMITS)
        self.rejections += len(resolved.rejections) + len(judged.rejections)
        taken = judged.readings
        self.readings.update(zip(taken.sensor_keys.tolist(), taken.times_us.tolist(), strict=True))
        return True


async def publish_all(url: str, publications: Iterable[Publication]) -> None:
    async with connected(url, gmqtt.Client("fuzzer")) as client:
        for number, publication in enumerate(publications, 1):
            more = {"content_type": publication.content_type} if publication.content_type else {}
            client.publish(publication.topic, publication.payload, qos=1, **more)
            if number % WINDOW == 0:
                await client._persistent_storage.wait_empty()
        await client._persistent_storage.wait_empty()


async def left_over(url: str, instance: str) -> list[bytes]:
    """What the broker still holds for a session."""
    left: list[bytes] = []
    client = gmqtt.Client(instance, clean_session=False, session_expiry_interval=60)
    client.on_message = lambda _client, _topic, payload, _qos, _properties: left.append(payload)
    async with connected(url, client):
        await asyncio.sleep(0.5)
    return left


@pytest.mark.slow
@pytest.mark.mosquitto
async def test_everything_that_was_published_is_acknowledged_and_accounted_for(
    database_url: str, mosquitto_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    register_sensors(database_url, SENSORS)
    async with await AsyncConnection.connect(database_url) as connection:
        expected = Expected(SensorTable.of(await load_sensor_rows(connection)))
    publications = [item for item in Fuzzer(2).publications(THROUGH_THE_PROCESS) if expected.take(item)]
    settings = settings_for(mosquitto_broker, database_url, ingest_shared_subscription=False)
    async with ingest_process(settings, tmp_path / "log") as ingest:
        with tables_of(database_url) as tables:

            def is_done() -> bool:
                refused = tables.ask("select coalesce(sum(count), 0) from rejection")[0][0]
                return bool(refused >= expected.rejections and tables.count("reading") >= len(expected.readings))

            await publish_all(mosquitto_broker.url, publications)
            with suppress(TimeoutError):  # the differences are told below
                await until(is_done, within_s=60)
            stored = {(int(key), int(time_us)) for key, time_us in tables.ask(STORED)}
            rejections = tables.ask("select coalesce(sum(count), 0)::bigint from rejection")[0][0]
        assert stored == expected.readings
        assert rejections == expected.rejections
        assert ingest.process.poll() is None
        assert ingest.said("Traceback") == 0
        assert ingest.said("the broker is away") == 0
        ingest.kill()
        assert await left_over(mosquitto_broker.url, settings.ingest_instance) == []
