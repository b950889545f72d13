"""The same readings give the same findings, however they arrive."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.core.finding import Finding
from services.core.lifeline import Lifeline
from services.core.reading import Quality, Reading
from tests.unit.alerts.stream import LATENESS, at, engine, ordered, reading, restarted, sensor

SENSORS = [
    sensor("m1", gateway="g1"),
    sensor("m2", gateway="g1"),
    sensor("m3"),
    sensor("p1", quantity="gas_pressure", interval=timedelta(minutes=2)),
]
WATER = [sensor(f"w{number}", Lifeline.WATER, "pressure", interval=timedelta(minutes=5)) for number in range(3)]
quiet = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])

one_reading = st.builds(
    reading,
    st.sampled_from([each.id for each in SENSORS]),
    st.integers(0, 240).map(lambda minute: minute / 2),
    st.sampled_from([0.0, 0.2, 6.0, 11.0, 25.0, 60.0, 150.0, -1.0]),
    st.sampled_from([Quality.GOOD, Quality.GOOD, Quality.GOOD, Quality.SUSPECT, Quality.BAD]),
)
streams = st.lists(one_reading, max_size=80, unique_by=lambda each: (each.sensor, each.time)).map(
    lambda readings: sorted(readings, key=lambda each: (each.time, each.sensor))
)


@st.composite
def shuffled(draw: st.DrawFn) -> tuple[list[Reading], list[Reading]]:
    """A stream in event-time order, and the same with arrivals late by up to the allowed lateness."""
    stream = draw(streams)
    delays = draw(st.lists(st.integers(0, int(LATENESS.total_seconds())), min_size=len(stream), max_size=len(stream)))
    arrival = sorted(zip(stream, delays, strict=True), key=lambda pair: pair[0].time + timedelta(seconds=pair[1]))
    return stream, [each for each, _ in arrival]


@st.composite
def cut(draw: st.DrawFn) -> tuple[list[Reading], list[int]]:
    """Any arrival order, late ones included, and where batches end."""
    stream = draw(st.permutations(draw(streams)))
    cuts = draw(st.lists(st.integers(0, len(stream)), max_size=6))
    return list(stream), sorted({0, *cuts, len(stream)})


def _end(stream: list[Reading]) -> timedelta:
    newest = max((each.time for each in stream), default=at(0))
    return newest - at(0) + timedelta(hours=1)


def _whole(stream: list[Reading]) -> list[Finding]:
    whole = engine(SENSORS)
    return whole.observe(stream) + whole.release() + whole.advance(at(0) + _end(stream))


@quiet
@given(shuffled())
def test_order_of_arrival_within_the_lateness_changes_nothing(streams: tuple[list[Reading], list[Reading]]) -> None:
    in_order, mixed = streams
    assert _whole(mixed) == _whole(in_order)


@quiet
@given(cut())
def test_where_batches_end_changes_nothing(stream_and_cuts: tuple[list[Reading], list[int]]) -> None:
    stream, cuts = stream_and_cuts
    split = engine(SENSORS)
    found: list[Finding] = []
    for start, end in pairwise(cuts):
        found += split.observe(stream[start:end])
    found += split.release() + split.advance(at(0) + _end(stream))
    assert found == _whole(stream)


@quiet
@given(cut())
def test_a_restart_changes_nothing(stream_and_cuts: tuple[list[Reading], list[int]]) -> None:
    stream, cuts = stream_and_cuts
    current = engine(SENSORS)
    kept: dict[str, Mapping[str, Any]] = {}
    found: list[Finding] = []
    for start, end in pairwise(cuts):
        found += current.observe(stream[start:end])
        current = restarted(current, kept, SENSORS)
    found += current.release()
    current = restarted(current, kept, SENSORS)
    found += current.advance(at(0) + _end(stream))
    assert found == _whole(stream)


@quiet
@given(shuffled(), st.integers(1, 20))
def test_the_citys_time_may_be_told_often_or_once(streams: tuple[list[Reading], list[Reading]], size: int) -> None:
    in_order, mixed = streams
    often = engine(SENSORS)
    found: list[Finding] = []
    newest = at(0)
    for start in range(0, len(mixed), size):
        batch = mixed[start : start + size]
        found += often.observe(batch)
        newest = max(newest, *(each.time for each in batch))
        found += often.advance(newest)
    found += often.release() + often.advance(at(0) + _end(mixed))
    assert ordered(found) == ordered(_whole(in_order))


@quiet
@given(shuffled())
def test_every_reading_is_judged_or_counted(streams: tuple[list[Reading], list[Reading]]) -> None:
    _, mixed = streams
    counting = engine(SENSORS)
    counting.observe(mixed)
    counting.release()
    assert counting.counts.judged == len(mixed)
    counting.observe(mixed)
    counting.release()
    assert counting.counts.judged == len(mixed)
    assert counting.counts.late == len(mixed)


@quiet
@given(st.data())
def test_rows_of_a_zone_do_not_depend_on_arrival(data: st.DataObject) -> None:
    times = range(0, 60 * 8, 5)
    stream = [
        reading(each.id, minute, 300 + number + minute % 7 + (minute * number) % 3)
        for minute in times
        for number, each in enumerate(WATER)
    ]
    delays = data.draw(st.lists(st.integers(0, 119), min_size=len(stream), max_size=len(stream)))
    mixed = sorted(zip(stream, delays, strict=True), key=lambda pair: pair[0].time + timedelta(seconds=pair[1]))
    first, second = engine(WATER), engine(WATER)
    first.observe(stream)
    for each, _ in mixed:
        second.observe([each])
    first.release()
    second.release()
    name = "zone:water-neighbour-residual"
    assert first.changed_state()[name] == second.changed_state()[name]


@quiet
@given(shuffled(), st.integers(0, 80))
def test_what_was_said_does_not_depend_on_what_came_later(
    streams: tuple[list[Reading], list[Reading]], length: int
) -> None:
    _, mixed = streams
    whole, prefix = engine(SENSORS), engine(SENSORS)
    said = [finding for each in mixed for finding in whole.observe([each])] + whole.release()
    heard = [finding for each in mixed[:length] for finding in prefix.observe([each])]
    assert said[: len(heard)] == heard
    # Releasing judges what is held as if nothing else came: of moments that are over everywhere, that changes nothing.
    newest = max((each.time for each in mixed[:length]), default=at(0))
    settled = [each for each in heard + prefix.release() if each.time < newest - 2 * LATENESS]
    assert settled == [each for each in said if each.time < newest - 2 * LATENESS]


@quiet
@given(cut())
def test_bare_samples_are_judged_as_readings_are(stream_and_cuts: tuple[list[Reading], list[int]]) -> None:
    stream, _ = stream_and_cuts
    bare = engine(SENSORS)
    samples = [(each.time.timestamp(), each.sensor, each.value, int(each.quality)) for each in stream]
    assert bare.take(samples) + bare.release() + bare.advance(at(0) + _end(stream)) == _whole(stream)
