"""One search among the sensors of a site: what it claims, told as findings."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Self

from services.alerts import detector_memory
from services.alerts.detector_memory import UnfitStateError
from services.alerts.detectors.contract import Claim, ForecastDetector, ForecastPoint, Score, SearchDetector
from services.alerts.episode import Grounds, Place, configuration_hash, finding, moment
from services.alerts.failures import Failures, Rest
from services.alerts.lifelines.contract import Rule, SearchRule, Site
from services.alerts.row_grid import RowGrid
from services.alerts.score_log import ScoreLog
from services.alerts.sensor_watch import series
from services.core.finding import Finding, FindingState
from services.core.forecast import Forecast
from services.core.severity import Severity
from services.core.text import Text

_SHOWN = 4
"""How many sensors the evidence shows."""
_ABANDONED = Text(
    "The search that found this has begun afresh and no longer follows it; what lasts will be found again.",
    "发现该问题的搜索算法已重新启动，不再跟踪；若问题仍在，将重新报出。",
)


class SearchWatch:
    """Hands rows to a search and tells its claims; every trouble it follows is an episode of its own.

    A search that fails, or whose memory cannot be taken up, begins afresh: it does not know any more what it followed,
    so those episodes are ended with words that say why, and what still lasts is found again.
    """

    def __init__(
        self,
        rule: SearchRule,
        site: Site,
        detector: SearchDetector,
        log: ScoreLog | None = None,
        failures: Failures | None = None,
    ) -> None:
        """``detector`` is what the rule made for the ``site``, whose sensors are those of the rule's quantities."""
        self.name = rule.name
        self.quantities = rule.quantities
        self.leaves_out_faulty = rule.leaves_out_faulty
        self.grid = RowGrid(site.sensors, rule.step.total_seconds(), self._judge, rule.seldom)
        self._rule = rule
        self._site = site
        self._outcomes = {outcome.name: outcome for outcome in rule.outcomes}
        self._detector: SearchDetector | None = detector
        self._identity = detector_memory.identity(detector, "" if site.network is None else site.network.fingerprint)
        self._log = log
        self._failures = failures or Failures(site.sensors[0].zone)
        self._rest = Rest()
        self._followed: dict[str, _Followed] = {}
        self._abandoned: list[_Followed] = []
        self._forecasts: list[Forecast] = []

    def _judge(self, time_s: float, row: list[float], clean: bool, into: list[Finding]) -> None:  # noqa: ARG002  # a search tells suspect values by itself
        into.extend(self._ended(followed, time_s) for followed in self._abandoned)
        self._abandoned.clear()
        if self._detector is None or time_s < self._rest.until_s:
            return
        try:
            score = self._detector.score(time_s, row)
            if self._log is not None:
                self._log(time_s, f"zone:{self.name}", score.value)
            told = [self._tell(claim, self._outcomes[claim.outcome], time_s) for claim in self._detector.claims()]
            into.extend(told)
            if isinstance(self._detector, ForecastDetector):
                expected = self._detector.forecasts()
                self._forecasts += [self._forecast(point, time_s) for point in expected]
        except Exception as error:  # noqa: BLE001  # whatever a detector's own code meets, it stops nobody else
            self._rest.begin(time_s)
            self._failures.note(self.name, f"zone:{self.name}", time_s, self._rest, error)
            self._begin_afresh()

    def take_forecasts(self) -> list[Forecast]:
        """What was expected since the last call."""
        forecasts, self._forecasts = self._forecasts, []
        return forecasts

    def _forecast(self, point: ForecastPoint, time_s: float) -> Forecast:
        name, version, _ = self._identity.rsplit(" ", 2)
        target = moment(point.target_s)
        model = None if self._detector is None else detector_memory.model_of(self._detector)
        return Forecast(point.column, moment(time_s), target, point.value, point.low, point.high, name, version, model)

    def _begin_afresh(self) -> None:
        self._abandoned += self._followed.values()
        self._followed.clear()
        self._detector = self._rule.detector(self._site)

    def _tell(self, claim: Claim, outcome: Rule, time_s: float) -> Finding:
        first = self.grid.sensors[self.grid.columns[claim.columns[0]]]
        followed = self._followed.get(claim.key)
        suspected = claim.suspects[0].asset if claim.suspects else first.asset
        # The episode stays with the asset that was suspected first, so that its findings meet in one alert.
        asset = suspected if followed is None else followed.asset
        told = self._finding(claim, outcome, asset, time_s)
        if claim.state is FindingState.CLEARED:
            self._followed.pop(claim.key, None)
        else:
            self._followed[claim.key] = _Followed(claim, asset)
        return told

    def _ended(self, followed: "_Followed", time_s: float) -> Finding:
        claim = followed.claim
        columns = tuple(name for name in claim.columns if name in self.grid.columns) or (self.grid.sensors[0].id,)
        ended = claim._replace(state=FindingState.CLEARED, severity=Severity.NORMAL, columns=columns)
        outcome = replace(self._outcomes[claim.outcome], cleared=_ABANDONED)
        return self._finding(ended, outcome, followed.asset, time_s)

    def _finding(self, claim: Claim, outcome: Rule, asset: str, time_s: float) -> Finding:
        first = self.grid.sensors[self.grid.columns[claim.columns[0]]]
        place = Place(first.lifeline, first.zone, f"zone:{outcome.name}:{claim.key}", asset, claim.columns)
        detector = self._detector
        name, version, _ = self._identity.rsplit(" ", 2)
        configuration = {} if detector is None else detector.configuration()
        evidence = {
            **series({name: self.grid.recent(name) for name in claim.columns[:_SHOWN]}),
            "configuration": configuration_hash(outcome, configuration, ()),
            "model": None if detector is None else detector_memory.model_of(detector),
            "threshold": None,
            "expected": claim.expected,
            "seen": dict(claim.seen or {}),
            "suspects": [[suspect.asset, suspect.probability] for suspect in claim.suspects],
        }
        fields = {"unit": first.unit, "count": str(len(self.grid.sensors) - 1), **(claim.fields or {})}
        value = self.grid.last(first.id) if claim.value is None else claim.value
        score = Score(claim.score, expected=claim.expected)
        grounds = Grounds(score, value, name, version, fields, evidence)
        span = (claim.since_s, time_s)
        return finding(outcome, claim.state, place, severity=claim.severity, span=span, grounds=grounds)

    def state(self) -> dict[str, Any]:
        """All that is remembered, as JSON."""
        return {
            **self.grid.state(),
            "followed": [followed.state() for followed in self._followed.values()],
            "abandoned": [followed.state() for followed in self._abandoned],
            "detector": None if self._detector is None else self._detector.state(),
            "by": self._identity,
            "rest": self._rest.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken; with other sensors, or as another search than then, start afresh."""
        same_sensors = self.grid.restore(state)
        followed = [_Followed.restored(part) for part in state["followed"] if part[0] in self._outcomes]
        abandoned = [_Followed.restored(part) for part in state["abandoned"] if part[0] in self._outcomes]
        self._followed = {each.claim.key: each for each in followed}
        self._abandoned = abandoned
        if state["by"] == self._identity:
            self._rest.restore(state["rest"])
        try:
            if not same_sensors:
                raise UnfitStateError("the sensors were others")  # noqa: TRY301  # it begins afresh in the same way
            if self._detector is not None and state["detector"] is not None:
                detector_memory.restore(self._detector, state["detector"], state["by"], self._identity)
        except UnfitStateError as unfit:
            self._failures.unfit(self.name, f"zone:{self.name}", str(unfit))
            self._begin_afresh()


class _Followed(NamedTuple):
    """A trouble that was told and has not ended: what was claimed last, and the asset it was told at."""

    claim: Claim
    asset: str

    def state(self) -> list[Any]:
        """What is needed to end it, as JSON."""
        claim = self.claim
        return [claim.outcome, claim.key, claim.severity, claim.score, claim.since_s, list(claim.columns), self.asset]

    @classmethod
    def restored(cls, state: Sequence[Any]) -> Self:
        """Take up what ``state`` returned."""
        outcome, key, severity, score, since_s, columns, asset = state
        claim = Claim(outcome, key, FindingState.CHANGED, Severity(severity), score, since_s, tuple(columns))
        return cls(claim, asset)
