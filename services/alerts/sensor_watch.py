"""All rules that judge one sensor by itself."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from math import inf, isfinite, nan
from typing import Any

from services.alerts.detectors.contract import Detector, Score
from services.alerts.detectors.gap import Gap
from services.alerts.episode import Episode, Grounds, Place, configuration_hash, moment
from services.alerts.lifelines.contract import SensorRule
from services.alerts.score_log import ScoreLog
from services.core.finding import Finding, FindingState
from services.core.reading import Quality
from services.core.sensor import Sensor
from services.core.severity import Severity
from services.core.threshold import Threshold

REMEMBERED = 60
"""How many values around a finding its evidence shows."""


class _Judge:
    """One rule at one sensor: its detector and its episodes."""

    __slots__ = ("detector", "episode", "grades", "judges_bad", "learns", "rule")

    def __init__(self, rule: SensorRule, sensor: Sensor, grades: tuple[Threshold, ...]) -> None:
        self.rule = rule
        self.grades = grades
        self.detector = rule.detector(sensor)
        self.episode = Episode(rule, grades)
        self.judges_bad = rule.judges_bad
        self.learns = type(self.detector).learn is not Detector.learn

    def state(self) -> dict[str, Any]:
        parts = {"detector": self.detector.state(), "episode": self.episode.state()}
        return {name: part for name, part in parts.items() if part}

    def restore(self, state: Mapping[str, Any]) -> None:
        if "detector" in state:
            self.detector.restore(state["detector"])
        self.episode.restore(state.get("episode", {}))


class SensorWatch:
    """Judges the readings of one sensor in event time, in the order they are handed over.

    ``last_s`` is the event time of the last judged reading, seconds since 1970.
    """

    __slots__ = ("_judges", "_log", "_place", "_recent", "_sensor", "_tolerated_s", "changed", "last_s")

    def __init__(self, zone: str, sensor: Sensor, rules: Iterable[SensorRule], log: ScoreLog | None = None) -> None:
        self._log = log
        self._sensor = sensor
        self._place = Place(sensor.lifeline, zone, sensor.id, sensor.asset, (sensor.id,))
        self._tolerated_s = Gap(sensor.interval.total_seconds()).tolerated_s
        self._recent: deque[tuple[float, float]] = deque(maxlen=REMEMBERED)
        self._judges = [
            _Judge(rule, sensor, grades)
            for rule in rules
            if rule.applies_to(sensor) and (grades := rule.grades(sensor))
        ]
        self.last_s = -inf
        self.changed = False

    def judge(self, time_s: float, value: float, quality: int, into: list[Finding]) -> None:
        """Judge one reading later than ``last_s`` and append what there is to tell."""
        bad = quality == Quality.BAD
        good = quality == Quality.GOOD
        if isfinite(value):
            self._recent.append((time_s, value))
        if time_s - self.last_s > self._tolerated_s:
            for judge in self._judges:
                judge.episode.grading.interrupt()
        self.last_s = time_s
        self.changed = True
        for judge in self._judges:
            if bad and not judge.judges_bad:
                continue
            score = judge.detector.score(time_s, self._distrusted(value) if bad else value)
            if self._log is not None and judge.learns:
                self._log(time_s, f"{self._sensor.id}:{judge.rule.name}", score.value)
            told = judge.episode.judge(time_s, score)
            if told is not None:
                into.append(self._tell(judge, told, time_s, score))
            elif good and judge.learns and judge.episode.severity is Severity.NORMAL:
                judge.detector.learn(time_s, value)

    def _distrusted(self, value: float) -> float:
        """A bad value as the fault rules see it: itself when it is implausible, else no number."""
        low, high = self._sensor.plausible
        return nan if low <= value <= high else value

    def _tell(self, judge: _Judge, state: FindingState, time_s: float, score: Score) -> Finding:
        detector = judge.detector
        evidence = {
            **series({self._sensor.id: self._recent}),
            "configuration": configuration_hash(judge.rule, detector.configuration(), judge.grades),
        }
        low, high = self._sensor.plausible
        fields = {"unit": self._sensor.unit, "low": f"{low:g}", "high": f"{high:g}"}
        value = self._recent[-1][1] if self._recent else None
        grounds = Grounds(score, value, detector.name, detector.version, fields, evidence)
        return judge.episode.tell(state, self._place, time_s, grounds)

    def state(self) -> dict[str, Any]:
        """All that is remembered, as JSON."""
        return {
            "last_s": None if self.last_s == -inf else self.last_s,
            "recent": [list(point) for point in self._recent],
            "rules": {judge.rule.name: state for judge in self._judges if (state := judge.state())},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken; rules that are new since start afresh."""
        self.last_s = -inf if state["last_s"] is None else state["last_s"]
        self._recent = deque(((time_s, value) for time_s, value in state["recent"]), maxlen=REMEMBERED)
        for judge in self._judges:
            judge.restore(state["rules"].get(judge.rule.name, {}))


def series(values: Mapping[str, Sequence[tuple[float, float]] | deque[tuple[float, float]]]) -> dict[str, Any]:
    """Evidence of the values around a finding: the window and each sensor's ``[time, value]`` pairs."""
    times = [time_s for points in values.values() for time_s, _ in points]
    if not times:
        return {"window": None, "values": {}}
    return {
        "window": {"start": moment(min(times)).isoformat(), "end": moment(max(times)).isoformat()},
        "values": {
            sensor: [[moment(time_s).isoformat(), value] for time_s, value in points]
            for sensor, points in values.items()
        },
    }
