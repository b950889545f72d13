"""A district with one metered inlet and three pressure loggers: what hydraulics say, and a leak in it."""

from collections.abc import Iterable, Mapping
from functools import cache
from math import sin, tau
from types import MappingProxyType
from typing import Any

import numpy as np

from services.alerts.detectors import AnyDetector
from services.alerts.detectors.inlet_leak import InletLeak
from tests.contract.detector_examples import DAY_S, STEP_S, Example, Row, Stream

_STILL_M = 60.0
_LOSS_M = (8.0, 12.0, 6.0)
"""Head loss to each logger at a flow of 100, which grows with the power 1.852 (Hazen and Williams)."""
_LEAK = 25.0


def _row(flow: float, moods: Iterable[float]) -> list[float]:
    return [_STILL_M - loss * (flow / 100) ** 1.852 * mood for loss, mood in zip(_LOSS_M, moods, strict=True)]


@cache
def _district(days: float, start_s: float = 0.0) -> Stream:
    rng = np.random.default_rng(int(start_s) % 1000 + 3)
    rows = []
    for step in range(int(days * DAY_S / STEP_S)):
        time_s = start_s + step * STEP_S
        flow = 100 + 35 * sin(tau * time_s / DAY_S) + float(rng.normal(0, 4))
        moods = 1 + rng.normal(0, 0.01, len(_LOSS_M))
        pressures = [value + float(rng.normal(0, 0.05)) for value in _row(flow, moods.tolist())]
        rows.append((time_s, (*pressures, flow)))
    return tuple(rows)


def _leaking_beside_the_second(normal: Stream) -> Iterable[Row]:
    """A leak draws all day: the inlet brings it, and it is lost on the way to the second logger above all."""
    for time_s, (*pressures, flow) in normal:
        low = [value - loss for value, loss in zip(pressures, (2.0, 9.0, 1.5), strict=True)]
        yield time_s, (*low, flow + _LEAK)


def _among_meters(kind: AnyDetector, arguments: Mapping[str, Any]) -> Any:
    return kind(InletLeak(**arguments["search"]), arguments["columns"])  # type: ignore[call-arg]


_INLET = {"loggers": ("a", "b", "c"), "meter": "d", "metres": (1.0, 1.0, 1.0), "still": (_STILL_M,) * 3}
_LEARNT: dict[str, Any] = {
    "normal": _district,
    "fault": _leaking_beside_the_second,
    "columns": ("a", "b", "c", "d"),
    "outcomes": ("inlet-leak", "inlet-meter-off", "inlet-demand-high"),
    "days": 8.0,
    "full_days": 11.0,
}

EXAMPLES: Mapping[str, Example] = MappingProxyType(
    {
        "inlet-leak": Example(_INLET, **_LEARNT),
        "inlet-leak-among-meters": Example(
            {"columns": ("a", "b", "c", "d"), "search": _INLET}, build=_among_meters, **_LEARNT
        ),
    }
)
