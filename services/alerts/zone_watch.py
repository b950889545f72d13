"""One rule that judges the sensors of a zone together, on a grid of event time."""

from collections import deque
from collections.abc import Mapping, Sequence
from math import ceil, isfinite, nan
from typing import Any

from services.alerts.detectors.contract import Score
from services.alerts.episode import Episode, Grounds, Place, configuration_hash
from services.alerts.lifelines.contract import ZoneRule
from services.alerts.sensor_watch import series
from services.core.finding import Finding, FindingState
from services.core.sensor import Sensor
from services.core.severity import Severity

REMEMBERED_ROWS = 36
_SHOWN = 3
"""How many sensors beside the first the evidence shows."""
_LONGEST_STEP_S = 1800.0


class ZoneWatch:
    """Fills the cells of the grid with the last value of each sensor and judges a row when its cell is over.

    A cell reaches from just after one grid moment to the next one, so that a reading exactly on the grid completes
    its row. Sensors that report more seldom than the rule's step widen the step, up to half an hour.
    """

    def __init__(self, zone: str, rule: ZoneRule, sensors: Sequence[Sensor]) -> None:
        self.rule = rule
        self._zone = zone
        self._sensors = sorted(sensors, key=lambda sensor: sensor.id)
        self._columns = {sensor.id: position for position, sensor in enumerate(self._sensors)}
        self._detector = rule.detector(self._sensors)
        self._episode = Episode(rule, rule.grades)
        slowest_s = max(sensor.interval.total_seconds() for sensor in sensors)
        self._step_s = max(rule.step.total_seconds(), min(slowest_s, _LONGEST_STEP_S))
        self._end_s: float | None = None
        self._row = [nan] * len(sensors)
        self._clean = True
        self._rows: deque[tuple[float, list[float]]] = deque(maxlen=REMEMBERED_ROWS)
        self._about: str | None = None
        self.changed = False

    def take(self, sensor: str, time_s: float, value: float, *, good: bool, into: list[Finding]) -> None:
        """A reading in event-time order."""
        if self._end_s is None or time_s > self._end_s:
            self._close(into)
            self._end_s = ceil(time_s / self._step_s) * self._step_s
        self._put(sensor, value, good=good)

    def take_late(self, sensor: str, time_s: float, value: float, *, good: bool) -> None:
        """A reading behind the watermark: it counts if its cell is still open."""
        if self._end_s is not None and self._end_s - self._step_s < time_s <= self._end_s:
            self._put(sensor, value, good=good)

    def _put(self, sensor: str, value: float, *, good: bool) -> None:
        self._row[self._columns[sensor]] = value if isfinite(value) else nan
        self._clean = self._clean and good
        self.changed = True

    def pass_time(self, time_s: float, into: list[Finding]) -> None:
        """Every reading before ``time_s`` has been taken."""
        if self._end_s is not None and self._end_s < time_s:
            self._close(into)

    def _close(self, into: list[Finding]) -> None:
        if self._end_s is None:
            return
        time_s, row, clean = self._end_s, self._row, self._clean
        self._end_s, self._row, self._clean = None, [nan] * len(row), True
        self.changed = True
        self._rows.append((time_s, row))
        score = self._detector.score(time_s, row)
        told = self._episode.judge(time_s, score)
        if told is not None:
            into.append(self._tell(told, time_s, score))
        elif clean and self._episode.severity is Severity.NORMAL:
            self._detector.learn(time_s, row)

    def _tell(self, state: FindingState, time_s: float, score: Score) -> Finding:
        # The episode stays with the sensor that showed it first, so that its findings meet in one alert.
        if state is FindingState.RAISED or self._about is None:
            self._about = score.column or self._sensors[0].id
        about = self._sensors[self._columns[self._about]]
        others = [name for name in (score.seen or {}).get("order", []) if name != about.id]
        shown = [about.id, *others[:_SHOWN]]
        place = Place(about.lifeline, self._zone, f"zone:{self.rule.name}", about.asset, tuple(shown))
        evidence = {
            **series({name: self._column(name) for name in shown}),
            "configuration": configuration_hash(self.rule, self._detector.configuration(), self.rule.grades),
        }
        fields = {"unit": about.unit, "count": str(len(self._sensors) - 1)}
        value = self._last(about.id)
        grounds = Grounds(score, value, self._detector.name, self._detector.version, fields, evidence)
        return self._episode.tell(state, place, time_s, grounds)

    def _column(self, sensor: str) -> list[tuple[float, float]]:
        position = self._columns[sensor]
        return [(time_s, row[position]) for time_s, row in self._rows if isfinite(row[position])]

    def _last(self, sensor: str) -> float | None:
        points = self._column(sensor)
        return points[-1][1] if points else None

    def state(self) -> dict[str, Any]:
        """All that is remembered, as JSON; columns are named, so that sensors may come and go."""
        return {
            "columns": list(self._columns),
            "end_s": self._end_s,
            "row": _packed(self._row),
            "clean": self._clean,
            "rows": [[time_s, _packed(row)] for time_s, row in self._rows],
            "about": self._about,
            "episode": self._episode.state(),
            "detector": self._detector.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken; with other sensors than then, start afresh."""
        if state["columns"] != list(self._columns):
            return
        self._end_s = state["end_s"]
        self._row = _unpacked(state["row"])
        self._clean = state["clean"]
        self._rows = deque(((time_s, _unpacked(row)) for time_s, row in state["rows"]), maxlen=REMEMBERED_ROWS)
        self._about = state["about"]
        self._episode.restore(state["episode"])
        self._detector.restore(state["detector"])


def _packed(row: Sequence[float]) -> list[float | None]:
    return [value if isfinite(value) else None for value in row]


def _unpacked(row: Sequence[float | None]) -> list[float]:
    return [nan if value is None else value for value in row]
