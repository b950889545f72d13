"""Late readings of one sensor before the limits, and what is told of them."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from services.alerts.detectors.contract import Score
from services.alerts.episode import Grounds, Place, as_json, configuration_hash, finding, moment
from services.alerts.late_readings import REMEMBERED, LateTrouble, Point, late_trouble
from services.alerts.sensor_judge import SensorJudge
from services.core.finding import Finding, FindingState
from services.core.sensor import Sensor
from services.core.severity import Severity
from services.core.text import Text

_CAME_LATE = Text("Came late: {said}", "迟到数据：{said}")


class LateWatch:
    """Tells of troubles that only show with readings which came after their moment was judged.

    They are told under a target of their own, so that they neither end nor prolong what is said of the present.
    """

    def __init__(self, place: Place, sensor: Sensor, tolerated_s: float) -> None:
        self._place = replace(place, target=f"{place.target}:late")
        self._sensor = sensor
        self._tolerated_s = tolerated_s
        self._points: deque[Point] = deque(maxlen=REMEMBERED)
        self._lasting: dict[str, float] = {}

    def judge(self, late: Point, recent: Iterable[Point], judges: Sequence[SensorJudge], into: list[Finding]) -> bool:
        """Ask the limits about a late reading among the ``recent`` ones that were judged in time; whether it is new."""
        known = {**dict(recent), **dict(self._points)}
        if known.get(late[0]) == late[1]:
            return False
        for judge in judges:
            if judge.is_limit and (trouble := late_trouble(known.items(), late, judge.grades, self._tolerated_s)):
                self._tell(judge, trouble, {**known, late[0]: late[1]}, into)
        self._points.append(late)
        return True

    def _tell(
        self, judge: SensorJudge, trouble: LateTrouble, known: Mapping[float, float], into: list[Finding]
    ) -> None:
        name, since_s = judge.rule.name, trouble.since_s
        into.append(self._finding(judge, FindingState.RAISED, trouble, (since_s, trouble.known_s), known))
        if trouble.over is None:
            self._lasting.setdefault(name, since_s)
        elif name not in self._lasting:
            over = trouble._replace(severity=Severity.NORMAL, value=trouble.over[1], holding=())
            into.append(self._finding(judge, FindingState.CLEARED, over, (since_s, trouble.over[0]), known))

    def go_on(self, time_s: float, value: float, judges: Sequence[SensorJudge], into: list[Finding]) -> None:
        """A reading was judged in time: what came late and still lasted is over when its limits are quiet now."""
        if not self._lasting:
            return
        for judge in judges:
            if judge.rule.name in self._lasting and judge.grading.idle:
                since_s = self._lasting.pop(judge.rule.name)
                over = LateTrouble(Severity.NORMAL, (), since_s, time_s, value, None)
                into.append(self._finding(judge, FindingState.CLEARED, over, (since_s, time_s), {time_s: value}))

    def _finding(
        self,
        judge: SensorJudge,
        state: FindingState,
        trouble: LateTrouble,
        span: tuple[float, float],
        known: Mapping[float, float],
    ) -> Finding:
        rule, detector, holding = judge.rule, judge.detector, trouble.holding
        times = [time_s for time_s in sorted(known) if abs(time_s - span[1]) <= max(span[1] - span[0], self._around_s)]
        evidence = {
            "window": {"start": moment(times[0]).isoformat(), "end": moment(times[-1]).isoformat()},
            "values": {self._sensor.id: [[moment(time_s).isoformat(), known[time_s]] for time_s in times]},
            "configuration": configuration_hash(rule, detector.configuration(), judge.grades),
            "threshold": as_json(holding[-1]) if holding else None,
            "reached": [as_json(threshold) for threshold in holding],
            "expected": None,
            "seen": {},
            "came_late": True,
        }
        low, high = self._sensor.plausible
        fields = {"unit": self._sensor.unit, "low": f"{low:g}", "high": f"{high:g}"}
        limit = holding[-1].raise_at if holding else None
        grounds = Grounds(Score(trouble.value), trouble.value, detector.name, detector.version, fields, evidence, limit)
        said = replace(rule, raised=_late(rule.raised), cleared=_late(rule.cleared))
        return finding(said, state, self._place, severity=trouble.severity, span=span, grounds=grounds)

    @property
    def _around_s(self) -> float:
        """How much time around a late trouble its evidence shows."""
        return REMEMBERED / 2 * self._sensor.interval.total_seconds()

    def state(self) -> dict[str, Any]:
        """The late readings that are remembered, and since when what is told of them lasts; empty at rest."""
        if not self._points:
            return {}
        return {"points": [list(point) for point in self._points], "lasting": dict(self._lasting)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken."""
        self._points = deque(((time_s, value) for time_s, value in state["points"]), maxlen=REMEMBERED)
        self._lasting = dict(state["lasting"])


def _late(sentence: Text) -> Text:
    return Text(_CAME_LATE.en.replace("{said}", sentence.en), _CAME_LATE.zh.replace("{said}", sentence.zh))
