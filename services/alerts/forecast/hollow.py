"""A low point as a hollow that rain fills and gullies empty: what can be said from the rain, before water stands."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtri

from services.alerts.forecast.outlook import AHEAD_MIN
from services.alerts.forecast.quantile_forest import Array
from services.alerts.forecast.storm_futures import STEP_MIN, Futures

FILM_CM = 1.0
"""What runs along the kerb in any rain and stands nowhere."""
_DEEPEST_CM = 40.0
"""The volume of a hollow is told for the depth of the highest grade."""
_RUNOFF_SHARE = 0.8
"""Of the rain: GB 50014 gives 0.85 to 0.95 for asphalt and roofs, 0.6 to 0.7 for built-up areas as a whole."""
_CONCENTRATION_MIN = 8
"""How long water takes to the gully: GB 50014 lets design with 5 to 15 minutes."""
_PARTICLES = 32
_FILL_STEPS = (0.8566748838545029, 0.733891856627126, 0.6287067210378087, 0.5385972572236101)
"""Fractions of an additive recurrence that fills four dimensions evenly (Roberts 2018)."""
_STEEPEST = 4.0
"""A wall stands where the water would be deeper than so many times the highest grade."""
_HOLDS_MIN, _HOLDS_SPREAD = 20.0, 0.7
"""Water that no rain explains (a full sewer, a stream from the next street) goes on as a shower's cell does, 20 to 30
minutes (Foote & Mohr 1979), for twice or half as long."""
_CLOGGED_HOLDS = 6.0
"""What gullies fail to swallow, because they are clogged or the sewer is full, they fail so many times as long."""
_ERROR_CM, _ERROR_SHARE = 1.0, 0.15
_SAYS = 0.1
"""What one reading of many in a row says about the place: their errors are not independent."""
_LEAST_BELIEVED = -3.0
"""However well one explains the past, the others stay possible: gullies clog and are cleaned."""
_DEEP_ENOUGH_CM = 3.0
_SMOOTHED_MIN = 5.0
_LONGEST_S = 900.0
_FORGETS = 0.002


class Hollow(NamedTuple):
    """What the register says: the area that drains there, what its gullies swallow, its volume at 40 cm of depth."""

    contributing_ha: float
    drain_m3_s: float
    storage_m3: float


_USUAL = Hollow(1.0, 0.2, 150.0)
"""For a hectare of any low point: gullies for 72 mm/h of runoff, about what a storm of every third year brings within
half an hour by the generic formula of GB 50014; a volume with which 15 mm of runoff stand 40 cm deep."""
_SPREAD_REGISTERED = (0.2, 0.25, 0.3)
_SPREAD_UNKNOWN = (0.2, 0.7, 0.6)
"""Logarithms by which area, drain and volume may differ, one standard deviation: of numbers in a register, and of any
low point: of a place that nobody described, rain alone seldom says that it will flood."""


class Courses(NamedTuple):
    """What may become of the water, one entry a possible course: depths in cm, and the weight of each.

    ``ahead_cm`` is the depth in so many minutes, ``peak_cm`` the greatest one ahead and ``peak_min`` when it comes,
    ``passes_min`` when a depth is reached first, endless where it is not; the weights add up to 1.
    """

    ahead_cm: Mapping[int, Array]
    peak_cm: Array
    peak_min: Array
    passes_min: Mapping[float, Array]
    weights: Array


class HollowModel:
    """Many low points that this one may be, each believed as well as it explained the depths so far (particles).

    Rain that runs off (after ``_CONCENTRATION_MIN`` on the way) minus what the gullies swallow is stored; the volume
    grows with the square of the depth, as in a wedge or a cone. Deterministic; depths in cm, rain in mm/min.
    """

    __slots__ = (
        "_area_m2",
        "_drain_m3_min",
        "_holds_min",
        "_last",
        "_log_weights",
        "_readings",
        "_surplus_m3_min",
        "_wedge_m3_cm2",
    )

    def __init__(self, hollow: Hollow | None = None) -> None:
        known = hollow or _USUAL
        spreads = (*(_SPREAD_REGISTERED if hollow else _SPREAD_UNKNOWN), _HOLDS_SPREAD)
        area, drain, storage, holds = (np.exp(spread * each) for spread, each in zip(spreads, _normals(), strict=True))
        self._holds_min = _HOLDS_MIN * holds
        self._area_m2 = known.contributing_ha * 1e4 * area
        self._drain_m3_min = known.drain_m3_s * 60 * drain
        self._wedge_m3_cm2 = known.storage_m3 / _DEEPEST_CM**2 * storage
        self._log_weights = np.zeros(_PARTICLES)
        self._surplus_m3_min = np.zeros(_PARTICLES)
        self._readings = 0
        self._last: tuple[float, float] | None = None

    def observe(self, time_s: float, depth_cm: float, rain_mm: Array) -> None:
        """Take a depth, and the rain of each minute before it, oldest first."""
        before, self._last = self._last, (time_s, depth_cm)
        if before is None or not 0 < time_s - before[0] <= _LONGEST_S:
            self._begin_anew()
            return
        minutes = (time_s - before[0]) / 60
        inflow = self._inflow_m3_min(rain_mm)[-max(1, round(minutes)) :].mean(axis=0)
        stood = self._stored_m3(before[1])
        expected_cm = self._depth_cm(np.maximum(stood + (inflow - self._drain_m3_min) * minutes, 0.0))
        is_deep = max(depth_cm, before[1]) >= _DEEP_ENOUGH_CM
        if is_deep or expected_cm.max() >= _DEEP_ENOUGH_CM:
            sigma_cm = _ERROR_CM + _ERROR_SHARE * abs(depth_cm - before[1])
            away = (expected_cm + FILM_CM - max(depth_cm, FILM_CM)) / sigma_cm
            self._log_weights += -_SAYS * minutes * np.minimum(away**2, 9.0) / 2
            self._log_weights *= 1 - _FORGETS * minutes
            self._log_weights = np.maximum(self._log_weights - self._log_weights.max(), _LEAST_BELIEVED)
        if is_deep:
            taken = (self._stored_m3(depth_cm) - stood) / minutes - (inflow - self._drain_m3_min)
            self._readings += 1
            share = max(1 / self._readings, min(minutes / _SMOOTHED_MIN, 1.0))
            self._surplus_m3_min += share * (taken - self._surplus_m3_min)
        else:
            self._begin_anew()

    def _begin_anew(self) -> None:
        self._readings = 0
        self._surplus_m3_min[:] = 0.0

    def courses(self, depth_cm: float, rain_mm: Array, futures: Futures, grades_cm: Sequence[float] = ()) -> Courses:
        """What may become of the water that stands ``depth_cm`` deep now, as the rain may go on."""
        behind = np.tile(rain_mm, (len(futures.mm_min), 1))
        ahead = np.repeat(futures.mm_min, STEP_MIN, axis=1)
        runoff = _routed(np.concatenate((behind, ahead), axis=1))[:, len(rain_mm) :]
        steps = runoff.reshape(len(ahead), -1, STEP_MIN).sum(axis=2).T
        weights = np.exp(self._log_weights)
        joint = np.outer(futures.weights, weights / weights.sum()).ravel()
        stored = np.tile(self._stored_m3(depth_cm), (len(ahead), 1))
        most, at_most, kept = stored.copy(), np.zeros(stored.shape), {}
        film_cm = min(depth_cm, FILM_CM)
        full = {grade: self._wedge_m3_cm2 * max(grade - film_cm, 0.0) ** 2 for grade in grades_cm}
        passes = {grade: np.where(stored >= full[grade], 0.0, np.inf) for grade in grades_cm}
        unswallowed = np.clip(self._surplus_m3_min, 0.0, self._drain_m3_min)
        more = self._surplus_m3_min - unswallowed
        for number, step in enumerate(steps):
            minutes = (number + 1) * STEP_MIN
            passed = number * STEP_MIN / self._holds_min
            surplus = unswallowed * np.exp(-passed / _CLOGGED_HOLDS) + more * np.exp(-passed)
            stored += np.multiply.outer(step, self._area_m2 / 1000)
            stored += (surplus - self._drain_m3_min) * STEP_MIN
            np.maximum(stored, 0.0, out=stored)
            higher = stored > most
            np.copyto(most, stored, where=higher)
            at_most[higher] = minutes
            for grade, volume_m3 in full.items():
                np.minimum(passes[grade], minutes, out=passes[grade], where=stored >= volume_m3)
            if minutes in AHEAD_MIN:
                kept[minutes] = self._depth_cm(stored).ravel() + film_cm
        first = {grade: minutes.ravel() for grade, minutes in passes.items()}
        return Courses(kept, self._depth_cm(most).ravel() + film_cm, at_most.ravel(), first, joint)

    def _inflow_m3_min(self, rain_mm: Array) -> Array:
        """What ran in during each minute, one column a particle."""
        inflow: Array = _routed(rain_mm[np.newaxis])[0][:, np.newaxis] * self._area_m2 / 1000
        return inflow

    def _stored_m3(self, depth_cm: float) -> Array:
        stored: Array = self._wedge_m3_cm2 * max(depth_cm - FILM_CM, 0.0) ** 2
        return stored

    def _depth_cm(self, stored_m3: Array) -> Array:
        depth: Array = np.minimum(np.sqrt(stored_m3 / self._wedge_m3_cm2), _STEEPEST * _DEEPEST_CM)
        return depth

    def state(self) -> dict[str, Any]:
        """All that is remembered, as JSON."""
        return {
            "log_weights": self._log_weights.tolist(),
            "surplus_m3_min": self._surplus_m3_min.tolist(),
            "readings": self._readings,
            "last": None if self._last is None else list(self._last),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where the model that returned ``state`` stood."""
        self._log_weights = np.array(state["log_weights"], dtype=np.float64)
        self._surplus_m3_min = np.array(state["surplus_m3_min"], dtype=np.float64)
        self._readings = state["readings"]
        last = state["last"]
        self._last = None if last is None else (last[0], last[1])


def _routed(rain_mm_min: Array) -> Array:
    """Rows of rain, minute by minute, as they come to the gully: a store that empties in the time of concentration."""
    routed: Array = rain_mm_min @ _unit_hydrograph(rain_mm_min.shape[1])
    return routed


@cache
def _unit_hydrograph(minutes: int) -> Array:
    """What a millimetre in the minute of the row brings to the gully in that of the column."""
    left = np.exp(-1 / _CONCENTRATION_MIN)
    after = np.arange(minutes) - np.arange(minutes)[:, np.newaxis]
    hydrograph: Array = np.where(after >= 0, _RUNOFF_SHARE * (1 - left) * left ** np.maximum(after, 0), 0.0)
    return hydrograph


@cache
def _normals() -> Array:
    """Standard normal values, evenly spread over four dimensions: one column a particle."""
    fill = np.mod(0.5 + np.outer(_FILL_STEPS, np.arange(1, _PARTICLES + 1)), 1.0)
    normals: Array = ndtri(fill)
    return normals
