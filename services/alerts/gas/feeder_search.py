"""Gas that is missing between the two meters of a feeder: a leak, or a meter that errs."""

from collections.abc import Mapping, Sequence
from math import isnan, nan
from typing import Any, ClassVar, NamedTuple

import numpy as np

from services.alerts.detectors.contract import Claim, Score, SearchDetector, State, Suspect
from services.alerts.gas.feeder import Feeder
from services.alerts.gas.feeder_watch import FeederWatch, Located
from services.alerts.gas.line_balance import CELL_S, Missing
from services.core.finding import FindingState
from services.core.severity import Severity
from services.core.text import Text

LEAK, METER = "gas-feeder-leak", "gas-feeder-meter-off"
PRESSURE, FLOW = "feeder_pressure", "feeder_flow"
_LEARNS_S = 86_400.0
_BELIEVED, _HELD = 0.5, 0.15
"""A leak is told from even odds on; what was told before is held to until it is clearly the other."""
_LEARNS_BELOW = 0.9
_AGAIN_S = 1260.0
"""What is missing now is a mean over twenty minutes."""
_STANDS, _OVER_S = 0.5, 1800.0
_MOVED = 0.1
_CRITICAL_SHARE = 0.05
_SHOWN = 5


class FeederGauge(NamedTuple):
    """A sensor of a feeder: what it measures and at which station."""

    id: str
    quantity: str
    asset: str


class _Told(NamedTuple):
    outcome: str
    key: str
    since_s: float
    told_s: float
    back_s: float | None
    severity: int
    probability: float
    suspects: list[list[Any]]
    flow_m3h: float
    share: float
    waved: bool
    between_m: list[float]


