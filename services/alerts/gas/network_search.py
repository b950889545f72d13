"""A broken main and a faulty regulator, from pressures and flows of the gas network."""

from collections import deque
from collections.abc import Mapping, Sequence
from math import isnan, nan
from typing import Any, ClassVar, NamedTuple

import numpy as np

from services.alerts.detectors.contract import Claim, Score, SearchDetector, State, Suspect
from services.alerts.gas.day_habit import DayHabit
from services.alerts.gas.readings import Array, packed, unpacked
from services.alerts.gas.regulator_signs import (
    HUNTS,
    ROWS_HUNTING,
    SHUT,
    STARVED,
    hunting,
    is_starved,
    regulator_reasons,
)
from services.alerts.gas.town import Ground, Pipe, Town, away_m
from services.core.finding import FindingState
from services.core.severity import Severity
from services.core.text import Text

BREAK, REGULATOR = "gas-main-break", "gas-regulator-fault"
PRESSURES = frozenset({"gas_pressure", "regulator_outlet_pressure"})
_OUTLET, _INLET = "regulator_outlet_pressure", "regulator_inlet_pressure"
_FLOW = "gas_flow"
_FIRST_STEP_S, _LONGEST_STEP_S = 60.0, 1800.0
_LEARNS_S = 86_400.0
_FALL_WOBBLES, _FALL_SHARE = 6.0, 0.015
_LAG_ROWS = 6
"""A break is looked for as a change against the value so many rows before: customers change their draw more slowly."""
_JUMP_SHARE, _JUMP_WOBBLES = 0.12, 5.0
_ROWS_BREAK = 3
_FADES_M = 500.0
"""Metres over which the fall of pressure by a break fades to a third along the network; a default."""
_FIT = 0.25
_OVER_S = 1800.0
_OFF_SHARE, _OFF_SPREADS = 0.05, 5.0
_ROWS_REGULATOR = 20
_ROWS_WANTED = {HUNTS: 1, SHUT: 2}
_VALVE, _OPEN = "cut_off_valve_open", 0.5
_BACK_SHARE = 0.6
_SHOWN = 10


class Gauge(NamedTuple):
    """A sensor of the network: what it measures, at which asset, and where it stands (degrees)."""

    id: str
    quantity: str
    asset: str
    longitude: float
    latitude: float
    is_regulator: bool


