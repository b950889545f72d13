"""Decoding accounts for every entry and never raises."""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgpack
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from services.core import wire
from services.core.rejection import RejectionReason
from services.ingest.decode import decode
from services.ingest.message import Decoded, Message

RECEIVED = datetime(2026, 1, 1, tzinfo=UTC)
SENSOR_TOPIC = wire.sensor_readings_topic("test", "s1")
GATEWAY_TOPIC = wire.gateway_readings_topic("test", "gateway")

times = st.one_of(
    st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-01", "", "2026-02-30T00:00Z"]),
    st.integers(),
    st.floats(),
    st.none(),
)
numbers = st.one_of(st.floats(), st.integers(), st.sampled_from([10**400, -(10**4299), True, None, "1"]))
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
entries = st.one_of(
    anything,
    st.fixed_dictionaries(
        {"time": times, "value": numbers},
        optional={"sensor": st.text() | st.just("s1"), "unit": anything, "quality": anything, "extra": anything},
    ),
)


def message(topic: str, payload: bytes) -> Message:
    return Message(topic, payload, RECEIVED)


def outcomes(decoded: Decoded) -> int:
    return len(decoded.sensors) + len(decoded.rejections)


def values(decoded: Decoded) -> list[tuple[str, float]]:
    return list(zip(decoded.sensors, decoded.values, strict=True))


@given(st.lists(entries, max_size=6), st.sampled_from([SENSOR_TOPIC, GATEWAY_TOPIC]), st.booleans())
def test_every_entry_becomes_a_reading_or_a_rejection(content: list[object], topic: str, escaped: bool) -> None:
    payload = json.dumps(content, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
    decoded = decode(message(topic, payload))
    is_unreadable = [rejection.reason for rejection in decoded.rejections] == [RejectionReason.BAD_JSON]
    assert is_unreadable or outcomes(decoded) == len(content)
    for rejection in decoded.rejections:
        assert ": " in rejection.detail
        rejection.detail.encode()


@given(st.text(), st.binary())
def test_any_topic_and_any_bytes_are_survived(topic: str, payload: bytes) -> None:
    for name in (topic, SENSOR_TOPIC, GATEWAY_TOPIC):
        decode(message(name, payload))


@pytest.mark.parametrize(
    ("payload", "reason", "field"),
    [
        (b"", RejectionReason.BAD_JSON, "payload"),
        (b'"\xff"', RejectionReason.BAD_JSON, "payload"),
        (b"[" * 100_000, RejectionReason.BAD_JSON, "payload"),
        (b'{"time":1767225600000,"value":1' + b"0" * 5000 + b"}", RejectionReason.BAD_JSON, "payload"),
        (b'{"time":1767225600000,"value":1' + b"0" * 4000 + b"}", RejectionReason.NOT_FINITE, "value"),
        (b'{"time":1767225600000,"value":1e999}', RejectionReason.NOT_FINITE, "value"),
        (b'{"time":1767225600000,"value":NaN}', RejectionReason.NOT_FINITE, "value"),
        (b'{"time":1767225600000,"value":"1"}', RejectionReason.BAD_FIELD, "value"),
        (b'{"time":1767225600000}', RejectionReason.BAD_FIELD, "value"),
        (b'{"time":1767225600000,"value":1,"colour":2}', RejectionReason.BAD_FIELD, "colour"),
        (b'{"time":1767225600000,"value":1,"quality":3}', RejectionReason.BAD_FIELD, "quality"),
        (b'{"time":"2026-01-01T00:00:00","value":1}', RejectionReason.BAD_TIME, "time"),
        (b'{"time":1767225600,"value":1}', RejectionReason.BAD_TIME, "time"),
        (b'{"time":"0001-01-01T00:00:00+14:00","value":1}', RejectionReason.BAD_TIME, "time"),
        (b" " * 262_145, RejectionReason.OVERSIZED, "payload"),
    ],
)
def test_garbage_is_refused_with_its_reason_and_field(payload: bytes, reason: RejectionReason, field: str) -> None:
    decoded = decode(message(SENSOR_TOPIC, payload))
    assert decoded.sensors == []
    (rejection,) = decoded.rejections
    assert rejection.reason is reason
    assert rejection.detail.startswith(f"{field}: ")
    assert rejection.sensor == "s1"
    assert len(rejection.payload) <= 65_536


def test_a_topic_outside_the_grammar_is_refused() -> None:
    (rejection,) = decode(message("lifeline/v1/test/sensors/-/readings", b"{}")).rejections
    assert rejection.reason is RejectionReason.BAD_TOPIC


def test_a_bad_entry_is_refused_alone() -> None:
    good = {"sensor": "a", "time": 1767225600000, "value": 1.5}
    bad = {"sensor": "b", "time": 1767225600000}
    decoded = decode(message(GATEWAY_TOPIC, json.dumps([good, bad, good]).encode()))
    assert values(decoded) == [("a", 1.5), ("a", 1.5)]
    (rejection,) = decoded.rejections
    assert json.loads(rejection.payload) == bad
    assert rejection.sensor == "b"


@pytest.mark.parametrize("payload", [b'{"time":1767225600000,"value":2}', b' [{"time":1767225600000,"value":2}]'])
def test_a_sensor_sends_an_object_or_an_array(payload: bytes) -> None:
    decoded = decode(message(SENSOR_TOPIC, payload))
    assert values(decoded) == [("s1", 2.0)]


COLUMNS = {"sensor": ["a", "b"], "time": [1767225600000, "2026-01-01T00:00:01Z"], "value": [1, 2.5]}
ENTRIES = [{"sensor": "a", "time": 1767225600000, "value": 1}, {"sensor": "b", "time": 1767225601000, "value": 2.5}]
GATEWAY_PAYLOADS: dict[str, object] = {
    "array": ENTRIES,
    "columns": COLUMNS,
    "numbered array": {"seq": 7, "readings": ENTRIES},
    "numbered columns": {"seq": 7, "buffer": "b2", "readings": COLUMNS},
}


def gzipped(content: bytes) -> bytes:
    return gzip.compress(content)


def zstandardised(content: bytes) -> bytes:
    return zstandard.compress(content)


@pytest.mark.parametrize("compress", [bytes, gzipped, zstandardised])
@pytest.mark.parametrize(
    ("encode", "content_type"), [(json.dumps, "application/json"), (msgpack.packb, "application/msgpack")]
)
@pytest.mark.parametrize("content", GATEWAY_PAYLOADS.values(), ids=GATEWAY_PAYLOADS.keys())
@pytest.mark.parametrize("named", [True, False])
def test_every_kind_of_payload_ends_in_the_same_readings(
    content: object, encode: Callable[[object], Any], content_type: str, compress: Callable[[bytes], bytes], named: bool
) -> None:
    encoded = encode(content)
    payload = compress(encoded if isinstance(encoded, bytes) else encoded.encode())
    decoded = decode(Message(GATEWAY_TOPIC, payload, RECEIVED, content_type if named else ""))
    assert decoded.rejections == []
    assert values(decoded) == [("a", 1.0), ("b", 2.5)]
    assert decoded.times_us == [1767225600000_000, 1767225601000_000]
    assert (decoded.gateway, decoded.sender) == ("gateway", "gateway")


@pytest.mark.parametrize("payload", [{"seq": 7, "readings": ENTRIES}, {"seq": 7, "readings": [{"value": None}]}])
def test_a_batch_keeps_its_number_also_when_an_entry_is_wrong(payload: object) -> None:
    assert decode(message(GATEWAY_TOPIC, json.dumps(payload).encode())).batch_number == ("test", "gateway", "", 7)


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({"seq": 0, "readings": []}, "seq"),
        ({"seq": True, "readings": []}, "seq"),
        ({"seq": 1, "buffer": 5, "readings": []}, "buffer"),
        ({"seq": 1, "readings": [], "colour": 1}, "colour"),
        ({"sensor": ["a"], "time": [1767225600000, 1767225600001], "value": [1, 2]}, "sensor"),
        ({"sensor": ["a"], "time": [1767225600000], "value": 5}, "value"),
    ],
)
def test_what_is_wrong_with_a_batch_is_named(payload: object, field: str) -> None:
    (rejection,) = decode(message(GATEWAY_TOPIC, json.dumps(payload).encode())).rejections
    assert rejection.reason is RejectionReason.BAD_FIELD
    assert rejection.detail.startswith(f"{field}: ")


