"""Rain that a weather service expects: known from its issue on, believed as far as it was right, and worth having."""

import json
from datetime import UTC, datetime, timedelta
from math import nan, pi, sin, sqrt
from statistics import fmean

import numpy as np
import pytest

from services.alerts.forecast.depth_forecast import DepthForecast
from services.alerts.forecast.expected_rain import HORIZONS_MIN, ExpectedRain
from services.alerts.forecast.low_points import Gauge, LowPoint, Nowcast
from services.alerts.forecast.rain_record import RainRecord
from services.alerts.forecast.storm_futures import STEP_MIN, futures_of
from services.alerts.forecast.waterlogging_search import WaterloggingSearch
from services.core.finding import FindingState
from simulators.physics.rain_radar import RainRadar

_POINT, _GAUGE = LowPoint("road", 117.0, 31.0), Gauge("rain", 117.0, 31.0)
_NOWCASTS = tuple(Nowcast(name, 117.01, 31.0, minutes) for name, minutes in HORIZONS_MIN.items())
_HOLLOWS = {"road": (1.0, 40 / 360, 150.0)}
"""A hectare, gullies that take 40 mm/h of it, and the volume of the hollow below 40 cm."""
_ORIGIN = datetime(2026, 7, 1, tzinfo=UTC)
_BEGINS_MIN, _LASTS_MIN, _LENGTH_MIN = 60, 50, 150


def _rain_mm_h(minute: float, peak_mm_h: float) -> float:
    since = (minute - _BEGINS_MIN) / _LASTS_MIN
    return peak_mm_h * sin(pi * since) ** 2 if 0 < since < 1 else 0.0


def _depths_cm(peak_mm_h: float) -> list[float]:
    """A hectare runs into a hollow whose gullies take 40 mm/h of it: depth by minute."""
    stored_m3, routed, depths = 0.0, 0.0, []
    for minute in range(_LENGTH_MIN + 61):
        depths.append(40 * sqrt(stored_m3 / 150))
        routed += (0.8 * _rain_mm_h(minute, peak_mm_h) - routed) / 8
        stored_m3 = max(stored_m3 + (routed - 40) / 60 * 10, 0.0)
    return depths


def _expected_mm(radar: RainRadar, minute: int) -> dict[str, float]:
    time = _ORIGIN + timedelta(minutes=minute)
    return {name: radar.expected_mm("here", time, minutes) for name, minutes in HORIZONS_MIN.items()}


def _radar(peak_mm_h: float, seed: int) -> RainRadar:
    return RainRadar(["here"], lambda _, time: _rain_mm_h((time - _ORIGIN) / timedelta(minutes=1), peak_mm_h), seed)


def _error_cm(peak_mm_h: float, seed: int, *, with_radar: bool) -> float:
    """Mean error of the depth in half an hour, over a storm."""
    forecast = DepthForecast([_POINT], [_GAUGE], _NOWCASTS if with_radar else (), hollows=_HOLLOWS)
    radar, depths = _radar(peak_mm_h, seed), _depths_cm(peak_mm_h)
    errors = []
    for minute in range(_LENGTH_MIN):
        time_s = 60.0 * minute
        forecast.observe_rain(time_s, "rain", _rain_mm_h(minute - 0.5, peak_mm_h))
        if with_radar and minute % 5 == 0:
            for name, sum_mm in _expected_mm(radar, minute).items():
                forecast.observe_expected(time_s, name, sum_mm)
        forecast.observe_depth(time_s, "road", depths[minute])
        if minute % 5 == 0:
            (outlook,) = forecast.forecasts(time_s)
            errors.append(abs(outlook.ahead[30].likely - depths[minute + 30]))
    return fmean(errors)


def test_depths_are_foretold_better_with_a_radar_that_errs() -> None:
    storms = [(40.0, 1), (70.0, 2), (95.0, 3), (120.0, 4)]
    without = fmean(_error_cm(*storm, with_radar=False) for storm in storms)
    with_it = fmean(_error_cm(*storm, with_radar=True) for storm in storms)
    assert with_it < 0.75 * without, f"{with_it:.1f} cm with the radar, {without:.1f} cm without"


