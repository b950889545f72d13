"""Detectors that are content with three related sensors."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from tests.contract.detector_examples import STEP_S, Example, Row, Stream

_COLUMNS = ("a", "b", "c")
_FLOORS = (0.5, 0.5, 0.5)


def _silent(normal: Stream) -> Iterable[Row]:
    return [(normal[5][0], normal[5][1])]


def _raised_all_day(normal: Stream) -> Iterable[Row]:
    return [(time_s, tuple(value + 60 for value in row)) for time_s, row in normal]


def _standing_still(normal: Stream) -> Iterable[Row]:
    return [(time_s, (301.0, *row[1:])) for time_s, row in normal[:40]]


def _jumping(normal: Stream) -> Iterable[Row]:
    return [
        (time_s, (row[0] + (900 if step % 4 == 0 else 0), *row[1:])) for step, (time_s, row) in enumerate(normal[:32])
    ]


def _rising(normal: Stream) -> Iterable[Row]:
    return [(time_s, (300.0 + 40 * step, *row[1:])) for step, (time_s, row) in enumerate(normal[:12])]


def _lowered(normal: Stream) -> Iterable[Row]:
    return [(time_s, (row[0] - 40, *row[1:])) for time_s, row in normal[:32]]


def _far_away(normal: Stream) -> Iterable[Row]:
    return [(time_s, tuple(value + 150 for value in row)) for time_s, row in normal[:32]]


def _slightly_raised(normal: Stream) -> Iterable[Row]:
    """By two standard deviations, which is too little for one value to show."""
    return [(time_s, (row[0] + 4, *row[1:])) for time_s, row in normal[:32]]


EXAMPLES: Mapping[str, Example] = MappingProxyType(
    {
        "change-point": Example({"floor": 1.0, "window": 36}, fault=_slightly_raised),
        "cusum": Example({"floor": 1.0}, fault=_slightly_raised),
        "ewma": Example({"floor": 1.0}, fault=_slightly_raised),
        "gap": Example({"interval_s": STEP_S}, fault=_silent),
        "isolation-forest": Example(
            {"columns": _COLUMNS, "floors": _FLOORS, "trees": 20, "sample": 192, "warm_up": 192, "refit": 384},
            fault=_far_away,
        ),
        "multivariate-residual": Example({"columns": _COLUMNS, "floors": _FLOORS, "warm_up": 96}),
        "neighbour-residual": Example(
            {
                "columns": _COLUMNS,
                "directions": [-1, -1, -1],
                "floors": _FLOORS,
                "ceilings": [80.0, 80.0, 80.0],
                "warm_up": 96,
            },
            fault=_lowered,
        ),
        "movement": Example({"window_s": 1800.0}, fault=_jumping, silent_at_first=False),
        "night-flow": Example({"start_s": 7200.0, "end_s": 14400.0, "warm_up": 2}, fault=_raised_all_day),
        "one-class": Example({"columns": _COLUMNS, "floors": _FLOORS, "sample": 128, "warm_up": 96, "refit": 192}),
        "out-of-range": Example({"low": 0.0, "high": 1000.0}, fault=_jumping, silent_at_first=False),
        "principal-components": Example({"columns": _COLUMNS, "floors": _FLOORS, "warm_up": 96}),
        "rate": Example({"window_s": 7200.0, "floor": 0.0}, fault=_rising, silent_at_first=False),
        "seasonal": Example({"floor": 1.0}),
        "spikes": Example({"floor": 5.0}, fault=_jumping, silent_at_first=False),
        "stuck": Example({}, fault=_standing_still),
        "value": Example({}, silent_at_first=False),
        "weekly-seasonal": Example(
            {"floor": 1.0, "holidays": {"1970-01-07": 6}, "timezone": "Asia/Shanghai"}, days=14.0
        ),
    }
)
