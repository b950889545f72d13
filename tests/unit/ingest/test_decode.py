"""Decoding accounts for every entry and never raises."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core import wire
from services.core.rejection import RejectionReason
from services.ingest.decode import Decoded, Message, decode

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
    return len(decoded.readings) + len(decoded.rejections)


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
    assert decoded.readings == []
    (rejection,) = decoded.rejections
    assert rejection.reason is reason
    assert rejection.detail.startswith(f"{field}: ")
    assert rejection.sensor == "s1"
    assert len(rejection.payload) <= 4096


def test_a_topic_outside_the_grammar_is_refused() -> None:
    (rejection,) = decode(message("lifeline/v1/test/sensors/-/readings", b"{}")).rejections
    assert rejection.reason is RejectionReason.BAD_TOPIC


def test_a_gateway_sends_arrays_only() -> None:
    (rejection,) = decode(message(GATEWAY_TOPIC, b'{"sensor":"a","time":1767225600000,"value":1}')).rejections
    assert rejection.reason is RejectionReason.BAD_FIELD


def test_a_bad_entry_is_refused_alone() -> None:
    good = {"sensor": "a", "time": 1767225600000, "value": 1.5}
    bad = {"sensor": "b", "time": 1767225600000}
    decoded = decode(message(GATEWAY_TOPIC, json.dumps([good, bad, good]).encode()))
    assert [(sensor, reading.value) for sensor, reading in decoded.readings] == [("a", 1.5), ("a", 1.5)]
    (rejection,) = decoded.rejections
    assert json.loads(rejection.payload) == bad
    assert rejection.sensor == "b"


@pytest.mark.parametrize("payload", [b'{"time":1767225600000,"value":2}', b' [{"time":1767225600000,"value":2}]'])
def test_a_sensor_sends_an_object_or_an_array(payload: bytes) -> None:
    decoded = decode(message(SENSOR_TOPIC, payload))
    assert [(sensor, reading.value) for sensor, reading in decoded.readings] == [("s1", 2.0)]
