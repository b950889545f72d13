"""What the weather has done to a bridge, as numbers that a linear relation can use: now, and some time ago.

A box girder follows the air over hours, its ground and its asphalt over days; frozen asphalt stiffens; wet concrete is
heavier. Lagged temperatures stand for what no thermometer measures. Source: the influence of lagged temperature on
strains and frequencies is common ground of bridge monitoring, told for the Z24 bridge (Peeters and De Roeck 2001).
"""

from collections.abc import Sequence
from math import cos, exp, isfinite, sin, tau
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.alerts.structures.channels import AIR_TEMPERATURES, DECK_TEMPERATURES, MOISTURE, WIND, positions

Array = NDArray[np.float64]

_HOUR_S, _DAY_S = 3600.0, 86_400.0
_LAGS_S = (12 * _HOUR_S, 48 * _HOUR_S, 240 * _HOUR_S)
_MOIST_S = 240 * _HOUR_S
_KELVIN, _PERCENT, _M_S = 10.0, 20.0, 5.0
"""Units in which the features are of the order of one."""
_LONGEST_GAP_S = 6 * _HOUR_S
"""After a longer silence the lagged temperatures start afresh from the present one."""
_HARD_FROST_C = 8.0
"""From so many degrees below zero on, what can freeze is frozen."""
FEATURES = 12
QUICK = 8
FROST = 7
"""Where in the slow features the frost stands."""


class Weather:
    """Turns the thermometers of a row into features; remembers the lagged ones."""

    def __init__(self, quantities: Sequence[str]) -> None:
        self._deck = positions(quantities, DECK_TEMPERATURES)
        self._air = positions(quantities, AIR_TEMPERATURES)
        self._moisture = positions(quantities, MOISTURE)
        self._wind = positions(quantities, WIND)
        self._lagged: list[float] = []
        self._moist: float | None = None
        self._windy: float | None = None
        self._last_s: float | None = None

    @property
    def is_measured(self) -> bool:
        """Whether there is any thermometer."""
        return bool(self._deck or self._air)

    def take(self, time_s: float, row: Sequence[float]) -> tuple[Array, Array, float] | None:
        """The slow features, the quick ones and the temperature (degC) of a row; ``None`` without a temperature."""
        deck, air = _mean(row, self._deck), _mean(row, self._air)
        warm = deck if deck is not None else air
        if warm is None:
            return None
        cold = air if air is not None else warm
        self._follow(time_s, warm, _mean(row, self._moisture), _mean(row, self._wind))
        across = _difference(row, self._deck)
        half_day, two_days, ten_days = self._lagged
        slow = np.array(
            [
                1.0,
                warm / _KELVIN,
                (warm / _KELVIN) ** 2,
                half_day / _KELVIN,
                two_days / _KELVIN,
                ten_days / _KELVIN,
                (cold - warm) / _KELVIN,
                max(0.0, -warm) / _KELVIN,
                max(0.0, -warm - _HARD_FROST_C) / _KELVIN,
                ((self._moist or 60.0) - 60.0) / _PERCENT,
                (self._windy or 0.0) / _M_S,
                across / _KELVIN,
            ]
        )
        turn = tau * time_s / _DAY_S
        quick = np.array(
            [
                (warm - half_day) / _KELVIN,
                (warm - two_days) / _KELVIN,
                (cold - warm) / _KELVIN,
                across / _KELVIN,
                sin(turn),
                cos(turn),
                sin(2 * turn),
                cos(2 * turn),
            ]
        )
        return slow, quick, warm

    def _follow(self, time_s: float, warm: float, moist: float | None, windy: float | None) -> None:
        since_s = None if self._last_s is None else time_s - self._last_s
        self._last_s = time_s
        self._windy = self._windy if windy is None else windy
        if since_s is None or since_s > _LONGEST_GAP_S:
            self._lagged = [warm] * len(_LAGS_S)
            self._moist = self._moist if moist is None else moist
            return
        self._lagged = [
            warm + (before - warm) * exp(-since_s / lag_s) for before, lag_s in zip(self._lagged, _LAGS_S, strict=True)
        ]
        if moist is not None:
            before = moist if self._moist is None else self._moist
            self._moist = moist + (before - moist) * exp(-since_s / _MOIST_S)

    def state(self) -> dict[str, Any]:
        """The lagged values."""
        return {"lagged": list(self._lagged), "moist": self._moist, "windy": self._windy, "last_s": self._last_s}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up lagged values."""
        self._lagged = list(state["lagged"])
        self._moist, self._windy, self._last_s = state["moist"], state["windy"], state["last_s"]


def _mean(row: Sequence[float], places: Sequence[int]) -> float | None:
    known = [row[place] for place in places if isfinite(row[place])]
    return sum(known) / len(known) if known else None


def _difference(row: Sequence[float], places: Sequence[int]) -> float:
    """How much warmer the first thermometer of the deck is than the last: a gradient, where they are apart."""
    known = [row[place] for place in places if isfinite(row[place])]
    return known[0] - known[-1] if len(known) == len(places) > 1 else 0.0