def test_one_bad_value_in_columns_leaves_the_others() -> None:
    columns = {"sensor": ["a", "b", "c"], "time": [1767225600000] * 3, "value": [1, float("nan"), 3]}
    decoded = decode(message(GATEWAY_TOPIC, json.dumps(columns).encode()))
    assert values(decoded) == [("a", 1.0), ("c", 3.0)]
    assert [rejection.sensor for rejection in decoded.rejections] == ["b"]


@pytest.mark.parametrize(
    ("payload", "content_type", "reason"),
    [
        (b"{}", "image/png", RejectionReason.BAD_ENCODING),
        (gzipped(b"[]")[:-4], "", RejectionReason.BAD_ENCODING),
        (zstandardised(b"[]" * 100)[:-3], "", RejectionReason.BAD_JSON),
        (b"\x28\xb5\x2f\xfdrubbish", "", RejectionReason.BAD_ENCODING),
        (gzipped(b" " * 5_000_000), "", RejectionReason.OVERSIZED),
        (zstandardised(b" " * 5_000_000), "", RejectionReason.OVERSIZED),
        (b"\xc1", "application/msgpack", RejectionReason.BAD_JSON),
    ],
)
def test_bytes_that_cannot_be_unpacked_are_refused(payload: bytes, content_type: str, reason: RejectionReason) -> None:
    (rejection,) = decode(Message(GATEWAY_TOPIC, payload, RECEIVED, content_type)).rejections
    assert rejection.reason is reason


@given(st.binary(), st.sampled_from([b"", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"\x82\xa4time", b"\x92"]))
def test_any_packed_bytes_are_survived(payload: bytes, start: bytes) -> None:
    for topic in (SENSOR_TOPIC, GATEWAY_TOPIC):
        decode(message(topic, start + payload))
