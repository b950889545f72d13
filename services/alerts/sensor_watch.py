"""All rules that judge one sensor by itself."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from math import inf, isfinite, nan
from typing import Any

from services.alerts import detector_memory, new_normal
from services.alerts.detectors.contract import Score
from services.alerts.episode import Grounds, Place, configuration_hash, moment
from services.alerts.failures import Failures
from services.alerts.late_watch import LateWatch
from services.alerts.lifelines.contract import SensorRule
from services.alerts.score_log import ScoreLog
from services.alerts.sensor_judge import SensorJudge
from services.core.finding import Finding, FindingState
from services.core.new_normal import NewNormalOutcome
from services.core.reading import Quality
from services.core.sensor import Sensor
from services.core.severity import Severity

REMEMBERED = 60
"""How many values around a finding its evidence shows."""
_GOOD, _BAD = int(Quality.GOOD), int(Quality.BAD)


class SensorWatch:
    """Judges the readings of one sensor in event time, in the order they are handed over.

    ``last_s`` is the event time of the last judged reading, seconds since 1970.
    """

    __slots__ = (
        "_all",
        "_failures",
        "_faults",
        "_judges",
        "_late",
        "_log",
        "_place",
        "_recent",
        "_resting",
        "_sensor",
        "_tolerated_s",
        "last_s",
    )

    def __init__(
        self,
        zone: str,
        sensor: Sensor,
        rules: Iterable[SensorRule],
        log: ScoreLog | None = None,
        failures: Failures | None = None,
    ) -> None:
        self._log = log
        self._sensor = sensor
        self._failures = failures or Failures(zone)
        self._place = Place(sensor.lifeline, zone, sensor.id, sensor.asset, (sensor.id,))
        self._tolerated_s = sensor.tolerated_silence_s
        self._recent: deque[tuple[float, float]] = deque(maxlen=REMEMBERED)
        self._all = [judge for rule in rules if rule.applies_to(sensor) and (judge := self._judge_of(rule)) is not None]
        self._judges = list(self._all)
        self._faults = [judge for judge in self._all if judge.rule.kind.sensor_fault]
        self._resting = False
        self._late: LateWatch | None = None
        self.last_s = -inf

    def _judge_of(self, rule: SensorRule) -> SensorJudge | None:
        try:
            grades = rule.grades(self._sensor)
            return SensorJudge(rule, self._sensor, grades) if grades else None
        except Exception as error:  # noqa: BLE001  # whatever a rule's own code meets, it stops nobody else
            self._failures.unbuilt(rule.name, self._sensor.id, error)
            return None

    def judge(self, time_s: float, value: float, quality: int, into: list[Finding]) -> None:
        """Judge one reading later than ``last_s`` and append what there is to tell."""
        bad, good = quality == _BAD, quality == _GOOD
        if isfinite(value):
            self._recent.append((time_s, value))
        if time_s - self.last_s > self._tolerated_s:
            for judge in self._all:
                judge.grading.interrupt()
        self.last_s = time_s
        if self._resting:
            self._wake(time_s)
        seen = self._distrusted(value) if bad else value
        for judge in self._judges:
            grading = judge.grading
            # A limit that is far off and a bad value cost nothing: every reading of the city passes here.
            if (judge.is_limit and grading.idle and grading.low < seen < grading.high) or (
                bad and not judge.judges_bad
            ):
                continue
            told = None
            try:
                told = judge.ask(time_s, seen, good=good, log=self._log)
                if told is not None:
                    into.append(self._tell(judge, told[0], time_s, told[1]))
            except Exception as error:  # noqa: BLE001  # whatever a detector's own code meets, it stops nobody else
                self._set_aside(judge, time_s, error, untold=told is not None and told[0] is FindingState.RAISED)
        if self._late is not None and not bad:
            self._late.go_on(time_s, value, self._all, into)

    def _set_aside(self, judge: SensorJudge, time_s: float, error: Exception, *, untold: bool) -> None:
        judge.fail(time_s, error, self._failures, untold=untold)
        self._wake(time_s)

    def _wake(self, time_s: float) -> None:
        """Ask those whose rest is over, and no others."""
        self._judges = [judge for judge in self._all if judge.rest.until_s <= time_s]
        self._resting = len(self._judges) < len(self._all)

    @property
    def is_faulty(self) -> bool:
        """Whether a rule tells now that the sensor itself is at fault."""
        return any(judge.episode.severity is not Severity.NORMAL for judge in self._faults)

    def judge_late(self, time_s: float, value: float, quality: int, into: list[Finding]) -> bool:
        """Ask the limits about a reading not later than ``last_s`` (``late_readings.py``); whether it was new."""
        if quality == _BAD or not isfinite(value):
            return False
        if self._late is None:
            self._late = LateWatch(self._place, self._sensor, self._tolerated_s)
        return self._late.judge((time_s, value), self._recent, self._all, into)

    def accept(self, rule: str, into: list[Finding]) -> NewNormalOutcome:
        """Let a rule learn afresh, because a person says that nothing is wrong."""
        judge = next((judge for judge in self._all if judge.rule.name == rule), None)
        if judge is None or not judge.learns:
            return NewNormalOutcome.REFUSED
        if judge.episode.severity is not Severity.NORMAL:
            into.append(new_normal.ending(judge.episode, self._place, self.last_s, self._grounds(judge, Score(0.0))))
        judge.begin_afresh()
        return NewNormalOutcome.TAKEN

    def _distrusted(self, value: float) -> float:
        """A bad value as the fault rules see it: itself when it is implausible, else no number."""
        low, high = self._sensor.plausible
        return nan if low <= value <= high else value

    def _tell(self, judge: SensorJudge, state: FindingState, time_s: float, score: Score) -> Finding:
        return judge.episode.tell(state, self._place, time_s, self._grounds(judge, score))

    def _grounds(self, judge: SensorJudge, score: Score) -> Grounds:
        detector = judge.detector
        evidence = {
            **series({self._sensor.id: self._recent}),
            "configuration": configuration_hash(judge.rule, detector.configuration(), judge.grades),
            "model": detector_memory.model_of(detector),
        }
        low, high = self._sensor.plausible
        fields = {"unit": self._sensor.unit, "low": f"{low:g}", "high": f"{high:g}"}
        value = self._recent[-1][1] if self._recent else None
        return Grounds(score, value, detector.name, detector.version, fields, evidence)

    def state(self) -> dict[str, Any]:
        """All that is remembered, as JSON."""
        state: dict[str, Any] = {
            "last_s": None if self.last_s == -inf else self.last_s,
            "recent": [list(point) for point in self._recent],
            "rules": {judge.rule.name: part for judge in self._all if (part := judge.state())},
        }
        if self._late is not None and (late := self._late.state()):
            state["late"] = late
        return state

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken; rules that are new since start afresh."""
        self.last_s = -inf if state["last_s"] is None else state["last_s"]
        self._recent = deque(((time_s, value) for time_s, value in state["recent"]), maxlen=REMEMBERED)
        for judge in self._all:
            judge.restore(state["rules"].get(judge.rule.name, {}), self._failures)
        self._wake(self.last_s)
        if "late" in state:
            self._late = LateWatch(self._place, self._sensor, self._tolerated_s)
            self._late.restore(state["late"])


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
