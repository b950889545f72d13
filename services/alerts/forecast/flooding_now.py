"""What all low points of a city do at one moment, side by side, so that one point can be seen among its neighbours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.alerts.forecast.depth_track import DepthTrack, log_depth
from services.alerts.forecast.habits import Habit

Array = NDArray[np.float64]

HEARD_S = 6 * 3600.0
"""Points not heard for longer are no neighbours: they may be dry, or silent."""
_HOUR_S = 3600.0
_FRESH_S = 1200.0
_REACHES_KM = (3.0, 15.0)
"""How far a street's rain cell and a town's storm reach: weights fall by e over these distances."""
_PRIOR_WEIGHT = 0.05
_OVER = 0.5
"""Weight of a neighbour whose flooding has ended, beside one that is still flooded."""
_FALLING = 0.9

NAMES = (
    "flooding_30min",
    "flooding_60min",
    "begun_30min",
    "begun_60min",
    "heard",
    "falling",
    "mean_rise",
    "most_unusual",
    "mean_unusual",
    *(f"{name}_{reach:g}km" for reach in _REACHES_KM for name in ("weight", "log_peak", "unusual", "rise", "tidal")),
    "near_km",
    "near_depth",
    "near_max",
    "near_age",
    "near_rise",
    "near_unusual",
)
_USUAL_LOG = log_depth(10.0)


@dataclass(frozen=True, slots=True)
class FloodingNow:
    """One row for each point heard lately: where it is, whether flooded, depth, peak so far, rise in ten minutes."""

    time_s: float
    points: Mapping[str, int]
    place_km: Array
    is_open: NDArray[np.bool_]
    depth_cm: Array
    max_cm: Array
    log_peak: Array
    rise_cm: Array
    silent_s: Array
    age_s: Array
    unusual: Array
    tidal: Array

    @classmethod
    def of(cls, time_s: float, heard: Sequence[tuple[str, tuple[float, float], DepthTrack, Habit]]) -> "FloodingNow":
        """The points at a moment: each with its place in km, its track and its habit."""
        rows = [_row(time_s, place, track, habit) for _, place, track, habit in heard]
        table = np.array(rows, dtype=np.float64).reshape(len(rows), 11).T
        return cls(
            time_s=time_s,
            points={point: index for index, (point, *_) in enumerate(heard)},
            place_km=table[:2].T,
            is_open=table[2] > 0,
            depth_cm=table[3],
            max_cm=table[4],
            log_peak=table[5],
            rise_cm=table[6],
            silent_s=table[7],
            age_s=table[8],
            unusual=table[9],
            tidal=table[10],
        )

    def around(self, point: str, place_km: tuple[float, float]) -> list[float]:
        """What the other points do, in the order of ``NAMES``."""
        others = np.ones(len(self.points), dtype=bool)
        if point in self.points:
            others[self.points[point]] = False
        is_open = self.is_open & others
        fresh = is_open & (self.silent_s < _FRESH_S)
        hour = is_open & (self.silent_s < _HOUR_S)
        rise = np.where(fresh, self.rise_cm, 0.0)
        known = self.unusual[others]
        found = [
            float((is_open & (self.silent_s < _HOUR_S / 2)).sum()),
            float(hour.sum()),
            float((hour & (self.age_s < _HOUR_S / 2)).sum()),
            float((hour & (self.age_s < _HOUR_S)).sum()),
            float(others.sum()),
            float((fresh & (self.depth_cm < _FALLING * self.max_cm)).sum()),
            float(self.rise_cm[fresh].mean()) if fresh.any() else np.nan,
            float(known.max()) if len(known) else np.nan,
            float(known.mean()) if len(known) else np.nan,
        ]
        distance_km = np.hypot(self.place_km[:, 0] - place_km[0], self.place_km[:, 1] - place_km[1])
        columns = np.stack((self.log_peak, self.unusual, rise, self.tidal))
        for reach_km in _REACHES_KM:
            weight = np.exp(-distance_km / reach_km) * np.where(self.is_open, 1.0, _OVER) * others
            total = float(weight.sum())
            found.append(total)
            total += _PRIOR_WEIGHT
            sums = columns @ weight
            sums[0] += _PRIOR_WEIGHT * _USUAL_LOG
            found += (sums / total).tolist()
        if not is_open.any():
            return [*found, *([np.nan] * 6)]
        near = int(np.argmin(np.where(is_open, distance_km, np.inf)))
        neighbour = (distance_km, self.depth_cm, self.max_cm, self.age_s / 60, rise, self.unusual)
        return [*found, *(float(column[near]) for column in neighbour)]


def _row(time_s: float, place_km: tuple[float, float], track: DepthTrack, habit: Habit) -> tuple[float, ...]:
    last_s = track.last_s if track.last_s is not None else time_s
    if track.is_open:
        peak = log_depth(track.max_cm)
    else:
        peak = log_depth(track.past[-1].peak_cm) if track.past else log_depth(0.0)
    return (
        *place_km,
        float(track.is_open),
        track.depth_cm,
        track.max_cm,
        peak,
        track.rise_cm(last_s, 10),
        time_s - last_s,
        time_s - track.start_s,
        peak - habit.log_peak,
        habit.tide.concentration,
    )
