"""Digging beside gas mains: the ground shakes for minutes on end, and the register knows of no permit there."""

from collections.abc import Sequence
from math import exp, isfinite, isnan, nan
from typing import Any, ClassVar

from services.alerts.detectors.contract import Claim, Score, SearchDetector, State, Suspect
from services.alerts.gas.readings import LEL_PER_VOLUME, VIBRATION, Channel
from services.core.adjacency import apart_m
from services.core.finding import FindingState
from services.core.severity import Severity
from services.core.text import Text

WORKS = "gas-works-unpermitted"
_LEAST_MM_S = 2.0
"""What traffic beside a road hardly reaches; a default, to be set on site."""
_TIMES_USUAL = 6.0
_ROWS_TO_TELL, _COUNTED_ROWS = 3, 6
"""So many of the last rows have to shake: a lorry that passes does so once, a digger does so again and again."""
_OVER_S = 3 * 3600.0
_HABIT_S = 86_400.0
_FIRST_STEP_S, _LONGEST_STEP_S = 300.0, 1800.0
_LEARNS_S = 6 * 3600.0
_PERMIT_REACH_M = 30.0
"""A permit reaches so far beyond its radius: places in registers are coarse."""
_METHANE_NEAR_M, _METHANE_LEL = 60.0, 5.0


