"""A recording through the rules of the live service, in event time: what would have been raised, when, and where."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np

from services.alerts import lifelines, surroundings
from services.alerts.alert_merge import Sources
from services.alerts.lifelines.contract import LifelineRules
from services.alerts.score_log import ScoreLog
from services.alerts.tracing.city_graph import CityGraph
from services.alerts.zone_engine import ZoneEngine
from services.backtest.alert_book import AlertBook, KnownAlert
from services.backtest.forecast_file import ForecastFile
from services.backtest.recorded_sensors import recorded_sensors
from services.backtest.replay import Progress, marked, replay
from services.backtest.result_files import ALERTS, FORECAST, SCORES, SUMMARY, write_alerts, write_summary
from services.backtest.score_file import ScoreFile
from services.core.lifeline import Lifeline
from services.core.network_file import NetworkFile
from services.core.recorded_city import carried_by, recorded_city
from services.core.recorded_readings import RecordedReadings, datetime_of, read_readings
from services.core.recording import Recording
from services.core.sensor import Sensor

_ALLOWED_LATENESS = timedelta(0)
"""A recording is put in order of time first, so nothing is late in it."""
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Result:
    """What a backtest found, and what it cost.

    ``readings`` were replayed; ``late`` of them repeat a moment of their sensor, ``unjudged`` belong to a lifeline
    without rules. ``failures`` counts by rule how often a detector failed and was set aside. ``seconds`` is the time in
    the engines, without reading the files.
    """

    recording: str
    alerts: list[KnownAlert]
    readings: int
    late: int
    unjudged: int
    failures: Mapping[str, int]
    scores: int | None
    forecasts: int
    first: datetime | None
    last: datetime | None
    learn_until: datetime | None
    network: NetworkFile | None
    loading_seconds: float
    seconds: float

    @property
    def by_kind(self) -> dict[str, int]:
        """How many alerts there are of each kind."""
        return dict(sorted(Counter(known.raised.kind for known in self.alerts).items()))


def run_backtest(
    recording: Recording,
    out: Path,
    *,
    until: datetime | None = None,
    with_scores: bool = True,
    progress: Progress = lambda _done, _total: None,
    rules: Mapping[Lifeline, LifelineRules] | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Result:
    """Replay a recording up to ``until`` and write what comes of it into a folder.

    Everything is read and checked before anything is judged or written. ``rules`` are those of the live service unless
    others are given. ``clock`` (seconds) measures the cost and decides nothing.

    Raises:
        RecordingError: the recording is broken; nothing is written then.
    """
    started = clock()
    declared = lifelines.discover() if rules is None else rules
    city = recorded_city(recording)
    assets = {asset.id: asset for asset in city.assets}
    sensors = recorded_sensors(recording, declared, assets)
    readings = read_readings(recording).in_order()
    if until is not None:
        readings = readings.before(until)
    readings = marked(readings, sensors)
    learn_until = learning_ends(recording, readings)
    book = AlertBook(
        (kind for each in declared.values() for kind in each.kinds),
        Sources(CityGraph(city.assets, city.links), {sensor.id: sensor.asset for sensor in sensors}),
    )
    out.mkdir(parents=True, exist_ok=True)
    for name in (ALERTS, SCORES, FORECAST, SUMMARY):
        (out / name).unlink(missing_ok=True)
    loaded = clock()
    with ExitStack() as stack:
        scores = None
        if with_scores:
            file = (out / SCORES).open("w", encoding="utf-8", newline="")
            scores = stack.enter_context(ScoreFile(file, declared.values()))
        networks = {} if city.network is None else {carried_by(recording, city.network): city.network}
        log = None if scores is None else scores.take
        around = surroundings.by_zone(city.assets, city.links, {sensor.zone for sensor in sensors}, city.works)
        engines = _engines(sensors, declared, _Ground(networks, around), learn_until, log)
        forecasts = stack.enter_context(ForecastFile(out / FORECAST))
        for before_s, findings in replay(readings, sensors, engines, progress):
            for finding in findings:
                book.take(finding)
            for engine in engines.values():
                forecasts.take(engine.take_forecasts())
            forecasts.settle(before_s)
            if scores is not None:
                scores.settle(before_s)
    result = Result(
        recording=recording.name,
        alerts=book.alerts,
        readings=len(readings),
        late=sum(engine.counts.late for engine in engines.values()),
        unjudged=_unjudged(readings, sensors, engines),
        failures=sum((engine.failures.by_rule for engine in engines.values()), Counter[str]()),
        scores=None if scores is None else scores.rows,
        forecasts=forecasts.rows,
        first=datetime_of(int(readings.times_us[0])) if len(readings) else None,
        last=datetime_of(int(readings.times_us[-1])) if len(readings) else None,
        learn_until=learn_until,
        network=city.network,
        loading_seconds=loaded - started,
        seconds=clock() - loaded,
    )
    write_alerts(out / ALERTS, result.alerts)
    write_summary(out / SUMMARY, result)
    return result


def learning_ends(recording: Recording, readings: RecordedReadings) -> datetime | None:
    """When the history ends from which one may learn before anything is scored; ``None`` where nobody says.

    Where the first rows are normal it is the time of the last of them. A recording with fewer rows is history as a
    whole, as its beginning is in a longer one.
    """
    if recording.scored is not None:
        return recording.scored[0]
    if recording.learn_rows is None or not len(readings):
        return None
    times_us = np.unique(readings.times_us)
    if len(times_us) < recording.learn_rows:
        return datetime_of(int(times_us[-1])) + _MICROSECOND
    return datetime_of(int(times_us[recording.learn_rows - 1]))


class _Ground(NamedTuple):
    """The models of the lifelines' pipes, and what stands around the sensors of each zone."""

    networks: Mapping[Lifeline, NetworkFile]
    surroundings: Mapping[str, surroundings.Surroundings]


def _engines(
    sensors: Iterable[Sensor],
    rules: Mapping[Lifeline, LifelineRules],
    ground: _Ground,
    learn_until: datetime | None,
    log: ScoreLog | None,
) -> dict[str, ZoneEngine]:
    """One engine a zone, which is one a lifeline that has rules."""
    by_zone: dict[str, list[Sensor]] = {}
    for sensor in sensors:
        if sensor.lifeline in rules:
            by_zone.setdefault(sensor.zone, []).append(sensor)
    return {
        zone: ZoneEngine(
            zone,
            rules[members[0].lifeline],
            sorted(members, key=lambda sensor: sensor.id),
            allowed_lateness=_ALLOWED_LATENESS,
            network=ground.networks.get(members[0].lifeline),
            learn_until=learn_until,
            surroundings=ground.surroundings[zone],
            log=log,
        )
        for zone, members in sorted(by_zone.items())
    }


def _unjudged(readings: RecordedReadings, sensors: list[Sensor], engines: Mapping[str, ZoneEngine]) -> int:
    left_out = [position for position, sensor in enumerate(sensors) if sensor.zone not in engines]
    return int(np.isin(readings.positions, left_out).sum())
