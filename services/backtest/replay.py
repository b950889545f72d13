"""A recording's readings through the engines, in event time: readings in, findings out, in a fixed order."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf

import numpy as np
from numpy.typing import NDArray

from services.alerts.detectors.gap import Gap
from services.alerts.zone_engine import Sample, ZoneEngine
from services.core.finding import Finding
from services.core.reading import Quality
from services.core.recorded_readings import RecordedReadings
from services.core.sensor import Sensor

_READINGS_AT_ONCE = 5000
_MICROSECONDS = 1e6
Progress = Callable[[int, int], None]
"""Called with how many readings are done and how many there are."""


def marked(readings: RecordedReadings, sensors: Sequence[Sensor]) -> RecordedReadings:
    """The readings with those marked bad that no working device could report, as the ingest marks them."""
    lows = np.array([sensor.plausible[0] for sensor in sensors])
    highs = np.array([sensor.plausible[1] for sensor in sensors])
    values, positions = readings.values, readings.positions
    implausible = (values < lows[positions]) | (values > highs[positions])
    qualities = np.where(implausible, np.int8(Quality.BAD), readings.qualities)
    return RecordedReadings(readings.sensors, readings.times_us, positions, values, qualities)


def replay(
    readings: RecordedReadings, sensors: Sequence[Sensor], engines: Mapping[str, ZoneEngine], progress: Progress
) -> Iterator[tuple[float, list[Finding]]]:
    """Findings in the order of (time, what they are about, identifier), with the moment up to which all are told.

    ``readings`` are in order of time and numbered like ``sensors``; ``engines`` are by zone. Readings of one moment are
    judged together, so that their order does not matter. Of the last moment everything is told that its readings say
    by themselves; what only the time after it can tell (a row that may not be complete, a sensor that is not heard) is
    not. So a shorter recording gives the beginning of what a longer one gives.
    """
    waiting: list[Finding] = []
    names = [sensor.id for sensor in sensors]
    zones = list(engines)
    zone_of = np.array([zones.index(sensor.zone) if sensor.zone in engines else -1 for sensor in sensors])
    total, begin, before_s = len(readings), 0, -inf
    for end in _ends(readings.times_us):
        part = readings.take(slice(begin, end))
        in_zone = zone_of[part.positions]
        for number, zone in enumerate(zones):
            of_zone = part.take(np.flatnonzero(in_zone == number))
            waiting += engines[zone].take(_samples(of_zone, names))
        # Nothing that comes now can be told about an earlier moment than the last one of the part before.
        yield before_s, _settled(waiting, before_s)
        begin, before_s = end, int(part.times_us[-1]) / _MICROSECONDS
        progress(end, total)
    for engine in engines.values():
        waiting += engine.release()
    yield inf, _settled(waiting, inf)


def _samples(part: RecordedReadings, names: Sequence[str]) -> list[Sample]:
    times_s = (part.times_us / _MICROSECONDS).tolist()
    sensors = [names[position] for position in part.positions.tolist()]
    return list(zip(times_s, sensors, part.values.tolist(), part.qualities.tolist(), strict=True))


def _ends(times_us: NDArray[np.int64]) -> Iterator[int]:
    """Where to cut the readings into parts, never between two of the same moment."""
    begin, total = 0, len(times_us)
    while begin < total:
        last = min(begin + _READINGS_AT_ONCE, total) - 1
        begin = int(np.searchsorted(times_us, times_us[last], side="right"))
        yield begin


def _settled(waiting: list[Finding], before_s: float) -> list[Finding]:
    """Take out the findings that nothing can come before any more."""
    settled = sorted((finding for finding in waiting if finding.time.timestamp() < before_s), key=_order)
    waiting[:] = [finding for finding in waiting if finding.time.timestamp() >= before_s]
    return settled


def _order(finding: Finding) -> tuple[float, bool, str]:
    """What a sensor's own values say comes before what only the time after them tells."""
    needs_later_time = finding.target.startswith("zone:") or finding.detector == Gap.name
    return finding.time.timestamp(), needs_later_time, finding.id