class WorksSearch(SearchDetector):
    """Tells where the ground beside a main shakes without a permit; graver where a space near it shows methane.

    ``channels`` are (sensor, quantity, asset, longitude, latitude). ``permits`` are (start and end in seconds,
    longitude, latitude, radius in metres); they may change while the memory goes on.

    Source: third-party damage is the most frequent cause of broken gas mains; thresholds are our own defaults.
    """

    name: ClassVar[str] = "works-search"
    version: ClassVar[str] = "1"
    passing: ClassVar[frozenset[str]] = frozenset({"permits"})

    __slots__ = (
        "_claims",
        "_first_s",
        "_last_s",
        "_methane",
        "_number",
        "_shaking",
        "_told",
        "_usual",
        "channels",
        "columns",
        "permits",
    )

    def __init__(self, channels: Sequence[Sequence[Any]], permits: Sequence[Sequence[float]] = ()) -> None:
        self.channels = sorted(Channel(*each) for each in channels)
        self.permits = [list(each) for each in permits]
        self.columns = tuple(channel.id for channel in self.channels)
        self._usual: dict[str, float] = {}
        self._shaking: dict[str, list[float]] = {}
        self._methane: dict[str, float] = {}
        self._told: dict[str, list[Any]] = {}
        self._claims: list[Claim] = []
        self._first_s = self._last_s = nan
        self._number = 0

    @property
    def watches(self) -> bool:
        """Whether any device listens to the ground."""
        return any(channel.quantity == VIBRATION for channel in self.channels)

    def configuration(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"channels": [list(channel) for channel in self.channels], "permits": self.permits}

    def score(self, time_s: float, row: Sequence[float]) -> Score:
        """How many times stronger than usual the ground shakes where it does so most."""
        self._claims = []
        if time_s <= self._last_s:
            # The same moment once more tells nothing new.
            return Score(0.0)
        seconds = _FIRST_STEP_S if isnan(self._last_s) else min(time_s - self._last_s, _LONGEST_STEP_S)
        self._first_s = time_s if isnan(self._first_s) else self._first_s
        self._last_s = time_s
        strongest = 0.0
        for channel, value in zip(self.channels, row, strict=True):
            if channel.quantity != VIBRATION and isfinite(value):
                self._methane[channel.id] = value * (LEL_PER_VOLUME if channel.quantity == "methane_volume" else 1.0)
        for channel, value in zip(self.channels, row, strict=True):
            if channel.quantity == VIBRATION and isfinite(value):
                strongest = max(strongest, self._judge(channel, value, time_s, seconds))
        return Score(strongest)

    def _judge(self, channel: Channel, value: float, time_s: float, seconds: float) -> float:
        usual = self._usual.get(channel.id, max(value, 0.0))
        limit = max(_LEAST_MM_S, _TIMES_USUAL * usual)
        shakes = value >= limit
        if not shakes or time_s - self._first_s < _LEARNS_S:
            self._usual[channel.id] = usual + (1 - exp(-seconds / _HABIT_S)) * (min(max(value, 0.0), limit) - usual)
        if time_s - self._first_s < _LEARNS_S:
            return 0.0
        rows = [*self._shaking.get(channel.id, []), value if shakes else 0.0][-_COUNTED_ROWS:]
        self._shaking[channel.id] = rows
        self._follow(channel, value, time_s, shakes=shakes, lasts=sum(each > 0 for each in rows) >= _ROWS_TO_TELL)
        return value / limit

    def _follow(self, channel: Channel, value: float, time_s: float, *, shakes: bool, lasts: bool) -> None:
        told = self._told.get(channel.id)
        if told is None:
            if lasts and not self._is_permitted(channel, time_s):
                self._number += 1
                severity = self._severity(channel)
                told = [f"works-{self._number}", time_s - (_ROWS_TO_TELL - 1) * _FIRST_STEP_S, time_s, int(severity)]
                self._told[channel.id] = told
                self._claims.append(self._claim(channel, told, FindingState.RAISED, value))
            return
        if shakes:
            told[2] = time_s
            severity = self._severity(channel)
            if severity > told[3]:
                told[3] = int(severity)
                self._claims.append(self._claim(channel, told, FindingState.CHANGED, value))
        elif time_s - told[2] >= _OVER_S:
            del self._told[channel.id]
            self._claims.append(self._claim(channel, told, FindingState.CLEARED, value))

    def _is_permitted(self, channel: Channel, time_s: float) -> bool:
        here = (channel.longitude, channel.latitude)
        return any(
            start_s <= time_s <= end_s and apart_m(here, (longitude, latitude)) <= radius_m + _PERMIT_REACH_M
            for start_s, end_s, longitude, latitude, radius_m in self.permits
        )

    def _severity(self, channel: Channel) -> Severity:
        return Severity.MAJOR if self._gas_near(channel) is not None else Severity.MODERATE

    def _gas_near(self, channel: Channel) -> str | None:
        """A methane device near the shaking that shows some."""
        here = (channel.longitude, channel.latitude)
        for other in self.channels:
            is_near = apart_m(here, (other.longitude, other.latitude)) <= _METHANE_NEAR_M
            if is_near and self._methane.get(other.id, 0.0) >= _METHANE_LEL:
                return other.id
        return None

    def _claim(self, channel: Channel, told: Sequence[Any], state: FindingState, value: float) -> Claim:
        gas = self._gas_near(channel)
        near = Text("", "") if gas is None else Text(f"; {gas} near it shows methane", f"；附近{gas}检出甲烷")
        return Claim(
            outcome=WORKS,
            key=told[0],
            state=state,
            severity=Severity.NORMAL if state is FindingState.CLEARED else Severity(told[3]),
            score=round(value / max(_LEAST_MM_S, _TIMES_USUAL * self._usual[channel.id]), 3),
            since_s=told[1],
            columns=(channel.id,),
            suspects=() if state is FindingState.CLEARED else (Suspect(channel.asset, 1.0),),
            value=value,
            expected=round(self._usual[channel.id], 3),
            seen={"method": self.name},
            fields={"place": channel.asset, "near": near},
        )

    def claims(self) -> Sequence[Claim]:
        """What the last row changed."""
        return self._claims

    def state(self) -> dict[str, Any]:
        """All that is remembered, as JSON."""
        return {
            "usual": dict(self._usual),
            "shaking": {name: list(rows) for name, rows in self._shaking.items()},
            "methane": dict(self._methane),
            "told": {name: list(told) for name, told in self._told.items()},
            "first_s": None if isnan(self._first_s) else self._first_s,
            "last_s": None if isnan(self._last_s) else self._last_s,
            "number": self._number,
        }

    def restore(self, state: State) -> None:
        """Go on exactly where ``state`` was taken."""
        self._usual = dict(state["usual"])
        self._shaking = {name: list(rows) for name, rows in state["shaking"].items()}
        self._methane = dict(state["methane"])
        self._told = {name: list(told) for name, told in state["told"].items()}
        self._first_s = nan if state["first_s"] is None else state["first_s"]
        self._last_s = nan if state["last_s"] is None else state["last_s"]
        self._number = state["number"]
        self._claims = []