class NetworkSearch(SearchDetector):
    """Looks for pressures that fall together while more flows in, for outlets off their pressure, for shut valves.

    ``gauges`` are (sensor, quantity, asset, longitude, latitude, whether its asset is a regulator); ``pipes`` are
    those of a ``Town`` as JSON, for the place of a break.

    Source: a break sends a wave of falling pressure through the network and raises the flow from the regulators; what
    flows in and is neither drawn nor stored leaves it (API RP 1130 calls both computational monitoring). Own limits.
    """

    name: ClassVar[str] = "gas-network-search"
    version: ClassVar[str] = "2"

    __slots__ = (
        "_break",
        "_claims",
        "_first_s",
        "_flows",
        "_habit",
        "_last_s",
        "_number",
        "_off_rows",
        "_outlets",
        "_past",
        "_pieces",
        "_places",
        "_pressures",
        "_regulators",
        "_rows_fallen",
        "_town",
        "_valves",
        "columns",
        "gauges",
        "learn_until_s",
        "town",
    )

    def __init__(
        self, gauges: Sequence[Sequence[Any]], town: Mapping[str, Any] | None = None, learn_until_s: float | None = None
    ) -> None:
        self.gauges = sorted(Gauge(*each) for each in gauges)
        self.town = None if town is None else dict(town)
        self.learn_until_s = learn_until_s
        self.columns = tuple(gauge.id for gauge in self.gauges)
        self._town = None if town is None else Town.from_json(town)
        self._pieces = [] if self._town is None else Ground(self._town).pieces
        self._places = (
            [] if self._town is None else [self._town.local(gauge.longitude, gauge.latitude) for gauge in self.gauges]
        )
        self._pressures = [n for n, gauge in enumerate(self.gauges) if gauge.quantity in PRESSURES]
        self._flows = [n for n, gauge in enumerate(self.gauges) if gauge.quantity == _FLOW]
        self._outlets = [
            n
            for n, gauge in enumerate(self.gauges)
            if gauge.quantity == _OUTLET or (gauge.quantity == "gas_pressure" and gauge.is_regulator)
        ]
        self._valves = [n for n, gauge in enumerate(self.gauges) if gauge.quantity == _VALVE]
        self._habit = DayHabit(len(self.gauges))
        self._past: deque[Array] = deque(maxlen=ROWS_HUNTING)
        self._off_rows: dict[str, int] = {}
        self._regulators: dict[str, list[Any]] = {}
        self._break: list[Any] | None = None
        self._rows_fallen = 0
        self._claims: list[Claim] = []
        self._first_s = self._last_s = nan
        self._number = 0

    @property
    def watches(self) -> bool:
        """Whether there is a pressure to look at."""
        return bool(self._pressures)

    def configuration(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "gauges": [list(gauge) for gauge in self.gauges],
            "town": self.town,
            "learn_until_s": self.learn_until_s,
        }

    def score(self, time_s: float, row: Sequence[float]) -> Score:
        """How far the pressure that is lowest is below what is usual, in its usual spreads."""
        self._claims = []
        seconds = _FIRST_STEP_S if isnan(self._last_s) else min(time_s - self._last_s, _LONGEST_STEP_S)
        if seconds <= 0:
            # The same moment once more tells nothing new.
            return Score(0.0)
        self._first_s = time_s if isnan(self._first_s) else self._first_s
        self._last_s = time_s
        values = np.where(np.isfinite(row), row, np.nan)
        until_s = self._first_s + _LEARNS_S if self.learn_until_s is None else self.learn_until_s
        learning = time_s < until_s
        highest = 0.0
        if not learning and self._habit.knows.any():
            highest = self._search(time_s, values)
        quiet = np.ones(len(self.gauges), dtype=bool)
        if self._break is not None or self._rows_fallen:
            quiet[:] = False
        for name in (*self._regulators, *self._off_rows):
            quiet[self.columns.index(name)] = False
        self._habit.learn(time_s, seconds, values, quiet)
        self._habit.follow(seconds, values)
        self._past.append(values)
        return Score(highest)

    def _search(self, time_s: float, values: Array) -> float:
        usual = self._habit.usual(time_s)
        away = np.where(self._habit.knows, values - usual, np.nan)
        self._watch_break(time_s, values, usual)
        self._watch_regulators(time_s, values, usual, away)
        scaled = -away[self._pressures] / np.maximum(self._habit.spread[self._pressures], 1e-3 * usual[self._pressures])
        return float(np.nanmax(scaled, initial=0.0)) if np.isfinite(scaled).any() else 0.0

    def _watch_break(self, time_s: float, values: Array, usual: Array) -> None:
        if len(self._past) < _LAG_ROWS:
            return
        with np.errstate(invalid="ignore"):
            past = list(self._past)[-_LAG_ROWS:]
            before = np.nanmax(np.array([np.where(np.isnan(p), -np.inf, p) for p in past]), axis=0)
        changed = values - np.where(np.isinf(before), np.nan, before)
        falls = self._falls(changed, usual)
        gained = self._gained(values, usual)
        if self._break is None:
            fallen = len(falls) >= min(2, len(self._pressures)) and gained is not None
            self._rows_fallen = self._rows_fallen + 1 if fallen else 0
            if self._rows_fallen >= _ROWS_BREAK and gained is not None:
                self._tell_break(time_s, falls, gained, values, usual)
            return
        last_s = self._break[2]
        if gained is not None or falls:
            self._break[2] = time_s
        elif time_s - last_s >= _OVER_S:
            self._claims.append(self._break_claim(self._break, FindingState.CLEARED))
            self._break, self._rows_fallen = None, 0

    def _falls(self, changed: Array, usual: Array) -> dict[int, float]:
        """The pressures that have fallen within the last rows, and by which share."""
        found = {}
        for number in self._pressures:
            limit = max(_FALL_WOBBLES * self._habit.wobble[number], _FALL_SHARE * abs(usual[number]))
            if self._habit.knows[number] and changed[number] <= -limit:
                found[number] = float(-changed[number] / max(abs(usual[number]), 1e-6))
        return found

    def _gained(self, values: Array, usual: Array) -> float | None:
        """By how much (m3/h) more flows in than before and than is usual; ``None`` where it does not."""
        known = [n for n in self._flows if self._habit.knows[n] and np.isfinite(values[n])]
        if not known:
            return None
        now, recent = float(values[known].sum()), float(self._habit.recent[known].sum())
        reference = recent if self._break is None else float(usual[known].sum())
        wobble = float(np.sqrt((self._habit.wobble[known] ** 2).sum()))
        beyond = now - reference
        return beyond if beyond >= max(_JUMP_SHARE * abs(reference), _JUMP_WOBBLES * wobble) else None

    def _tell_break(
        self, time_s: float, falls: Mapping[int, float], gained: float, values: Array, usual: Array
    ) -> None:
        self._number += 1
        order = sorted(falls, key=lambda n: (-falls[n], self.columns[n]))
        suspects = self._places_of_break(falls, values, usual)
        key, since_s = f"break-{self._number}", time_s - (_ROWS_BREAK - 1) * _FIRST_STEP_S
        columns = [self.columns[n] for n in order]
        told = [key, since_s, time_s, columns, suspects, round(gained, 1), round(falls[order[0]] * 100, 1)]
        self._break = told
        self._claims.append(self._break_claim(told, FindingState.RAISED))

    def _break_claim(self, told: Sequence[Any], state: FindingState) -> Claim:
        key, since_s, _, columns, suspects, gained, fall = told
        near = [asset for asset, _ in suspects[:3]] or [self.gauges[self.columns.index(columns[0])].asset]
        reasons = Text(
            f"pressure fell at {len(columns)} places within minutes, by {fall:.0f} % at {columns[0]}",
            f"{len(columns)}处压力在数分钟内下降，其中{columns[0]}下降{fall:.0f}%",
        )
        return Claim(
            outcome=BREAK,
            key=key,
            state=state,
            severity=Severity.NORMAL if state is FindingState.CLEARED else Severity.CRITICAL,
            score=fall,
            since_s=since_s,
            columns=tuple(columns),
            suspects=() if state is FindingState.CLEARED else tuple(Suspect(*each) for each in suspects),
            seen={"method": self.name, "gained_m3h": gained, "fall_percent": fall},
            fields={
                "place": near[0],
                "places": ", ".join(near),
                "probability": f"{round(100 * min(0.99, 0.6 + 0.1 * len(columns)))}",
                "reasons": reasons,
                "flow": f"{gained:.0f}",
            },
        )

    def _places_of_break(self, falls: Mapping[int, float], values: Array, usual: Array) -> list[list[Any]]:
        """The mains whose distances from the gauges fit how much each of them fell, likeliest first."""
        if self._town is None:
            return []
        most = max(falls.values())
        heard = [n for n in self._pressures if np.isfinite(values[n])]
        seen = np.array([max(0.0, 1 - values[n] / usual[n]) / most if usual[n] > 0 else 0.0 for n in heard])
        weights: dict[int, float] = {}
        for piece in self._pieces:
            away = np.array([away_m(piece.place, self._places[n]) for n in heard])
            expected = np.exp(-(away - away.min()) / _FADES_M)
            fit = float(np.exp(-0.5 * (((seen - expected) / _FIT) ** 2).sum()))
            weights[piece.pipe] = (
                weights.get(piece.pipe, 0.0) + fit * piece.length_m * self._pipe(piece.pipe).prior_per_m
            )
        total = sum(weights.values())
        if total <= 0:
            return []
        best = sorted(weights, key=lambda pipe: (-weights[pipe], pipe))[:_SHOWN]
        return [[self._pipe(pipe).id, round(weights[pipe] / total, 4)] for pipe in best]

    def _pipe(self, number: int) -> Pipe:
        assert self._town is not None  # noqa: S101  # pieces exist only where a town does
        return self._town.pipes[number]

    def _watch_regulators(self, time_s: float, values: Array, usual: Array, away: Array) -> None:
        swinging = self._hunting(values, usual)
        for number in (*self._outlets, *self._valves):
            name = self.columns[number]
            if isnan(away[number]):
                continue
            sign, is_beyond, is_back = self._sign(number, number == swinging, values, usual)
            wanted = _ROWS_WANTED.get(sign, _ROWS_REGULATOR)
            told = self._regulators.get(name)
            if told is None:
                is_off = is_beyond and self._break is None
                rows = self._off_rows.get(name, 0) + 1 if is_off else 0
                self._off_rows[name] = rows
                if not rows:
                    del self._off_rows[name]
                elif rows >= wanted:
                    self._number += 1
                    since_s = time_s - (wanted - 1) * _FIRST_STEP_S
                    told = [f"regulator-{self._number}", since_s, time_s, sign]
                    self._regulators[name] = told
                    del self._off_rows[name]
                    self._claims.append(self._regulator_claim(number, told, FindingState.RAISED, values, usual))
            elif not is_back:
                told[2] = time_s
            elif time_s - told[2] >= _OVER_S:
                del self._regulators[name]
                self._claims.append(self._regulator_claim(number, told, FindingState.CLEARED, values, usual))

    def _sign(self, number: int, is_swinging: bool, values: Array, usual: Array) -> tuple[str, bool, bool]:
        """What an outlet or a valve shows, whether that counts, and whether all is as usual again."""
        if number in self._valves:
            # A valve that is usually shut belongs to a line in reserve.
            is_shut = bool(values[number] < _OPEN <= usual[number])
            return SHUT, is_shut, not is_shut
        if is_swinging:
            return HUNTS, True, False
        away = abs(values[number] - usual[number])
        limit = max(_OFF_SHARE * abs(usual[number]), _OFF_SPREADS * self._habit.spread[number])
        if away < limit and self._is_starved(number, values, usual):
            return STARVED, True, False
        return "", bool(away >= limit), bool(away < _BACK_SHARE * limit)

    def _at(self, asset: str, quantity: str) -> int | None:
        """The column of a quantity at an asset, if its habit is known."""
        return next(
            (
                n
                for n, gauge in enumerate(self.gauges)
                if gauge.asset == asset and gauge.quantity == quantity and self._habit.knows[n]
            ),
            None,
        )

    def _hunting(self, values: Array, usual: Array) -> int | None:
        rows = np.array([*list(self._past)[1 - ROWS_HUNTING :], values])
        return hunting(rows, self._outlets, self._habit.wobble, usual, self._habit.knows)

    def _is_starved(self, outlet: int, values: Array, usual: Array) -> bool:
        """Whether the regulator of an outlet passes little although its outlet is low, beside others that pass more."""
        own = self._at(self.gauges[outlet].asset, _FLOW)
        others = [n for n in self._flows if self.gauges[n].is_regulator and n != own]
        if own is None or not others:
            return False
        flows = [*others, own]
        if not (self._habit.knows[flows].all() and np.isfinite(values[flows]).all()):
            return False
        return is_starved(values[outlet], usual[outlet], self._habit.spread[outlet], values[flows], usual[flows])

    def _regulator_claim(
        self, number: int, told: Sequence[Any], state: FindingState, values: Array, usual: Array
    ) -> Claim:
        gauge = self.gauges[number]
        is_high = values[number] > usual[number]
        inlet = self._at(gauge.asset, _INLET)
        reasons = regulator_reasons(
            told[3],
            is_high=is_high,
            is_fed_low=inlet is not None and values[inlet] < usual[inlet] * (1 - _OFF_SHARE),
        )
        return Claim(
            outcome=REGULATOR,
            key=told[0],
            state=state,
            severity=Severity.NORMAL if state is FindingState.CLEARED else Severity.MODERATE,
            score=round(abs(float(values[number] - usual[number])) / max(abs(float(usual[number])), 1e-6), 4),
            since_s=told[1],
            columns=(gauge.id,),
            suspects=() if state is FindingState.CLEARED else (Suspect(gauge.asset, 1.0),),
            value=round(float(values[number]), 2),
            expected=round(float(usual[number]), 2),
            seen={"method": self.name},
            fields={"place": gauge.asset, "reasons": reasons},
        )

    def claims(self) -> Sequence[Claim]:
        """What the last row changed."""
        return self._claims

    def state(self) -> dict[str, Any]:
        """All that is remembered, as JSON."""
        return {
            "habit": self._habit.state(),
            "past": [packed(values) for values in self._past],
            "off_rows": dict(self._off_rows),
            "regulators": {name: list(told) for name, told in self._regulators.items()},
            "break": None if self._break is None else list(self._break),
            "rows_fallen": self._rows_fallen,
            "first_s": None if isnan(self._first_s) else self._first_s,
            "last_s": None if isnan(self._last_s) else self._last_s,
            "number": self._number,
        }

    def restore(self, state: State) -> None:
        """Go on exactly where ``state`` was taken."""
        self._habit.restore(state["habit"])
        self._past = deque((unpacked(values) for values in state["past"]), maxlen=ROWS_HUNTING)
        self._off_rows = dict(state["off_rows"])
        self._regulators = {name: list(told) for name, told in state["regulators"].items()}
        self._break = None if state["break"] is None else list(state["break"])
        self._rows_fallen = state["rows_fallen"]
        self._first_s = nan if state["first_s"] is None else state["first_s"]
        self._last_s = nan if state["last_s"] is None else state["last_s"]
        self._number = state["number"]
        self._claims = []
