"""An observation of a SensorThings client becomes one reading, or a rejection that says why not."""

import json
from datetime import UTC, datetime
from typing import Any

import frost_sta_client
import pytest
from frost_sta_client.utils import transform_entity_to_json_dict
from hypothesis import given
from hypothesis import strategies as st

from services.core.rejection import RejectionReason
from services.ingest.decode import decode
from services.ingest.message import Decoded, Message

RECEIVED = datetime(2026, 5, 1, 12, tzinfo=UTC)
TOPIC = "v1.1/Datastreams(42)/Observations"
NINE_US = int(datetime(2026, 5, 1, 9, tzinfo=UTC).timestamp()) * 1_000_000


def observe(content: Any, topic: str = TOPIC) -> Decoded:
    payload = content if isinstance(content, bytes) else json.dumps(content).encode()
    return decode(Message(topic, payload, RECEIVED))


def test_what_a_sensorthings_client_writes_is_one_reading() -> None:
    observation = frost_sta_client.Observation(
        result=6.5,
        phenomenon_time="2026-05-01T09:00:00Z",
        result_time="2026-05-01T09:00:03Z",
        result_quality="good",
        parameters={"method": "catalytic"},
        datastream=frost_sta_client.Datastream(id=42),
    )
    decoded = observe(transform_entity_to_json_dict(observation))
    assert (decoded.sensors, decoded.times_us, decoded.values) == (["sensorthings:Datastreams(42)"], [NINE_US], [6.5])
    assert decoded.rejections == []


@pytest.mark.parametrize(
    ("identifier", "sensor"),
    [
        ("42", "sensorthings:Datastreams(42)"),
        ("'W-1'", "W-1"),
        ("'pump no 4'", "sensorthings:Datastreams('pump no 4')"),
    ],
)
@pytest.mark.parametrize("version", ["v1.0", "v1.1"])
def test_the_datastream_names_the_sensor(version: str, identifier: str, sensor: str) -> None:
    topic = f"{version}/Datastreams({identifier})/Observations"
    assert observe({"result": 1, "phenomenonTime": "2026-05-01T09:00:00Z"}, topic).sensors == [sensor]


@pytest.mark.parametrize(
    ("times", "expected_us"),
    [
        ({"phenomenonTime": "2026-05-01T09:00:00Z"}, NINE_US),
        ({"phenomenonTime": "2026-05-01T17:00:00.000+08:00"}, NINE_US),
        ({"phenomenonTime": "2026-05-01T08:00:00Z/2026-05-01T09:00:00Z"}, NINE_US),
        ({"resultTime": "2026-05-01T09:00:00Z"}, NINE_US),
        ({"phenomenonTime": None, "resultTime": "2026-05-01T09:00:00z"}, NINE_US),
        ({"phenomenonTime": "2026-05-01T09:00:00Z", "resultTime": "later"}, NINE_US),
        ({}, NINE_US + 3 * 3600 * 1_000_000),
    ],
)
def test_the_time_is_when_it_was_measured_and_else_the_next_best(times: dict[str, Any], expected_us: int) -> None:
    assert observe({"result": 1.0, **times}).times_us == [expected_us]


@pytest.mark.parametrize(
    ("content", "reason", "field"),
    [
        (b"", RejectionReason.BAD_JSON, "payload"),
        (b"{", RejectionReason.BAD_JSON, "payload"),
        (b"\xff", RejectionReason.BAD_JSON, "payload"),
        (b"[" * 100_000, RejectionReason.BAD_FIELD, "payload"),
        (b'{"result":NaN}', RejectionReason.BAD_JSON, "payload"),
        ([], RejectionReason.BAD_FIELD, "payload"),
        ({}, RejectionReason.BAD_FIELD, "result"),
        ({"result": None}, RejectionReason.BAD_FIELD, "result"),
        ({"result": "6.5"}, RejectionReason.BAD_FIELD, "result"),
        ({"result": True}, RejectionReason.BAD_FIELD, "result"),
        ({"result": [6.5]}, RejectionReason.BAD_FIELD, "result"),
        ({"result": 1, "phenomenonTime": 1777626000000}, RejectionReason.BAD_TIME, "phenomenonTime"),
        ({"result": 1, "phenomenonTime": "2026-05-01T09:00:00"}, RejectionReason.BAD_TIME, "phenomenonTime"),
        ({"result": 1, "phenomenonTime": "2026-05-01"}, RejectionReason.BAD_TIME, "phenomenonTime"),
        ({"result": 1, "phenomenonTime": "2026-05-41T09:00:00Z"}, RejectionReason.BAD_TIME, "phenomenonTime"),
        ({"result": 1, "phenomenonTime": "0001-01-01T00:00:00+14:00"}, RejectionReason.BAD_TIME, "phenomenonTime"),
        (
            {"result": 1, "phenomenonTime": "2026-05-01T09:00:00Z/2026-05-01T08:00:00Z"},
            RejectionReason.BAD_TIME,
            "phenomenonTime",
        ),
        ({"result": 1, "resultTime": ""}, RejectionReason.BAD_TIME, "resultTime"),
    ],
)
def test_what_is_no_measurement_is_rejected_by_field(content: Any, reason: RejectionReason, field: str) -> None:
    decoded = observe(content)
    assert decoded.sensors == []
    [rejection] = decoded.rejections
    assert (rejection.reason, rejection.detail.partition(":")[0]) == (reason, field)
    assert rejection.sensor == "sensorthings:Datastreams(42)"


@pytest.mark.parametrize("place", ["MultiDatastreams(1)", "Datastreams()", "Datastreams('a/b')", "Datastreams(-1)"])
def test_another_topic_is_rejected(place: str) -> None:
    [rejection] = observe({"result": 1}, f"v1.1/{place}/Observations").rejections
    assert rejection.reason is RejectionReason.BAD_TOPIC


@given(st.text(), st.binary() | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(json.dumps))
def test_any_topic_and_any_bytes_are_survived(topic: str, payload: bytes | str) -> None:
    content = payload.encode() if isinstance(payload, str) else payload
    for name in (TOPIC, f"v1.1/{topic}"):
        decoded = decode(Message(name, content, RECEIVED))
        assert len(decoded.sensors) + len(decoded.rejections) == 1


@given(
    st.fixed_dictionaries(
        {"result": st.floats() | st.integers()},
        optional={"phenomenonTime": st.datetimes().map(lambda time: f"{time.isoformat()}Z"), "resultTime": st.text()},
    )
)
def test_every_number_becomes_a_reading_or_a_rejection(content: dict[str, Any]) -> None:
    decoded = observe(content)
    assert len(decoded.sensors) + len(decoded.rejections) == 1
