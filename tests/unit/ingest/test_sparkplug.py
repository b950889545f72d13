"""What edge nodes publish becomes readings where it can be understood; where not, a new birth is asked for."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pysparkplug
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from services.core.rejection import RejectionReason
from services.ingest.message import Decoded, Message
from services.ingest.sparkplug.counts import Counts
from services.ingest.sparkplug.edge_nodes import MAX_PAYLOAD_BYTES, EdgeNodes, Limits, Taken, rebirth_request
from services.ingest.sparkplug.payload_pb2 import Metric, Payload, PropertySet, PropertyValue
from services.ingest.sparkplug.session import says_offline, state
from services.ingest.sparkplug.topic import FILTERS, Kind, parse_topic

RECEIVED = datetime(2026, 5, 1, 12, tzinfo=UTC)
AT_MS = 1_777_626_000_000
FLOAT, INT16, INT32, UINT64, DOUBLE, BOOLEAN, STRING = 9, 2, 3, 8, 10, 11, 12
STATION = "sparkplug:city/station"


class Bench:
    """Edge nodes under test, and a clock that stands still unless it is moved."""

    def __init__(self, limits: Limits | None = None, registered: set[str] | None = None) -> None:
        self.registry = CollectorRegistry()
        self.registered = registered
        self.nodes = EdgeNodes(limits or Limits(), self._is_registered, Counts(self.registry))
        self.now_s = 0.0

    def _is_registered(self, address: str) -> bool:
        return self.registered is None or address in self.registered

    def take(self, place: str, payload: Payload | bytes, group: str = "city") -> Taken:
        content = payload if isinstance(payload, bytes) else payload.SerializeToString()
        return self.nodes.take(Message(f"spBv1.0/{group}/{place}", content, RECEIVED), self.now_s)

    def count(self, name: str) -> float:
        return self.registry.get_sample_value(f"lifeline_sparkplug_{name}_total") or 0.0


def metric(name: str | None = None, **fields: Any) -> Metric:
    return Metric(name=name, **{"timestamp": AT_MS, **fields})


def payload(*metrics: Metric, seq: int | None = 0, timestamp: int = AT_MS) -> Payload:
    return Payload(timestamp=timestamp, metrics=metrics, seq=seq)


def birth(*metrics: Metric, number: int = 0) -> Payload:
    return payload(metric("bdSeq", datatype=UINT64, long_value=number), *metrics)


def death(number: int | None) -> Payload:
    return Payload() if number is None else Payload(metrics=[Metric(name="bdSeq", datatype=UINT64, long_value=number)])


def properties(**values: int | str) -> PropertySet:
    made = [
        PropertyValue(int_value=value) if isinstance(value, int) else PropertyValue(string_value=value)
        for value in values.values()
    ]
    return PropertySet(keys=list(values), values=made)


PRESSURE = metric("pressure", alias=1, datatype=FLOAT, float_value=2.5)
LEVEL = metric("level", alias=2, datatype=DOUBLE, double_value=1.25, properties=properties(engUnit="m"))


@pytest.fixture
def bench() -> Bench:
    """A bench where ``station`` was born with a pressure and its device ``pump`` with a level."""
    made = Bench()
    made.take("NBIRTH/station", birth(PRESSURE))
    made.take("DBIRTH/station/pump", payload(LEVEL, seq=1))
    return made


def read(decoded: Decoded) -> list[tuple[str, float]]:
    return list(zip(decoded.sensors, decoded.values, strict=True))


def test_a_birth_holds_the_current_values(bench: Bench) -> None:
    taken = bench.take("NBIRTH/station", birth(PRESSURE, number=1))
    assert read(taken.decoded) == [(f"{STATION}/pressure", 2.5)]
    assert taken.decoded.times_us == [AT_MS * 1000]
    assert taken.rebirth is None


def test_data_by_alias_belong_to_the_metric_of_the_birth(bench: Bench) -> None:
    node = bench.take("NDATA/station", payload(metric(alias=1, float_value=3.5), seq=2))
    device = bench.take("DDATA/station/pump", payload(metric(alias=2, double_value=1.5), seq=3))
    assert read(node.decoded) + read(device.decoded) == [(f"{STATION}/pressure", 3.5), (f"{STATION}/pump/level", 1.5)]
    assert device.decoded.units == ["m"], "the unit of the birth was lost"
    assert (node.rebirth, device.rebirth) == (None, None)


def test_an_alias_of_the_node_is_not_one_of_its_device(bench: Bench) -> None:
    taken = bench.take("DDATA/station/pump", payload(metric(alias=1, float_value=3.5), seq=2))
    assert read(taken.decoded) == []
    assert taken.rebirth is not None


@pytest.mark.parametrize(
    ("datatype", "fields", "expected"),
    [
        (1, {"int_value": 0xFF}, -1.0),
        (1, {"int_value": 0xFFFFFFFF}, -1.0),
        (INT16, {"int_value": 0x8000}, -32768.0),
        (INT32, {"int_value": 0xFFFFFFFE}, -2.0),
        (4, {"long_value": 2**64 - 3}, -3.0),
        (5, {"int_value": 255}, 255.0),
        (7, {"long_value": 2**32 - 1}, 2.0**32 - 1),
        (UINT64, {"long_value": 2**64 - 1}, 2.0**64),
        (FLOAT, {"float_value": -0.5}, -0.5),
        (DOUBLE, {"double_value": 1e300}, 1e300),
        (BOOLEAN, {"boolean_value": True}, 1.0),
        (BOOLEAN, {"boolean_value": False}, 0.0),
    ],
)
def test_every_type_of_number_is_read(datatype: int, fields: dict[str, Any], expected: float) -> None:
    taken = Bench().take("NBIRTH/station", birth(metric("m", datatype=datatype, **fields)))
    assert taken.decoded.values == [expected]


def test_what_holds_no_number_is_counted_and_not_rejected() -> None:
    bench = Bench()
    texts = [
        metric("name", datatype=STRING),
        metric("since", datatype=13, long_value=AT_MS),
        metric("set", datatype=16),
    ]
    empty = metric("level", alias=4, datatype=DOUBLE, is_null=True)
    control = metric("Node Control/Rebirth", datatype=BOOLEAN, boolean_value=False)
    taken = bench.take("NBIRTH/station", birth(*texts, empty, control))
    assert (taken.decoded.sensors, taken.decoded.rejections) == ([], [])
    assert bench.count("ignored") == 4
    assert bench.take("NDATA/station", payload(metric("name"), metric(alias=4, is_null=True), seq=1)).rebirth is None


@pytest.mark.parametrize(("code", "quality"), [(192, 0), (500, 1), (0, 2), (7, 1)])
def test_the_quality_is_taken_over(bench: Bench, code: int, quality: int) -> None:
    marked = metric(alias=1, float_value=1.0, properties=properties(Quality=code))
    plain = metric(alias=1, float_value=1.0, timestamp=AT_MS + 1)
    assert bench.take("NDATA/station", payload(marked, plain, seq=2)).decoded.qualities == [quality, None]


def test_a_historical_value_keeps_its_time(bench: Bench) -> None:
    old = metric(alias=1, float_value=1.0, timestamp=AT_MS - 3_600_000, is_historical=True)
    assert bench.take("NDATA/station", payload(old, seq=2)).decoded.times_us == [(AT_MS - 3_600_000) * 1000]


def test_without_a_time_of_its_own_a_metric_has_that_of_the_message(bench: Bench) -> None:
    untimed = Metric(alias=1, float_value=1.0)
    sent = bench.take("NDATA/station", payload(untimed, seq=2, timestamp=AT_MS + 5)).decoded
    unsent = bench.take("NDATA/station", Payload(metrics=[untimed], seq=3)).decoded
    assert sent.times_us + unsent.times_us == [(AT_MS + 5) * 1000, int(RECEIVED.timestamp()) * 1_000_000]


def test_impossible_values_and_times_are_rejected_alone(bench: Bench) -> None:
    taken = bench.take(
        "NDATA/station",
        payload(
            metric(alias=1, float_value=float("nan")),
            metric(alias=1, float_value=1.0, timestamp=1_777_626_000),
            metric(alias=1, float_value=4.0),
            seq=2,
        ),
    )
    assert read(taken.decoded) == [(f"{STATION}/pressure", 4.0)]
    assert [(rejection.reason, rejection.sensor, rejection.sender) for rejection in taken.decoded.rejections] == [
        (RejectionReason.NOT_FINITE, f"{STATION}/pressure", "city/station"),
        (RejectionReason.BAD_TIME, f"{STATION}/pressure", "city/station"),
    ]


def test_the_sequence_runs_over_from_255_to_0(bench: Bench) -> None:
    sequence = [*range(2, 256), *range(256), 0]
    taken = [bench.take("NDATA/station", payload(metric(alias=1, float_value=1.0), seq=n)) for n in sequence]
    assert {one.rebirth for one in taken} == {None}
    assert bench.count("doubts") == 0


def test_a_gap_in_the_sequence_asks_for_a_new_birth_and_keeps_the_value(bench: Bench) -> None:
    taken = bench.take("DDATA/station/pump", payload(metric(alias=2, double_value=1.5), seq=3))
    assert read(taken.decoded) == [(f"{STATION}/pump/level", 1.5)]
    assert taken.rebirth is not None
    assert taken.rebirth.command_topic == "spBv1.0/city/NCMD/station"


def test_a_new_birth_ends_the_doubt(bench: Bench) -> None:
    bench.take("NDATA/station", payload(seq=9))
    bench.take("NBIRTH/station", birth(PRESSURE))
    bench.now_s += 3600
    assert bench.take("NDATA/station", payload(metric(alias=1, float_value=1.0), seq=1)).rebirth is None


def test_an_unknown_node_is_asked_and_what_names_itself_is_read_meanwhile() -> None:
    bench = Bench()
    taken = bench.take(
        "NDATA/station",
        payload(
            metric("pressure", float_value=1.5),
            metric("count", datatype=INT32, int_value=0xFFFFFFFF),
            metric("whole", int_value=7),
            metric(alias=1, float_value=2.0),
            seq=17,
        ),
    )
    assert read(taken.decoded) == [(f"{STATION}/pressure", 1.5), (f"{STATION}/count", -1.0)]
    assert taken.rebirth is not None
    assert bench.count("unnamed") == 2, "a number whose sign nobody told, and an alias nobody announced"


@pytest.mark.parametrize(
    ("place", "one"),
    [
        ("NDATA/station", metric(alias=77, float_value=1.0)),
        ("NDATA/station", metric("new", datatype=FLOAT, float_value=1.0)),
        ("DDATA/station/fan", metric(alias=2, double_value=1.0)),
    ],
)
def test_what_no_birth_named_asks_for_one(bench: Bench, place: str, one: Metric) -> None:
    assert bench.take(place, payload(one, seq=2)).rebirth is not None


def test_a_node_that_does_not_answer_is_asked_ever_less_often() -> None:
    bench = Bench()
    asked = []
    for second in range(3600):
        bench.now_s = float(second)
        if bench.take("NDATA/station", payload(seq=second % 256)).rebirth is not None:
            asked.append(second)
    assert asked[:7] == [0, 5, 15, 35, 75, 155, 315]
    assert {later - sooner for sooner, later in pairwise(asked[7:])} == {300}


def test_each_node_is_asked_for_itself() -> None:
    bench = Bench()
    names = [bench.take(f"NDATA/node-{number}", payload()).rebirth for number in range(3)]
    assert [str(name) for name in names] == ["city/node-0", "city/node-1", "city/node-2"]


def test_after_its_death_a_node_must_be_born_again(bench: Bench) -> None:
    bench.take("NDEATH/station", death(0))
    taken = bench.take("NDATA/station", payload(metric(alias=1, float_value=1.0), seq=2))
    assert read(taken.decoded) == []
    assert taken.rebirth is not None


def test_the_late_death_of_an_earlier_session_is_passed_over(bench: Bench) -> None:
    bench.take("NBIRTH/station", birth(PRESSURE, number=5))
    bench.take("NDEATH/station", death(4))
    taken = bench.take("NDATA/station", payload(metric(alias=1, float_value=1.0), seq=1))
    assert read(taken.decoded) == [(f"{STATION}/pressure", 1.0)]


def test_after_its_death_a_device_must_be_born_again(bench: Bench) -> None:
    bench.take("DDEATH/station/pump", payload(seq=2))
    assert bench.take("NDATA/station", payload(metric(alias=1, float_value=1.0), seq=3)).rebirth is None
    assert bench.take("DDATA/station/pump", payload(metric(alias=2, double_value=1.0), seq=4)).rebirth is not None


def test_after_an_absence_nothing_announced_holds(bench: Bench) -> None:
    bench.nodes.forget()
    taken = bench.take("NDATA/station", payload(metric(alias=1, float_value=1.0), seq=2))
    assert read(taken.decoded) == []
    assert taken.rebirth is not None


def test_a_metric_that_is_no_sensor_is_handed_on_once() -> None:
    bench = Bench(registered={f"{STATION}/pressure"})
    other = metric("load", alias=3, datatype=FLOAT, float_value=0.5)
    assert len(read(bench.take("NBIRTH/station", birth(PRESSURE, other)).decoded)) == 2
    for number in range(1, 4):
        both = payload(metric(alias=1, float_value=1.0), metric(alias=3, float_value=1.0), seq=number)
        assert read(bench.take("NDATA/station", both).decoded) == [(f"{STATION}/pressure", 1.0)]
    assert len(read(bench.take("NBIRTH/station", birth(PRESSURE, other)).decoded)) == 1
    assert bench.count("unregistered") == 4
    assert bench.registered is not None
    bench.registered.add(f"{STATION}/load")
    assert read(bench.take("NDATA/station", payload(metric(alias=3, float_value=2.0), seq=1)).decoded) == [
        (f"{STATION}/load", 2.0)
    ]


def test_two_metrics_never_share_an_address() -> None:
    bench = Bench()
    bench.take("NBIRTH/station", birth(metric("pump/level", alias=1, datatype=FLOAT, float_value=1.0)))
    taken = bench.take("DBIRTH/station/pump", payload(LEVEL, seq=1))
    assert read(taken.decoded) == []
    assert [rejection.reason for rejection in taken.decoded.rejections] == [RejectionReason.BAD_FIELD]


def test_memory_is_bounded_for_each_node() -> None:
    bench = Bench(Limits(metrics_each=10))
    many = [metric(f"m{number}", alias=number, datatype=FLOAT, float_value=1.0) for number in range(50)]
    bench.take("NBIRTH/station", birth(*many))
    taken = bench.take("NDATA/station", payload(*(metric(alias=n, float_value=1.0) for n in range(50)), seq=1))
    assert len(taken.decoded.sensors) == 10
    assert taken.rebirth is None, "asking again would not help"


def test_memory_is_bounded_for_all_nodes_together() -> None:
    bench = Bench(Limits(edge_nodes=3, metrics=8))
    for name in "abcde":
        bench.take(f"NBIRTH/{name}", birth(*(metric(f"m{n}", alias=n, datatype=FLOAT) for n in range(3))))
    read_by_alias = {
        name: len(bench.take(f"NDATA/{name}", payload(metric(alias=2, float_value=1.0), seq=1)).decoded.sensors)
        for name in "abcde"
    }
    assert read_by_alias == {"a": 1, "b": 1, "c": 0, "d": 0, "e": 0}


def test_dead_nodes_make_room() -> None:
    bench = Bench(Limits(edge_nodes=2))

    def is_understood(name: str) -> bool:
        bench.take(f"NBIRTH/{name}", birth(PRESSURE))
        data = bench.take(f"NDATA/{name}", payload(metric(alias=1, float_value=1.0), seq=1))
        return len(data.decoded.sensors) == 1

    assert [is_understood(name) for name in "abcd"] == [True, True, False, False]
    bench.take("NDEATH/a", death(0))
    assert [is_understood(name) for name in "cd"] == [True, False]


def test_a_payload_of_another_kind_is_rejected(bench: Bench) -> None:
    [rejection] = bench.take("NDATA/station", b'{"metrics":[]}').decoded.rejections
    assert (rejection.reason, rejection.sender) == (RejectionReason.BAD_ENCODING, "city/station")
    name_in_latin_1 = b"\x12\x03\x0a\x01\xe9"
    [rejection] = bench.take("NDATA/station", name_in_latin_1).decoded.rejections
    assert rejection.reason is RejectionReason.BAD_ENCODING


def test_an_oversized_payload_is_rejected_unread(bench: Bench) -> None:
    [rejection] = bench.take("NBIRTH/station", b"\x0a" * (MAX_PAYLOAD_BYTES + 1)).decoded.rejections
    assert rejection.reason is RejectionReason.OVERSIZED


@pytest.mark.parametrize(
    "topic",
    [
        "spBv1.0/city/NCMD/station",
        "spBv1.0/city/NDATA/station/pump",
        "spBv1.0/city/DDATA/station",
        "spBv1.0/city/DDATA/station/pump/more",
        "spBv1.0/city/NDATA/",
        "spBv1.0/STATE/host",
        "spAv1.0/city/NDATA/station",
        "spBv1.0",
    ],
)
def test_a_topic_that_no_edge_node_has_is_none(topic: str) -> None:
    assert parse_topic(topic) is None


def test_every_kind_of_message_has_its_filter() -> None:
    assert len(FILTERS) == len(Kind) == 6
    assert "spBv1.0/+/DDATA/+/+" in FILTERS


def test_another_implementation_reads_the_request_for_a_birth() -> None:
    request = pysparkplug.NCmd.decode(rebirth_request(AT_MS))
    [asked] = request.metrics
    assert (asked.name, asked.datatype, asked.value) == ("Node Control/Rebirth", pysparkplug.DataType.BOOLEAN, True)


@pytest.mark.parametrize(
    ("datatype", "value"),
    [
        (pysparkplug.DataType.INT8, -100),
        (pysparkplug.DataType.INT32, -70_000),
        (pysparkplug.DataType.INT64, -(2**40)),
        (pysparkplug.DataType.UINT32, 2**32 - 1),
        (pysparkplug.DataType.DOUBLE, 0.1),
        (pysparkplug.DataType.BOOLEAN, True),
    ],
)
def test_numbers_of_another_implementation_are_read(datatype: pysparkplug.DataType, value: float) -> None:
    sent = pysparkplug.Metric(timestamp=AT_MS, name="m", datatype=datatype, value=value)
    bytes_ = pysparkplug.NBirth(timestamp=AT_MS, seq=0, metrics=(sent,)).encode(include_dtypes=True)
    assert Bench().take("NBIRTH/station", bytes_).decoded.values == [float(value)]


@pytest.mark.parametrize(
    ("said", "is_offline"),
    [
        (state(online=False, timestamp_ms=AT_MS), True),
        (state(online=True, timestamp_ms=AT_MS), False),
        (b"OFFLINE", False),
        (b'{"online": 0}', False),
        (b"[" * 100_000, False),
        (b"\xff", False),
        (b"", False),
    ],
)
def test_only_a_clear_word_says_that_the_host_is_away(said: bytes, is_offline: bool) -> None:
    assert says_offline(said) is is_offline


metrics = st.builds(
    Metric,
    name=st.none() | st.sampled_from(["pressure", "bdSeq", "", "a/b", "x" * 600, "\x00"]),
    alias=st.none() | st.integers(0, 3),
    timestamp=st.none() | st.sampled_from([0, 1, AT_MS, 2**64 - 1]),
    datatype=st.none() | st.integers(0, 40),
    is_null=st.none() | st.booleans(),
    properties=st.none()
    | st.builds(
        PropertySet,
        keys=st.lists(st.sampled_from(["Quality", "engUnit", "x"]), max_size=3),
        values=st.lists(st.builds(PropertyValue, int_value=st.integers(0, 600)), max_size=3),
    ),
) | st.builds(
    Metric,
    name=st.sampled_from(["pressure", "level"]),
    datatype=st.none() | st.integers(0, 12),
    double_value=st.floats(),
)
payloads = st.builds(
    Payload,
    timestamp=st.none() | st.integers(0, 2**64 - 1),
    seq=st.none() | st.sampled_from([0, 1, 2, 255, 256, 2**64 - 1]),
    metrics=st.lists(metrics, max_size=5),
).map(Payload.SerializeToString)
places = st.sampled_from(["NBIRTH/n", "NDATA/n", "NDEATH/n", "DBIRTH/n/d", "DDATA/n/d", "DDEATH/n/d"]) | st.text()


@given(st.lists(st.tuples(places, payloads | st.binary()), max_size=8))
def test_whatever_comes_in_whatever_order_is_survived(messages: list[tuple[str, bytes]]) -> None:
    bench = Bench(Limits(edge_nodes=2, metrics_each=4, metrics=6))
    for place, content in messages:
        decoded = bench.take(place, content).decoded
        assert len(decoded.sensors) == len(decoded.times_us) == len(decoded.values)
        assert all(abs(value) < float("inf") for value in decoded.values)
        for rejection in decoded.rejections:
            assert ": " in rejection.detail
            rejection.detail.encode()