def _search(nowcasts: tuple[Nowcast, ...]) -> WaterloggingSearch:
    return WaterloggingSearch("expected", [_POINT[:3]], [_GAUGE], nowcasts, hollows=_HOLLOWS)


def _warned_min(search: WaterloggingSearch, peak_mm_h: float, *, speaks: bool) -> tuple[int, list[str]]:
    """The minute of the first warning, and everything that was told."""
    radar, depths, told, first = _radar(peak_mm_h, 5), _depths_cm(peak_mm_h), [], _LENGTH_MIN
    for minute in range(_LENGTH_MIN):
        row = {"road": depths[minute], "rain": _rain_mm_h(minute - 0.5, peak_mm_h)}
        if speaks and minute % 5 == 0:
            row |= _expected_mm(radar, minute)
        search.score(60.0 * minute, [row.get(column, nan) for column in search.columns])
        if any(claim.state is FindingState.RAISED for claim in search.claims()):
            first = min(first, minute)
        told.append(json.dumps([search.claims(), search.forecasts()], default=str))
    return first, told


def test_a_warning_comes_sooner_with_a_radar() -> None:
    passes = next(minute for minute, depth_cm in enumerate(_depths_cm(110.0)) if depth_cm >= 15)
    with_it, _ = _warned_min(_search(_NOWCASTS), 110.0, speaks=True)
    without, _ = _warned_min(_search(()), 110.0, speaks=False)
    assert with_it <= without - 5
    assert with_it < passes - 15


def test_where_no_radar_speaks_nothing_changes() -> None:
    assert _warned_min(_search(_NOWCASTS), 110.0, speaks=False) == _warned_min(_search(()), 110.0, speaks=False)


def test_a_search_goes_on_from_its_saved_state() -> None:
    whole, halves = _search(_NOWCASTS), [_search(_NOWCASTS), _search(_NOWCASTS)]
    radar, depths = _radar(110.0, 5), _depths_cm(110.0)
    for minute in range(100):
        if minute == 67:
            halves[1].restore(json.loads(json.dumps(halves[0].state())))
        row = {"road": depths[minute], "rain": _rain_mm_h(minute - 0.5, 110.0)}
        if minute % 5 == 0:
            row |= _expected_mm(radar, minute)
        values = [row.get(column, nan) for column in whole.columns]
        half = halves[minute >= 67]
        assert half.score(60.0 * minute, values) == whole.score(60.0 * minute, values)
        assert half.forecasts() == whole.forecasts()


def test_what_is_expected_counts_from_its_issue_and_not_for_ever() -> None:
    expected = ExpectedRain()
    assert expected.is_silent(0.0)
    expected.observe(600.0, 15, 6.0)
    expected.observe(600.0, 30, 9.0)
    assert expected.is_silent(599.0), "a forecast was known before it was issued"
    assert expected.sum_mm(600.0, 15) == pytest.approx(6.0)
    assert 3.0 < expected.sum_mm(600.0 + 300, 10) < 4.0, "what has passed is still expected"
    assert 6.0 < expected.sum_mm(600.0 + 300, 60) < 7.0
    expected.observe(300.0, 15, 50.0)
    assert expected.sum_mm(600.0, 15) == pytest.approx(6.0), "an older issue took the place of a newer one"
    assert expected.is_silent(600.0 + 1800)


def test_a_radar_that_tells_twice_what_falls_is_halved() -> None:
    gauge, expected = RainRecord(), ExpectedRain()
    for minute in range(1200):
        time_s = 60.0 * minute
        gauge.observe(time_s, 24.0)
        if minute % 5 == 0:
            expected.observe(time_s, 15, 12.0, gauge)
    futures = expected.futures(time_s, futures_of(gauge, time_s))
    middle_mm = float(np.median(futures.mm_min[:, : 10 // STEP_MIN].sum(axis=1))) * STEP_MIN
    assert middle_mm == pytest.approx(24.0 * (10 // STEP_MIN) * STEP_MIN / 60, rel=0.25)
