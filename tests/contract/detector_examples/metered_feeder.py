"""A feeder of eight kilometres between two meters, and a hole in its middle."""

from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType

import numpy as np

from services.alerts.gas.feeder import Feeder, Stretch
from tests.contract.detector_examples import Example, Row, Stream

STEP_S = 30.0
DAY_S = 86_400.0
FEEDER = Feeder(
    (Stretch("M1", 0.0, 4000.0, 300.0), Stretch("M2", 4000.0, 4000.0, 300.0)),
    (("S1", 0.0), ("S2", 4000.0), ("S3", 8000.0)),
)
GAUGES = [
    ["a", "feeder_pressure", "S1"],
    ["b", "feeder_pressure", "S2"],
    ["c", "feeder_pressure", "S3"],
    ["d", "feeder_flow", "S1"],
    ["e", "feeder_flow", "S3"],
]
_INLET_KPA, _FALLS_KPA, _FLOW_M3H, _LEAK_M3H = 1200.0, 150.0, 15_000.0, 1500.0


def row(inflow_m3h: float, outflow_m3h: float, noise: np.ndarray) -> tuple[float, ...]:
    """Steady pressures with two flows, before and behind the middle."""
    falls = [_FALLS_KPA / 2 * (flow / _FLOW_M3H) ** 1.82 for flow in (inflow_m3h, outflow_m3h)]
    middle = _INLET_KPA - falls[0]
    return (
        _INLET_KPA + 0.1 * float(noise[0]),
        middle + 0.1 * float(noise[1]),
        middle - falls[1] + 0.1 * float(noise[2]),
        inflow_m3h * (1 + 0.001 * float(noise[3])),
        outflow_m3h * (1 + 0.001 * float(noise[4])),
    )


@cache
def sound_line(days: float, start_s: float = 0.0) -> Stream:
    """What flows in flows out."""
    rng = np.random.default_rng(int(start_s) % 1000 + 17)
    noise = rng.standard_normal((int(days * DAY_S / STEP_S), 5))
    return tuple(
        (start_s + step * STEP_S, row(_FLOW_M3H, _FLOW_M3H, noise[step])) for step in range(int(days * DAY_S / STEP_S))
    )


def holed(normal: Stream) -> Iterable[Row]:
    """A tenth of what flows in leaves in the middle."""
    rng = np.random.default_rng(4)
    for time_s, _ in normal:
        yield time_s, row(_FLOW_M3H + _LEAK_M3H, _FLOW_M3H, rng.standard_normal(5))


EXAMPLES: Mapping[str, Example] = MappingProxyType(
    {
        "gas-feeder-search": Example(
            {"gauges": GAUGES, "feeders": [FEEDER.as_json()], "learn_until_s": None},
            normal=sound_line,
            fault=holed,
            columns=("a", "b", "c", "d", "e"),
            outcomes=("gas-feeder-leak", "gas-feeder-meter-off"),
            days=1.5,
            full_days=0.5,
            slow=True,
        ),
    }
)
