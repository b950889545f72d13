"""From the history of a city's waters to a forest: what was known at moments of past floodings, and what came then."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from math import log
from typing import Any, NamedTuple

import numpy as np

from services.alerts.forecast.depth_forecast import DepthForecast
from services.alerts.forecast.depth_track import DepthTrack, log_depth
from services.alerts.forecast.event_features import NAMES
from services.alerts.forecast.forest_training import grow_forest
from services.alerts.forecast.outlook import AHEAD_MIN
from services.alerts.forecast.quantile_forest import Array

MARKS_MIN = (2, 4, 6, 8, 10, 12, 15, 18, 21, 25, 30, 35, 40, 50, 60, 75, 90, 120, 150)
"""Ages of a flooding at which it teaches: often while it rises, when a forecast is worth most."""
_SOONEST_MIN = 5.0
_FEWEST_READINGS = 3


class Kind(IntEnum):
    """What a reading of the history tells."""

    DEPTH = 0
    RAIN = 1
    LEVEL = 2
    EXPECTED = 3


class Observed(NamedTuple):
    """A reading of the history: when, of what, of which point, gauge, level or nowcast, and the value."""

    time_s: float
    kind: Kind
    source: str
    value: float


@dataclass(slots=True)
class Lessons:
    """Rows of features with the outcomes of each, and the point, the begin and the end of the flooding they are of."""

    rows: list[list[float]] = field(default_factory=list)
    outcomes: list[list[float]] = field(default_factory=list)
    floodings: list[tuple[str, float, float]] = field(default_factory=list)

    def before(self, time_s: float) -> "Lessons":
        """The lessons of floodings that had ended before a moment."""
        kept = [index for index, (_, _, end_s) in enumerate(self.floodings) if end_s < time_s]
        return Lessons(
            [self.rows[index] for index in kept],
            [self.outcomes[index] for index in kept],
            [self.floodings[index] for index in kept],
        )

    def forest(self, **how: Any) -> dict[str, Any]:
        """What ``DepthForecast.adopt`` takes; ``how`` goes to ``grow_forest``.

        Raises:
            ValueError: there are too few lessons.
        """
        columns: Array = np.array(self.outcomes, dtype=np.float64).reshape(len(self.outcomes), len(TARGETS)).T
        rows: Array = np.array(self.rows, dtype=np.float64).reshape(len(self.rows), len(NAMES))
        return {"forest": grow_forest(rows, dict(zip(TARGETS, columns, strict=True)), NAMES, **how)}


TARGETS = ("peak", "left", *(f"in_{minutes}" for minutes in AHEAD_MIN))
"""Logarithms of the peak beside the greatest depth so far, of the minutes until it (and five), of depth beside now."""


class _Flooding(NamedTuple):
    point: str
    start_s: float
    end_s: float
    times_s: list[float]
    depths_cm: list[float]


def lessons_of(forecast: DepthForecast, history: Iterable[Observed]) -> Lessons:
    """What a history teaches forecasts with this configuration; the one that is given stays as it is.

    Readings may come in any order. A moment knows only what was read before it or at it; its outcome is what the rest
    of the same flooding brought, dry after its end.
    """
    readings = sorted(history)
    replayed = DepthForecast.of(forecast.configuration())
    marks = [
        (flooding.start_s + 60 * mark, flooding)
        for flooding in _floodings(readings, forecast)
        for mark in MARKS_MIN
        if flooding.start_s + 60 * mark <= flooding.end_s
    ]
    marks.sort(key=lambda mark: (mark[0], mark[1].point))
    lessons, at = Lessons(), 0
    for time_s, flooding in marks:
        while at < len(readings) and readings[at].time_s <= time_s:
            feed(replayed, readings[at])
            at += 1
        track = replayed.water.tracks[flooding.point]
        if track.start_s != flooding.start_s:
            continue
        lessons.rows.append(replayed.water.features(flooding.point, time_s))
        lessons.outcomes.append(_outcomes(flooding, track, time_s))
        lessons.floodings.append((flooding.point, flooding.start_s, flooding.end_s))
    return lessons


def feed(forecast: DepthForecast, observed: Observed) -> None:
    """Give a reading to a forecast."""
    take = (forecast.observe_depth, forecast.observe_rain, forecast.observe_level, forecast.observe_expected)
    take[observed.kind](observed.time_s, observed.source, observed.value)


def _floodings(readings: Sequence[Observed], forecast: DepthForecast) -> list[_Flooding]:
    """Every flooding that ended, with all its readings."""
    open_now: dict[str, tuple[DepthTrack, list[float], list[float]]] = {}
    found: list[_Flooding] = []
    for time_s, kind, point, depth_cm in readings:
        if kind is not Kind.DEPTH:
            continue
        track, times_s, depths_cm = open_now.setdefault(point, (DepthTrack(dry_cm=forecast.dry_cm), [], []))
        ended = track.observe(time_s, depth_cm)
        if ended is not None:
            if len(times_s) >= _FEWEST_READINGS:
                found.append(_Flooding(point, ended.start_s, times_s[-1], list(times_s), list(depths_cm)))
            times_s.clear()
            depths_cm.clear()
        if not track.is_open:
            times_s.clear()
            depths_cm.clear()
        times_s.append(time_s)
        depths_cm.append(depth_cm)
    return found


def _outcomes(flooding: _Flooding, track: DepthTrack, time_s: float) -> list[float]:
    later = [index for index, at_s in enumerate(flooding.times_s) if at_s > time_s]
    peak = max(later, key=lambda index: flooding.depths_cm[index], default=None)
    peak_cm = flooding.depths_cm[peak] if peak is not None else 0.0
    rises = peak is not None and peak_cm > track.max_cm
    left_min = (flooding.times_s[peak] - time_s) / 60 if rises and peak is not None else 0.0
    ahead = [
        float(np.interp(time_s + 60 * minutes, flooding.times_s, flooding.depths_cm, right=0.0))
        for minutes in AHEAD_MIN
    ]
    return [
        log_depth(max(peak_cm, track.max_cm)) - log_depth(track.max_cm),
        log(left_min + _SOONEST_MIN),
        *(log_depth(depth_cm) - log_depth(track.depth_cm) for depth_cm in ahead),
    ]
