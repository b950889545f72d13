"""From the courses that the water may take to what is said about a low point. Pure."""

from collections.abc import Sequence

import numpy as np

from services.alerts.forecast.depth_track import DepthTrack
from services.alerts.forecast.hollow import FILM_CM, Courses
from services.alerts.forecast.outlook import AHEAD_MIN, Basis, Outlook, Spread
from services.alerts.forecast.quantile_forest import Array

_LEVELS = (0.1, 0.5, 0.9)


def outlook_of(point: str, time_s: float, track: DepthTrack, courses: Courses, grades_cm: Sequence[float]) -> Outlook:
    """The outlook of a point whose water may take these courses, which know of the grades."""
    peaks = np.maximum(courses.peak_cm, track.max_cm)
    soon = {grade: courses.passes_min[grade] <= AHEAD_MIN[-1] for grade in grades_cm}
    peak = _spread(peaks, courses.weights)
    return Outlook(
        point=point,
        issued_s=time_s,
        depth_cm=track.depth_cm,
        ahead={minutes: _spread(depths, courses.weights) for minutes, depths in courses.ahead_cm.items()},
        peak=Spread(max(peak.low, track.max_cm), peak.likely, peak.high),
        peak_s=time_s + 60.0 * _spread(courses.peak_min, courses.weights).likely,
        passing={
            grade: 1.0 if track.max_cm >= grade else float(courses.weights[soon[grade]].sum()) for grade in grades_cm
        },
        passes_min={
            grade: _spread(
                courses.passes_min[grade][passes], courses.weights[passes] / courses.weights[passes].sum()
            ).likely
            for grade, passes in soon.items()
            if passes.any()
        },
        basis=Basis.RAIN,
    )


def _spread(values: Array, weights: Array) -> Spread:
    order = np.argsort(values, kind="stable")
    shares = np.cumsum(weights[order]) - weights[order] / 2
    low, likely, high = np.interp(_LEVELS, shares, values[order]).tolist()
    # A road sensor knows no better than to the centimetre.
    return Spread(max(low - FILM_CM, 0.0), likely, high + FILM_CM)
