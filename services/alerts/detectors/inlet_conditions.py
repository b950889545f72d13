"""What the search by inlet flow and pressures tells beside leaks: a meter that is off, and thirsty customers."""

from math import expm1, isfinite, nan
from typing import Any, NamedTuple

from services.alerts.detectors.contract import Claim, State
from services.alerts.detectors.inlet_demand import InletDemand
from services.alerts.detectors.inlet_reference import InletReference
from services.alerts.detectors.inlet_shares import Shares
from services.core.finding import FindingState
from services.core.severity import Severity

METER_OFF = "inlet-meter-off"
"""What its claims about the inlet meter are called."""
HIGH_DEMAND = "inlet-demand-high"
"""What its claims about customers who draw more than they did are called."""

_METER_OFF = 0.04
"""Twice the two percent that a water meter in service may be wrong by (OIML R 49, class 2)."""
_METER_WELL = 0.02
_SURE = 3.0
"""Standard deviations by which the meter has to be off."""
_MORE = 0.1
"""Share by which a day's demand has to be above that of the two weeks before."""
_MORE_ENDS = 0.05


class _Told(NamedTuple):
    """An episode that was told and has not ended: its key, and when it began."""

    key: str
    since_s: float


class _Condition(NamedTuple):
    """How a condition stands: whether it is reason to begin or to end an episode, and the flows to tell of it."""

    begins: bool
    ends: bool
    share: float
    flow: float
    expected_flow: float


class Conditions:
    """Follows whether the meter agrees with the pressures, and whether customers draw more than they did.

    ``columns`` are the sensors that show it, the meter first.
    """

    __slots__ = ("_columns", "_open")

    def __init__(self, columns: tuple[str, ...]) -> None:
        self._columns = columns
        self._open: dict[str, _Told] = {}

    def judge_meter(self, time_s: float, shares: Shares, reference: InletReference, rows: int) -> list[Claim]:
        """The meter is off if all head losses are wrong by the same share, as customers would hardly make them be.

        ``rows`` have passed since the reference was learnt.
        """
        factor, doubt = shares.meter_error(reference, rows)
        shown = reference.mean_flow
        begins = abs(factor) > max(_METER_OFF, _SURE * doubt)
        condition = _Condition(begins, abs(factor) < _METER_WELL, factor, shown, shown / (1 + factor))
        return self._follow(METER_OFF, time_s, condition)

    def judge_demand(self, time_s: float, demand: InletDemand, *, leak: bool) -> list[Claim]:
        """Customers draw more: more flows in than in the two weeks before, and no leak is open or suspected."""
        more = expm1(demand.level - demand.season)
        begins = demand.knows_seasons and not leak and more > _MORE
        condition = _Condition(begins, more < _MORE_ENDS, more, demand.day_flow, demand.day_flow / (1 + more))
        return self._follow(HIGH_DEMAND, time_s, condition)

    def forget_meter(self, time_s: float) -> list[Claim]:
        """What was normal is learnt anew, from the meter as it is."""
        return self._follow(
            METER_OFF, time_s, _Condition(begins=False, ends=True, share=0.0, flow=nan, expected_flow=nan)
        )

    def _follow(self, outcome: str, time_s: float, condition: _Condition) -> list[Claim]:
        told = self._open.get(outcome)
        if told is None and condition.begins:
            told = self._open[outcome] = _Told(f"{outcome}-{time_s:.0f}", time_s)
            return [self._claim(outcome, told, FindingState.RAISED, condition)]
        if told is not None and condition.ends:
            del self._open[outcome]
            return [self._claim(outcome, told, FindingState.CLEARED, condition)]
        return []

    def _claim(self, outcome: str, told: _Told, state: FindingState, condition: _Condition) -> Claim:
        known = isfinite(condition.flow)
        return Claim(
            outcome,
            told.key,
            state,
            Severity.MINOR if state is FindingState.RAISED else Severity.NORMAL,
            abs(condition.share),
            told.since_s,
            self._columns,
            value=condition.flow if known else None,
            expected=condition.expected_flow if known else None,
            seen={"share": condition.share},
        )

    def state(self) -> dict[str, Any]:
        """What is open, as JSON."""
        return {outcome: list(told) for outcome, told in self._open.items()}

    def restore(self, state: State) -> None:
        """Take up what was open."""
        self._open = {outcome: _Told(*told) for outcome, told in state.items()}
