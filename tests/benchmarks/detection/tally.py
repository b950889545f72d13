"""What every family is counted in, whatever its own measure is: found, false, late."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Self

from services.alerts.tracing.city_graph import CityGraph
from services.backtest.report.judgement import judge
from services.backtest.report.result_folder import read_result
from services.backtest.report.truth import read_truth
from services.core.recorded_city import recorded_city
from services.core.recording import read_recording

MONTH = timedelta(days=365.25 / 12)


@dataclass(slots=True)
class Tally:
    """Troubles of the truth and those found; false alarms; how late; and over how many months of sensors.

    ``faults`` are alerts about devices, which belong to no trouble and are no false alarms.
    """

    recordings: int = 0
    troubles: int = 0
    found: int = 0
    false: int = 0
    faults: int = 0
    sensor_months: float = 0.0
    delays: list[timedelta] = field(default_factory=list)

    def __iadd__(self, other: "Tally") -> Self:
        self.recordings += other.recordings
        self.troubles += other.troubles
        self.found += other.found
        self.false += other.false
        self.faults += other.faults
        self.sensor_months += other.sensor_months
        self.delays += other.delays
        return self

    @property
    def false_a_sensor_month(self) -> float:
        """False alarms that a sensor causes in a month; 0 where nothing was judged."""
        return self.false / self.sensor_months if self.sensor_months else 0.0

    @property
    def median_delay(self) -> timedelta | None:
        """Half of what was found was found sooner."""
        return middle(self.delays)


def middle(delays: list[timedelta]) -> timedelta | None:
    """The median; ``None`` where nothing was found."""
    return timedelta(seconds=median(delay.total_seconds() for delay in delays)) if delays else None


def told(delay: timedelta | None) -> str:
    """A delay in the largest unit of which it is two or more."""
    if delay is None:
        return "–"
    for unit, name in ((timedelta(days=1), "d"), (timedelta(hours=1), "h"), (timedelta(minutes=1), "min")):
        if delay >= 2 * unit:
            return f"{delay / unit:.1f} {name}"
    return f"{delay.total_seconds():.0f} s"


def scored(out: Path, path: Path) -> tuple[datetime, datetime]:
    """The time over which a backtest is judged, as far as there are readings."""
    result, recording = read_result(out), read_recording(path)
    learnt = result.summary["learn_until"]
    begin = result.begin if learnt is None else datetime.fromisoformat(learnt)
    return begin, result.end if recording.scored is None else min(result.end, recording.scored[1])


def tally(out: Path, path: Path) -> Tally:
    """The alerts against the truth in the plain way of the report: raised while the trouble ran, or not."""
    recording, result = read_recording(path), read_result(out)
    city = recorded_city(recording)
    interval = timedelta(seconds=max(sensor.interval_s for sensor in recording.sensors.values()))
    begin, end = scored(out, path)
    troubles = [trouble for trouble in read_truth(path) if begin <= trouble.end and trouble.start <= end]
    judgement = judge(result.alerts, troubles, CityGraph(city.assets, city.links), begin, interval)
    return Tally(
        recordings=1,
        troubles=len(judgement.troubles),
        found=len(judgement.first),
        false=judgement.false_count,
        faults=sum(judged.alert.is_fault and not judged.is_before for judged in judgement.alerts),
        sensor_months=len(recording.sensors) * ((end - begin) / MONTH),
        delays=[judged.delay for judged in judgement.first.values() if judged.delay is not None],
    )
