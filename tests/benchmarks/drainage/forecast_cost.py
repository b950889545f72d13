"""What a forecast for a thousand flooded low points costs a processor core."""

import time
from collections.abc import Iterator
from random import Random

from services.alerts.forecast.depth_forecast import DepthForecast
from services.alerts.forecast.forecast_lessons import Lessons
from services.alerts.forecast.low_points import LowPoint

POINTS = 1000
_READINGS = 20
_ROUNDS = 3


def report(lessons: Lessons | None) -> Iterator[str]:
    """Lines that tell the cost: with a forest grown from ``lessons``, if any, and with the default for any point."""
    forecast = flooded_city()
    yield f"Forecast for {POINTS:,} flooded points, seconds of processor time: default {_seconds(forecast):.2f}"
    if lessons is None:
        return
    begin_s = time.process_time()
    forecast.adopt(lessons.forest())
    grown_s = time.process_time() - begin_s
    yield f"with a forest from {len(lessons.rows):,} lessons {_seconds(forecast):.2f} (grown in {grown_s:.0f})"


def flooded_city() -> DepthForecast:
    """A thousand points with twenty readings each, all under water."""
    draw = Random(1)  # noqa: S311  # made-up floods, not secrets
    points = [LowPoint(f"P{number}", draw.uniform(116, 117), draw.uniform(39, 40)) for number in range(POINTS)]
    forecast = DepthForecast(points)
    for point in points:
        rise = draw.uniform(0.1, 1.0)
        for minute in range(_READINGS):
            forecast.observe_depth(60.0 * minute, point.id, rise * minute)
    return forecast


def _seconds(forecast: DepthForecast) -> float:
    best = float("inf")
    for number in range(_ROUNDS):
        begin_s = time.process_time()
        told = forecast.forecasts(60.0 * _READINGS + number)
        best = min(best, time.process_time() - begin_s)
        if len(told) != POINTS:
            raise RuntimeError(f"{len(told)} of {POINTS} points were told")
    return best
