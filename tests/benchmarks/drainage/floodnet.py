"""Real street floodings (FloodNet): what was forecast during each, judged by how it went on."""

import csv
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from services.alerts.forecast.depth_forecast import DepthForecast
from services.alerts.forecast.forecast_lessons import Kind, Lessons, Observed, feed
from services.alerts.forecast.forecast_walk import Schooling
from services.alerts.forecast.low_points import LowPoint
from services.core.recorded_readings import read_readings
from services.core.recording import Recording, moment_of
from services.core.units import conversion

CROSSED_CM = 10.0
"""The depth whose crossing is foretold: 100 mm."""
EARLY_S = 600.0
_ASKED_EVERY_S = 120.0
_MICROSECONDS = 1e6


class Flooding(NamedTuple):
    """One line of the truth, depths in cm."""

    sensor: str
    start_s: float
    end_s: float
    peak_cm: float


@dataclass(frozen=True, slots=True)
class Foretold:
    """What was said during a flooding.

    At ten minutes: the greatest depth and the rise of the last ten minutes (cm), the peak forecast with its 80 % range
    (``None`` where nothing was said) and the probability to cross. Then each moment before the crossing with that
    probability, and when it was crossed, if it was.
    """

    flooding: Flooding
    max_cm: float
    rise_cm: float
    peak_cm: tuple[float, float, float] | None
    crossing: float
    warnings: tuple[tuple[float, float], ...]
    crossed_s: float | None

    @property
    def day(self) -> str:
        """The day it began, UTC."""
        return datetime.fromtimestamp(self.flooding.start_s, UTC).date().isoformat()


def forecast_of(recording: Recording) -> DepthForecast:
    """A forecast for every sensor of a recording, whose sensors report only floodings."""
    points = [
        LowPoint(sensor.sensor, sensor.lon, sensor.lat)
        for sensor in recording.sensors.values()
        if sensor.lon is not None and sensor.lat is not None
    ]
    return DepthForecast(points, grades_cm=(CROSSED_CM,), reports_when_dry=False)


def _centimetres_of(unit: str) -> float:
    found = conversion(unit, "cm")
    assert found is not None, f"{unit} is no unit of depth"
    return found.scale


def history_of(recording: Recording) -> list[Observed]:
    """Every depth in cm, in the order of time."""
    readings = read_readings(recording)
    a_cm = [_centimetres_of(recording.sensors[sensor].unit) for sensor in readings.sensors]
    rows = zip(readings.times_us.tolist(), readings.positions.tolist(), readings.values.tolist(), strict=True)
    return sorted(
        Observed(time_us / _MICROSECONDS, Kind.DEPTH, readings.sensors[position], value * a_cm[position])
        for time_us, position, value in rows
    )


def read_floodings(folder: Path) -> list[Flooding]:
    """The truth, by the time each began."""
    with (folder / "truth.csv").open(encoding="utf-8", newline="") as file:
        rows = [
            Flooding(
                row["asset"],
                moment_of(row["start"]).timestamp(),
                moment_of(row["end"]).timestamp(),
                float(row["peak"]) * _centimetres_of(row["unit"]),
            )
            for row in csv.DictReader(file)
        ]
    return sorted(rows, key=lambda row: (row.start_s, row.sensor))


class _Question(NamedTuple):
    time_s: float
    flooding: int
    is_early: bool


def foretold(
    recording: Recording, history: Sequence[Observed], lessons: Lessons, span: tuple[float, float]
) -> list[Foretold]:
    """What a forecast says during the floodings that begin in ``span``; it learns until then and each quarter in it."""
    floodings = [each for each in read_floodings(recording.folder) if span[0] <= each.start_s < span[1]]
    depths = _depths(history)
    forecast, schooling = forecast_of(recording), Schooling(lessons)
    at, answers = 0, _Answers(len(floodings))
    for question in sorted(_questions(floodings, depths)):
        while at < len(history) and history[at].time_s <= question.time_s:
            feed(forecast, history[at])
            at += 1
        schooling.teach(forecast, question.time_s)
        answers.take(question, forecast, floodings[question.flooding].sensor)
    return [answers.of(number, flooding, depths[flooding.sensor]) for number, flooding in enumerate(floodings)]


class _Answers:
    def __init__(self, count: int) -> None:
        self._early: list[tuple[tuple[float, float, float], float] | None] = [None] * count
        self._warnings: list[list[tuple[float, float]]] = [[] for _ in range(count)]

    def take(self, question: _Question, forecast: DepthForecast, sensor: str) -> None:
        told = forecast.forecasts(question.time_s, [sensor])
        if not told:
            return
        crossing = told[0].passing[CROSSED_CM]
        if question.is_early:
            self._early[question.flooding] = (told[0].peak, crossing)
        else:
            self._warnings[question.flooding].append((question.time_s, crossing))

    def of(self, number: int, flooding: Flooding, depths: tuple[list[float], list[float]]) -> Foretold:
        times_s, depths_cm = depths
        begin = bisect_right(times_s, flooding.start_s - 1)
        early = bisect_right(times_s, flooding.start_s + EARLY_S)
        peak, crossing = self._early[number] or (None, 0.0)
        # Within ten minutes of the begin all of the rise is the rise of the last ten minutes.
        return Foretold(
            flooding=flooding,
            max_cm=max(depths_cm[begin:early], default=0.0),
            rise_cm=depths_cm[early - 1] - depths_cm[begin] if early > begin else 0.0,
            peak_cm=peak,
            crossing=crossing,
            warnings=tuple(self._warnings[number]),
            crossed_s=_crossed_s(flooding, times_s, depths_cm),
        )


def _questions(
    floodings: Sequence[Flooding], depths: dict[str, tuple[list[float], list[float]]]
) -> Iterator[_Question]:
    for number, flooding in enumerate(floodings):
        times_s, depths_cm = depths[flooding.sensor]
        yield _Question(flooding.start_s + EARLY_S, number, is_early=True)
        crossed_s = _crossed_s(flooding, times_s, depths_cm)
        begin = bisect_right(times_s, flooding.start_s - 1)
        asked_s = float("-inf")
        for time_s in times_s[begin : bisect_right(times_s, flooding.end_s)]:
            if crossed_s is not None and time_s >= crossed_s:
                break
            if time_s - asked_s >= _ASKED_EVERY_S:
                asked_s = time_s
                yield _Question(time_s, number, is_early=False)


def _crossed_s(flooding: Flooding, times_s: list[float], depths_cm: list[float]) -> float | None:
    span = range(bisect_right(times_s, flooding.start_s - 1), bisect_right(times_s, flooding.end_s))
    return next((times_s[index] for index in span if depths_cm[index] > CROSSED_CM), None)


def _depths(history: Sequence[Observed]) -> dict[str, tuple[list[float], list[float]]]:
    found: dict[str, tuple[list[float], list[float]]] = {}
    for reading in history:
        times_s, depths_cm = found.setdefault(reading.source, ([], []))
        times_s.append(reading.time_s)
        depths_cm.append(reading.value)
    return found
