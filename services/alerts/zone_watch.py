"""One rule that judges the sensors of a zone together, on a grid of event time."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.alerts import detector_memory, new_normal
from services.alerts.detector_memory import UnfitStateError
from services.alerts.detectors.contract import Score
from services.alerts.episode import Episode, Grounds, Place, configuration_hash
from services.alerts.failures import Failures, Rest
from services.alerts.lifelines.contract import ZoneRule
from services.alerts.row_grid import RowGrid
from services.alerts.score_log import ScoreLog
from services.alerts.sensor_watch import series
from services.core.finding import Finding, FindingState
from services.core.new_normal import NewNormalOutcome
from services.core.sensor import Sensor
from services.core.severity import Severity

_SHOWN = 3
"""How many sensors beside the first the evidence shows."""


class ZoneWatch:
    """Judges the rows of one rule in one zone.

    Raises:
        Exception: whatever the rule's own code meets when it makes its detector.
    """

    def __init__(
        self,
        zone: str,
        rule: ZoneRule,
        sensors: Sequence[Sensor],
        log: ScoreLog | None = None,
        failures: Failures | None = None,
    ) -> None:
        self.name = rule.name
        self.quantities = rule.quantities
        self.grid = RowGrid(sensors, rule.step.total_seconds(), self._judge)
        self._rule = rule
        self._zone = zone
        self._log = log
        self._failures = failures or Failures(zone)
        self._rest = Rest()
        self._detector = rule.detector(self.grid.sensors)
        self._identity = detector_memory.identity(self._detector)
        self._episode = Episode(rule, rule.grades)
        self._about: str | None = None

    def _judge(self, time_s: float, row: list[float], clean: bool, into: list[Finding]) -> None:
        if time_s < self._rest.until_s:
            return
        told: FindingState | None = None
        try:
            score = self._detector.score(time_s, row)
            if self._log is not None:
                self._log(time_s, f"zone:{self.name}", score.value)
            told = self._episode.judge(time_s, score)
            if told is not None:
                into.append(self._tell(told, time_s, score))
            elif clean and self._episode.severity is Severity.NORMAL:
                self._detector.learn(time_s, row)
        except Exception as error:  # noqa: BLE001  # whatever a detector's own code meets, it stops nobody else
            self._fail(time_s, error, untold=told is FindingState.RAISED)

    def _fail(self, time_s: float, error: Exception, *, untold: bool) -> None:
        """Rest, with a detector that knows nothing yet; a trouble that was told goes on meanwhile."""
        self._rest.begin(time_s)
        self._failures.note(self.name, f"zone:{self.name}", time_s, self._rest, error)
        if untold or self._episode.severity is Severity.NORMAL:
            self._episode = Episode(self._rule, self._rule.grades)
        self._detector = self._rule.detector(self.grid.sensors)

    def accept(self, into: list[Finding]) -> NewNormalOutcome:
        """Learn afresh, because a person says that nothing is wrong."""
        if self._episode.severity is not Severity.NORMAL:
            place, grounds = self._grounds(self._about or self.grid.sensors[0].id, Score(0.0))
            into.append(new_normal.ending(self._episode, place, self.grid.last_s, grounds))
        self._episode = Episode(self._rule, self._rule.grades)
        self._detector.reset()
        self.grid.changed = True
        return NewNormalOutcome.TAKEN

    def _tell(self, state: FindingState, time_s: float, score: Score) -> Finding:
        # The episode stays with the sensor that showed it first, so that its findings meet in one alert.
        if state is FindingState.RAISED or self._about is None:
            self._about = score.column or self.grid.sensors[0].id
        place, grounds = self._grounds(self._about, score)
        return self._episode.tell(state, place, time_s, grounds)

    def _grounds(self, column: str, score: Score) -> tuple[Place, Grounds]:
        about = self.grid.sensors[self.grid.columns[column]]
        others = [name for name in (score.seen or {}).get("order", []) if name != about.id]
        shown = [about.id, *others[:_SHOWN]]
        place = Place(about.lifeline, self._zone, f"zone:{self.name}", about.asset, tuple(shown))
        evidence = {
            **series({name: self.grid.recent(name) for name in shown}),
            "configuration": configuration_hash(self._rule, self._detector.configuration(), self._rule.grades),
            "model": detector_memory.model_of(self._detector),
        }
        fields = {"unit": about.unit, "count": str(len(self.grid.sensors) - 1)}
        value = self.grid.last(about.id)
        return place, Grounds(score, value, self._detector.name, self._detector.version, fields, evidence)

    def state(self) -> dict[str, Any]:
        """All that is remembered, as JSON; columns are named, so that sensors may come and go."""
        return {
            **self.grid.state(),
            "about": self._about,
            "episode": self._episode.state(),
            "detector": self._detector.state(),
            "by": self._identity,
            "rest": self._rest.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken; with other sensors than then, start afresh."""
        if not self.grid.restore(state):
            return
        self._about = state["about"]
        self._episode.restore(state["episode"])
        written_by = state.get("by")
        if written_by == self._identity:
            self._rest.restore(state["rest"])
        try:
            detector_memory.restore(self._detector, state["detector"], written_by, self._identity)
        except UnfitStateError as unfit:
            self._detector = self._rule.detector(self.grid.sensors)
            self._failures.unfit(self.name, f"zone:{self.name}", str(unfit))
