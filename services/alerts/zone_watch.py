"""One rule that judges the sensors of a zone together, on a grid of event time."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.alerts.detectors.contract import Score
from services.alerts.episode import Episode, Grounds, Place, configuration_hash
from services.alerts.lifelines.contract import ZoneRule
from services.alerts.row_grid import RowGrid
from services.alerts.score_log import ScoreLog
from services.alerts.sensor_watch import series
from services.core.finding import Finding, FindingState
from services.core.sensor import Sensor
from services.core.severity import Severity

_SHOWN = 3
"""How many sensors beside the first the evidence shows."""


class ZoneWatch:
    """Judges the rows of one rule in one zone."""

    def __init__(self, zone: str, rule: ZoneRule, sensors: Sequence[Sensor], log: ScoreLog | None = None) -> None:
        self.name = rule.name
        self.quantities = rule.quantities
        self.grid = RowGrid(sensors, rule.step.total_seconds(), self._judge)
        self._rule = rule
        self._zone = zone
        self._log = log
        self._detector = rule.detector(self.grid.sensors)
        self._episode = Episode(rule, rule.grades)
        self._about: str | None = None

    def _judge(self, time_s: float, row: list[float], clean: bool, into: list[Finding]) -> None:
        score = self._detector.score(time_s, row)
        if self._log is not None:
            self._log(time_s, f"zone:{self.name}", score.value)
        told = self._episode.judge(time_s, score)
        if told is not None:
            into.append(self._tell(told, time_s, score))
        elif clean and self._episode.severity is Severity.NORMAL:
            self._detector.learn(time_s, row)

    def _tell(self, state: FindingState, time_s: float, score: Score) -> Finding:
        # The episode stays with the sensor that showed it first, so that its findings meet in one alert.
        if state is FindingState.RAISED or self._about is None:
            self._about = score.column or self.grid.sensors[0].id
        about = self.grid.sensors[self.grid.columns[self._about]]
        others = [name for name in (score.seen or {}).get("order", []) if name != about.id]
        shown = [about.id, *others[:_SHOWN]]
        place = Place(about.lifeline, self._zone, f"zone:{self.name}", about.asset, tuple(shown))
        evidence = {
            **series({name: self.grid.recent(name) for name in shown}),
            "configuration": configuration_hash(self._rule, self._detector.configuration(), self._rule.grades),
        }
        fields = {"unit": about.unit, "count": str(len(self.grid.sensors) - 1)}
        value = self.grid.last(about.id)
        grounds = Grounds(score, value, self._detector.name, self._detector.version, fields, evidence)
        return self._episode.tell(state, place, time_s, grounds)

    def state(self) -> dict[str, Any]:
        """All that is remembered, as JSON; columns are named, so that sensors may come and go."""
        return {
            **self.grid.state(),
            "about": self._about,
            "episode": self._episode.state(),
            "detector": self._detector.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken; with other sensors than then, start afresh."""
        if not self.grid.restore(state):
            return
        self._about = state["about"]
        self._episode.restore(state["episode"])
        self._detector.restore(state["detector"])