class FeederSearch(SearchDetector):
    """Looks in every feeder for gas that flows in and neither flows out nor is packed, and for where it leaves.

    ``gauges`` are (sensor, quantity, asset); ``feeders`` are those of ``Feeder`` as JSON.

    Source: volume balance with line pack, pressure gradient and acoustic timing are the classical methods of
    computational pipeline monitoring (API RP 1130 names them); limits and weights are our own.
    """

    name: ClassVar[str] = "gas-feeder-search"
    version: ClassVar[str] = "1"

    __slots__ = (
        "_claims",
        "_columns_of",
        "_first_s",
        "_last_s",
        "_number",
        "_told",
        "_watches",
        "columns",
        "feeders",
        "gauges",
        "learn_until_s",
    )

    def __init__(
        self,
        gauges: Sequence[Sequence[Any]],
        feeders: Sequence[Mapping[str, Any]],
        learn_until_s: float | None = None,
    ) -> None:
        self.gauges = sorted(FeederGauge(*each) for each in gauges)
        self.feeders = [dict(each) for each in feeders]
        self.learn_until_s = learn_until_s
        self.columns = tuple(gauge.id for gauge in self.gauges)
        self._watches: list[FeederWatch] = []
        self._columns_of: list[list[int]] = []
        for told in feeders:
            feeder = Feeder.from_json(told)
            columns = self._columns(feeder)
            if columns is not None:
                at = dict(feeder.stations)
                self._watches.append(
                    FeederWatch(feeder, np.array([at[self.gauges[n].asset] for n in columns[:-2]], dtype=np.float64))
                )
                self._columns_of.append(columns)
        self._told: list[_Told | None] = [None] * len(self._watches)
        self._claims: list[Claim] = []
        self._first_s = self._last_s = nan
        self._number = 0

    def _columns(self, feeder: Feeder) -> list[int] | None:
        """The pressures along the feeder and its two flows; ``None`` without flows and pressures at both ends."""
        at = dict(feeder.stations)
        pressures = sorted(
            (at[g.asset], n) for n, g in enumerate(self.gauges) if g.quantity == PRESSURE and g.asset in at
        )
        flows = {g.asset: n for n, g in enumerate(self.gauges) if g.quantity == FLOW}
        if {0.0, feeder.length_m} - {place for place, _ in pressures} or not {feeder.inlet, feeder.outlet} <= set(
            flows
        ):
            return None
        return [*(n for _, n in pressures), flows[feeder.inlet], flows[feeder.outlet]]

    @property
    def watches(self) -> bool:
        """Whether there is a feeder whose balance can be drawn."""
        return bool(self._watches)

    def configuration(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "gauges": [list(gauge) for gauge in self.gauges],
            "feeders": self.feeders,
            "learn_until_s": self.learn_until_s,
        }

    def score(self, time_s: float, row: Sequence[float]) -> Score:
        """What is missing in the feeder that lacks most, by the limit at which it counts."""
        self._claims = []
        if time_s <= self._last_s:
            # The same moment once more tells nothing new.
            return Score(0.0)
        self._first_s = time_s if isnan(self._first_s) else self._first_s
        self._last_s = time_s
        until_s = self._first_s + _LEARNS_S if self.learn_until_s is None else self.learn_until_s
        highest = 0.0
        values = np.array(row, dtype=np.float64)
        for number, (watch, columns) in enumerate(zip(self._watches, self._columns_of, strict=True)):
            if not watch.take(time_s, values[columns[:-2]], values[columns[-2:]]):
                continue
            worst = watch.missing()
            if time_s >= until_s and worst is not None:
                self._judge(number, time_s, worst)
                highest = max(highest, worst.excess)
            if self._told[number] is None and (worst is None or worst.excess < _LEARNS_BELOW):
                watch.learn()
        return Score(highest)

    def _judge(self, number: int, time_s: float, worst: Missing) -> None:
        told = self._told[number]
        if told is None:
            if worst.lasts:
                self._raise(number, time_s, worst)
            return
        standing = self._watches[number].balance.standing()
        if standing is None:
            return
        if standing * np.sign(told.share) < _STANDS * abs(told.share):
            back_s = time_s if told.back_s is None else told.back_s
            self._told[number] = told._replace(back_s=back_s)
            if time_s - back_s >= _OVER_S:
                self._claims.append(self._claim(number, told, FindingState.CLEARED))
                self._told[number] = None
                # The long windows still hold what was missing, and would tell it once more.
                self._watches[number].balance.interrupted()
                self._watches[number].holds_wave = False
            return
        self._told[number] = told._replace(back_s=None)
        if time_s - told.told_s >= _AGAIN_S:
            self._follow(number, time_s, told, standing)

    def _raise(self, number: int, time_s: float, worst: Missing) -> None:
        self._number += 1
        # It has lasted for longer than its window, and the window was not full of it at first.
        since_s = time_s - worst.cells * CELL_S - worst.window_s / 2
        self._watches[number].holds_wave = True
        self._told[number] = told = self._known(number, f"feeder-{self._number}", since_s, time_s, worst.share, None)
        self._claims.append(self._claim(number, told, FindingState.RAISED))

    def _follow(self, number: int, time_s: float, before: _Told, standing: float) -> None:
        """Say what is known better by now; what was a meter and is a leak ends as a meter first."""
        told = self._known(number, before.key, before.since_s, time_s, standing, before.outcome)
        if told.outcome != before.outcome:
            self._claims.append(self._claim(number, before, FindingState.CLEARED))
            self._number += 1
            told = told._replace(key=f"feeder-{self._number}")
            self._claims.append(self._claim(number, told, FindingState.RAISED))
        elif _main(told) != _main(before) or told.severity != before.severity or _moved(told, before):
            self._claims.append(self._claim(number, told, FindingState.CHANGED))
        else:
            told = before._replace(told_s=time_s)
        self._told[number] = told

    def _known(  # noqa: PLR0917  # what is told of a trouble is as much
        self, number: int, key: str, since_s: float, time_s: float, share: float, before: str | None
    ) -> _Told:
        """What is to be said now of a feeder that lacks a ``share`` of its inflow."""
        watch = self._watches[number]
        located = watch.located(since_s, share)
        # More gas than flows in comes out of no hole.
        leak = located.leak if share > 0 else 0.0
        held = 0.0 if before is None else _HELD * (-1 if before == LEAK else 1)
        outcome = LEAK if leak >= _BELIEVED + held else METER
        severity = Severity.MINOR
        if outcome == LEAK:
            severity = Severity.CRITICAL if share >= _CRITICAL_SHARE else Severity.MAJOR
        return _Told(
            outcome=outcome,
            key=key,
            since_s=since_s,
            told_s=time_s,
            back_s=None,
            severity=int(severity),
            probability=round(min(0.99, leak if outcome == LEAK else 1 - leak), 4),
            suspects=self._suspects(number, located) if outcome == LEAK else [],
            flow_m3h=round(share * watch.inflow_m3h, 1),
            share=round(share, 4),
            waved=watch.waved(since_s),
            between_m=np.interp([0.1, 0.9], np.cumsum(located.positions), watch.feeder.positions_m()).tolist(),
        )

    def _suspects(self, number: int, located: Located) -> list[list[Any]]:
        """The mains, likeliest first, with the metre from the inlet at which the likeliest is suspected."""
        feeder = self._watches[number].feeder
        weights: dict[str, float] = {}
        for place, probability in zip(feeder.positions_m().tolist(), located.positions.tolist(), strict=True):
            asset = feeder.stretch_at(place)
            weights[asset] = weights.get(asset, 0.0) + probability
        best = sorted(weights, key=lambda asset: (-weights[asset], asset))[:_SHOWN]
        return [[asset, round(weights[asset], 4)] for asset in best]

    def _claim(self, number: int, told: _Told, state: FindingState) -> Claim:
        watch, columns = self._watches[number], self._columns_of[number]
        feeder, cleared = watch.feeder, state is FindingState.CLEARED
        place = told.suspects[0][0] if told.suspects else feeder.inlet
        reasons = _reasons(told)
        return Claim(
            outcome=told.outcome,
            key=told.key,
            state=state,
            severity=Severity.NORMAL if cleared else Severity(told.severity),
            score=abs(told.share),
            since_s=told.since_s,
            columns=tuple(self.columns[n] for n in (*columns[-2:], *columns[:-2])),
            suspects=() if cleared else tuple(Suspect(*each) for each in told.suspects),
            seen={
                "method": self.name,
                "missing_m3h": told.flow_m3h,
                "missing_percent": round(100 * told.share, 2),
                "between_m": [round(each) for each in told.between_m],
            },
            fields={
                "place": place,
                "from": feeder.inlet,
                "to": feeder.outlet,
                "flow": f"{abs(told.flow_m3h):.0f}",
                "percent": f"{100 * abs(told.share):.1f}",
                "probability": f"{100 * told.probability:.0f}",
                "reasons": reasons,
            },
        )

    def claims(self) -> Sequence[Claim]:
        """What the last row changed."""
        return self._claims

    def state(self) -> dict[str, Any]:
        """All that is remembered, as JSON."""
        return {
            "watches": [watch.state() for watch in self._watches],
            "told": [None if told is None else list(told) for told in self._told],
            "first_s": None if isnan(self._first_s) else self._first_s,
            "last_s": None if isnan(self._last_s) else self._last_s,
            "number": self._number,
        }

    def restore(self, state: State) -> None:
        """Go on exactly where ``state`` was taken."""
        for watch, remembered in zip(self._watches, state["watches"], strict=True):
            watch.restore(remembered)
        self._told = [None if told is None else _Told(*told) for told in state["told"]]
        self._first_s = nan if state["first_s"] is None else state["first_s"]
        self._last_s = nan if state["last_s"] is None else state["last_s"]
        self._number = state["number"]
        self._claims = []


def _main(told: _Told) -> str | None:
    return str(told.suspects[0][0]) if told.suspects else None


def _moved(told: _Told, before: _Told) -> bool:
    return abs(told.probability - before.probability) > _MOVED


def _reasons(told: _Told) -> Text:
    low, high = (f"{each / 1000:.1f}" for each in told.between_m)
    if told.outcome == METER:
        return Text(
            "pressures along it fall as if one of the two flows were true everywhere",
            "沿线压降与其中一台流量计读数在全线一致",
        )
    wave = Text("; a wave of falling pressure ran along it", "；沿线监测到负压波") if told.waved else Text("", "")
    return Text(
        f"the fall of pressure points to between {low} and {high} km from the inlet{wave.en}",
        f"压降分布指向距进口{low}至{high} km之间{wave.zh}",
    )
