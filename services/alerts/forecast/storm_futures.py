"""How a rain that is falling may go on: what storms that began like it brought next."""

from functools import cache
from typing import NamedTuple

import numpy as np

from services.alerts.forecast.quantile_forest import Array
from services.alerts.forecast.rain_record import RainRecord

AHEAD_MIN = 120
BEHIND_MIN = 60
STEP_MIN = 3
"""Futures are told in steps of so many minutes."""
KEPT = 32
"""So many of the storms most alike speak."""
_SEED = 1957
_STORMS = 400
_WINDOWS_MIN = ((0, 3), (3, 8), (8, 15), (15, 30), (30, 60))
"""How long ago, from and to: near moments in more detail than those before them."""
_ERRORS = np.array((0.2, 0.3, 0.35, 0.45, 0.6))
"""Standard deviations by which the logarithms of two alike storms differ in each window: gauges sample gusts of
minutes, and the longer ago, the less it says about what comes."""
_DRIZZLE_MM_H = 2.0
"""Added to intensities before their logarithm."""
_DURATIONS_MIN = (40.0, 240.0)
_YEARLY_MM_H = 12.0 * 60
_C, _B_MIN, _N = 0.75, 10.0, 0.72
"""An intensity-duration formula i = a (1 + c lg P) / (t + b)^n of the usual Chinese form (GB 50014) with generic
coefficients; only ratios and orders of magnitude of it are used, a storm is scaled to what the gauge shows."""
_GUST_MIN, _GUSTINESS = 5, 0.2
_LEAST_SHARE = 0.15
"""The weakest showers have such a share of the depth of the yearly storm."""
_HUFF = ((1.6, 4.2), (2.4, 3.2), (3.2, 3.2), (3.2, 2.4), (4.2, 1.6))
"""Beta densities for storms whose greatest rain falls in the first to the last quarter (Huff 1967), and even bells."""


class Futures(NamedTuple):
    """Rain in mm/min in each step ahead, one row a way in which it may go on; the weights of the rows add up to 1."""

    mm_min: Array
    weights: Array


class _Library(NamedTuple):
    """Moments of storms: the logarithms of intensity in each window before, and the rain of each step after, mm/min."""

    before: Array
    after: Array


def futures_of(record: RainRecord, time_s: float) -> Futures:
    """The ways in which the rain at a gauge may go on."""
    library = _library()
    past_mm_min = record.minutes_mm(time_s, BEHIND_MIN)
    now = _logs(past_mm_min[np.newaxis] * 60)[0]
    squares = (((library.before - now) / _ERRORS) ** 2).sum(axis=1)
    kept = np.argpartition(squares, KEPT)[:KEPT]
    weights = np.exp(-(squares[kept] - squares[kept].min()) / 2)
    # What is alike at another height goes on at this height.
    scale = np.exp(now[0] - library.before[kept, 0])
    return Futures(library.after[kept] * scale[:, np.newaxis], weights / weights.sum())


def _logs(mm_h: Array) -> Array:
    """Logarithms of the mean intensity in each window before the end of rows of minutes."""
    length = mm_h.shape[1]
    means = [mm_h[:, length - until : length - since].mean(axis=1) for since, until in _WINDOWS_MIN]
    logs: Array = np.log(np.stack(means, axis=1) + _DRIZZLE_MM_H)
    return logs


@cache
def _library() -> _Library:
    """Storms as intensity-duration formulas and rain gauges show them, drawn once and always the same."""
    rng = np.random.default_rng(_SEED)
    befores: list[Array] = []
    afters: list[Array] = []
    for _ in range(_STORMS):
        storm = _storm_mm_h(rng)
        padded = np.concatenate((np.zeros(BEHIND_MIN), storm, np.zeros(AHEAD_MIN)))
        moments = np.arange(2, len(storm) + 10, 3) + BEHIND_MIN
        moments = moments[moments + AHEAD_MIN <= len(padded)]
        behind = moments[:, np.newaxis] + np.arange(-BEHIND_MIN, 0)
        ahead = moments[:, np.newaxis] + np.arange(AHEAD_MIN)
        befores.append(_logs(padded[behind]))
        afters.append(padded[ahead].reshape(len(moments), -1, STEP_MIN).mean(axis=2) / 60)
    return _Library(np.concatenate(befores), np.concatenate(afters))


def _storm_mm_h(rng: np.random.Generator) -> Array:
    """A storm of a drawn length, shape and strength, minute by minute.

    Depths of single storms are about exponential (the formula's own logarithm of the return period), so weak ones are
    many; drawn twice as wide here, so that of the rare ones, which this is about, there are enough to be alike.
    """
    duration = round(float(np.exp(rng.uniform(*np.log(_DURATIONS_MIN)))))
    share = _LEAST_SHARE + float(rng.exponential(2 * _C / np.log(10)))
    depth_mm = share * _YEARLY_MM_H / 60 * duration / float((duration + _B_MIN) ** _N)
    minutes = (np.arange(duration) + 0.5) / duration
    kind = int(rng.integers(len(_HUFF) + 1))
    if kind == len(_HUFF):
        shape = _chicago(minutes, duration, float(rng.uniform(0.2, 0.7)))
    else:
        one, other = _HUFF[kind]
        shape = minutes ** (one - 1) * (1 - minutes) ** (other - 1)
    knots = np.arange(duration // _GUST_MIN + 2) * _GUST_MIN
    shape = shape * np.exp(_GUSTINESS * np.interp(np.arange(duration), knots, rng.standard_normal(len(knots))))
    storm: Array = shape / shape.sum() * depth_mm * 60
    return storm


def _chicago(minutes: Array, duration: int, peak_at: float) -> Array:
    """The shape of a Chicago storm (Keifer & Chu 1957): about the peak the formula's intensity at each distance."""
    away = (minutes - peak_at) * duration
    around_min = np.abs(away) / np.where(away < 0, peak_at, 1 - peak_at)
    shape: Array = ((1 - _N) * around_min + _B_MIN) / (around_min + _B_MIN) ** (1 + _N)
    return shape
