"""One rule at one sensor: its detector, its episode, and its rest after a failure."""

from collections.abc import Mapping
from typing import Any

from services.alerts import detector_memory
from services.alerts.detector_memory import UnfitStateError
from services.alerts.detectors.contract import Detector, Score
from services.alerts.detectors.value import Value
from services.alerts.episode import Episode
from services.alerts.failures import Failures, Rest
from services.alerts.lifelines.contract import SensorRule
from services.alerts.score_log import ScoreLog
from services.core.finding import FindingState
from services.core.sensor import Sensor
from services.core.severity import Severity
from services.core.threshold import Threshold


class SensorJudge:
    """What ``SensorWatch`` asks about every reading.

    ``score`` and ``learn`` are the detector's own methods, kept at hand because every reading passes here; a detector
    that learns nothing has no ``learn``. ``is_limit`` is a rule that grades the value itself and remembers nothing.
    """

    __slots__ = (
        "_identity",
        "_sensor",
        "detector",
        "episode",
        "grades",
        "grading",
        "is_limit",
        "judges_bad",
        "learn",
        "learns",
        "rest",
        "rule",
        "score",
    )

    def __init__(self, rule: SensorRule, sensor: Sensor, grades: tuple[Threshold, ...]) -> None:
        self.rule = rule
        self.grades = grades
        self.judges_bad = rule.judges_bad
        self.rest = Rest()
        self._sensor = sensor
        self._identity: str | None = None
        self._begin_episode()
        self._use(rule.detector(sensor))

    def _begin_episode(self) -> None:
        self.episode = Episode(self.rule, self.grades)
        self.grading = self.episode.grading

    def _use(self, detector: Detector) -> None:
        self.detector = detector
        self.score = detector.score
        self.learn = detector.learn
        self.learns = type(detector).learn is not Detector.learn
        self.is_limit = isinstance(detector, Value)

    def ask(
        self, time_s: float, value: float, *, good: bool, log: ScoreLog | None
    ) -> tuple[FindingState, Score] | None:
        """Score a value and, where the rule stays quiet and the value is ``good``, learn it; what there is to tell."""
        score = self.score(time_s, value)
        if log is not None and self.learns:
            log(time_s, f"{self._sensor.id}:{self.rule.name}", score.value)
        grading = self.grading
        # Nearly every score ends here: nothing is pending and no limit is reached.
        if not (grading.idle and grading.low < score.value < grading.high):
            told = self.episode.judge(time_s, score)
            if told is not None:
                return told, score
        if good and self.learns and grading.severity is Severity.NORMAL:
            self.learn(time_s, value)
        return None

    def fail(self, time_s: float, error: Exception, failures: Failures, *, untold: bool) -> None:
        """Rest from ``time_s`` on, with a detector that knows nothing yet.

        A trouble that was told goes on meanwhile: that nobody judges it does not end it. One whose telling failed is
        ``untold`` and has not begun.
        """
        self.rest.begin(time_s)
        failures.note(self.rule.name, self._sensor.id, time_s, self.rest, error)
        if untold or self.episode.severity is Severity.NORMAL:
            self._begin_episode()
        self._use(self.rule.detector(self._sensor))

    def begin_afresh(self) -> None:
        """Forget the trouble and what was learnt: what comes from now on is normal."""
        self._begin_episode()
        self.detector.reset()

    def _own_identity(self) -> str:
        if self._identity is None:
            self._identity = detector_memory.identity(self.detector)
        return self._identity

    def state(self) -> dict[str, Any]:
        """All that is remembered, as JSON; parts at rest are left out."""
        parts: dict[str, Any] = {"detector": self.detector.state(), "episode": self.episode.state()}
        parts["rest"] = self.rest.state()
        if parts["detector"] or parts["rest"]:
            parts["by"] = self._own_identity()
        return {name: part for name, part in parts.items() if part}

    def restore(self, state: Mapping[str, Any], failures: Failures) -> None:
        """Go on where ``state`` was taken; a detector's memory that is not this one's is dropped with a line."""
        self.episode.restore(state.get("episode", {}))
        written_by = state.get("by")
        if "detector" in state:
            try:
                detector_memory.restore(self.detector, state["detector"], written_by, self._own_identity())
            except UnfitStateError as unfit:
                self._use(self.rule.detector(self._sensor))
                failures.unfit(self.rule.name, self._sensor.id, str(unfit))
        if written_by == self._own_identity():
            self.rest.restore(state.get("rest", []))
