"""A made-up city of four low points that flood after showers: enough to learn from in a second."""

from math import exp
from random import Random

from services.alerts.forecast.depth_forecast import DepthForecast
from services.alerts.forecast.forecast_lessons import Kind, Observed
from services.alerts.forecast.low_points import Gauge, LowPoint

POINTS = (
    LowPoint("A", 116.30, 39.90, upstream=("manhole",), downstream=("river",)),
    LowPoint("B", 116.31, 39.90),
    LowPoint("C", 116.33, 39.91),
    LowPoint("D", 116.40, 39.95),
)
GAUGES = (Gauge("G", 116.31, 39.90),)
DAY_S = 86400.0
START_S = 1_700_000_000.0


def city(*, reports_when_dry: bool = True) -> DepthForecast:
    return DepthForecast(POINTS, GAUGES, reports_when_dry=reports_when_dry)


def depth_cm(minutes: float, peak_cm: float, rise_min: float) -> float:
    """A flooding that rises along a parabola and drains by e in 40 minutes; dry below 2 mm."""
    if minutes < 0:
        return 0.0
    if minutes < rise_min:
        return round(peak_cm * (1 - (1 - minutes / rise_min) ** 2), 2)
    left = peak_cm * exp(-(minutes - rise_min) / 40)
    return round(left, 2) if left > 0.2 else 0.0


def flooding(start_s: float, point: str, peak_cm: float, rise_min: float) -> list[Observed]:
    """Its readings every two minutes, the first and the last of them dry."""
    found = [Observed(start_s, Kind.DEPTH, point, 0.0)]
    minute = 2.0
    while found[-1].value > 0 or len(found) == 1:
        depth = depth_cm(minute, peak_cm, rise_min)
        found.append(Observed(start_s + 60 * minute, Kind.DEPTH, point, depth))
        minute += 2
    return found


def history(floodings: int, seed: int = 1) -> list[Observed]:
    """One storm a day that floods every point, higher where it rises faster; rain at the gauge as it is."""
    draw = Random(seed)  # noqa: S311  # made-up floods, not secrets
    found: list[Observed] = []
    for day in range(floodings // len(POINTS)):
        storm = draw.uniform(0.5, 3.0)
        begin_s = START_S + day * DAY_S
        found += [Observed(begin_s - 900 + 300 * step, Kind.RAIN, "G", 20 * storm * (step < 9)) for step in range(24)]
        for order, point in enumerate(POINTS):
            peak_cm = 8 * storm * (1 + 0.3 * order) * draw.uniform(0.9, 1.1)
            found += flooding(begin_s + 120 * order, point.id, peak_cm, 30 + 10 * draw.random())
    return sorted(found)
