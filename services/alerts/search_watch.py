"""One search among the sensors of a site: what it claims, told as findings."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.alerts.detectors.contract import Claim, Score, SearchDetector
from services.alerts.episode import Grounds, Place, configuration_hash, finding
from services.alerts.lifelines.contract import Rule, SearchRule
from services.alerts.row_grid import RowGrid
from services.alerts.score_log import ScoreLog
from services.alerts.sensor_watch import series
from services.core.finding import Finding, FindingState
from services.core.sensor import Sensor

_SHOWN = 4
"""How many sensors the evidence shows."""


class SearchWatch:
    """Hands rows to a search and tells its claims; every trouble it follows is an episode of its own."""

    def __init__(
        self,
        zone: str,
        rule: SearchRule,
        detector: SearchDetector,
        sensors: Sequence[Sensor],
        log: ScoreLog | None = None,
    ) -> None:
        self.name = rule.name
        self.quantities = rule.quantities
        self.grid = RowGrid(sensors, rule.step.total_seconds(), self._judge)
        self._zone = zone
        self._rule = rule
        self._outcomes = {outcome.name: outcome for outcome in rule.outcomes}
        self._detector = detector
        self._log = log
        self._assets: dict[str, str] = {}

    def _judge(self, time_s: float, row: list[float], clean: bool, into: list[Finding]) -> None:  # noqa: ARG002  # a search tells suspect values by itself
        score = self._detector.score(time_s, row)
        if self._log is not None:
            self._log(time_s, f"zone:{self.name}", score.value)
        into.extend(self._tell(claim, self._outcomes[claim.outcome], time_s) for claim in self._detector.claims())

    def _tell(self, claim: Claim, outcome: Rule, time_s: float) -> Finding:
        first = self.grid.sensors[self.grid.columns[claim.columns[0]]]
        # The episode stays with the asset that was suspected first, so that its findings meet in one alert.
        asset = self._assets.setdefault(claim.key, claim.suspects[0].asset if claim.suspects else first.asset)
        if claim.state is FindingState.CLEARED:
            del self._assets[claim.key]
        place = Place(first.lifeline, first.zone, f"zone:{outcome.name}:{claim.key}", asset, claim.columns)
        evidence = {
            **series({name: self.grid.recent(name) for name in claim.columns[:_SHOWN]}),
            "configuration": configuration_hash(outcome, self._detector.configuration(), ()),
            "threshold": None,
            "expected": claim.expected,
            "seen": dict(claim.seen or {}),
            "suspects": [[suspect.asset, suspect.probability] for suspect in claim.suspects],
        }
        fields = {"unit": first.unit, "count": str(len(self.grid.sensors) - 1), **(claim.fields or {})}
        value = self.grid.last(first.id) if claim.value is None else claim.value
        score = Score(claim.score, expected=claim.expected)
        grounds = Grounds(score, value, self._detector.name, self._detector.version, fields, evidence)
        span = (claim.since_s, time_s)
        return finding(outcome, claim.state, place, severity=claim.severity, span=span, grounds=grounds)

    def state(self) -> dict[str, Any]:
        """All that is remembered, as JSON."""
        return {**self.grid.state(), "assets": dict(self._assets), "detector": self._detector.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken; with other sensors than then, start afresh."""
        if self.grid.restore(state):
            self._assets = dict(state["assets"])
            self._detector.restore(state["detector"])
