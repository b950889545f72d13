"""A few sewers with a rain gauge and two levels: dry days, and a level that backs up."""

from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType

import numpy as np

from tests.contract.detector_examples import DAY_S, STEP_S, Example, Row, Stream
from tests.unit.alerts.sewers.small_sewers import sewers

_CAUSES = ("blockage", "pump", "gate", "outfall", "inflow", "sensor")
_BACKS_UP_M = 1.5


@cache
def _dry_days(days: float, start_s: float = 0.0) -> Stream:
    """No rain, and as much sewage at night as by day."""
    rng = np.random.default_rng(int(start_s) % 1000 + 11)
    return tuple(
        (start_s + step * STEP_S, (0.0, float(0.04 + rng.normal(0, 0.004)), float(0.05 + rng.normal(0, 0.004))))
        for step in range(int(days * DAY_S / STEP_S))
    )


def _backed_up(normal: Stream) -> Iterable[Row]:
    """The upper level stands high."""
    for time_s, (rain, upper, lower) in normal:
        yield time_s, (rain, upper + _BACKS_UP_M, lower)


EXAMPLES: Mapping[str, Example] = MappingProxyType(
    {
        "sewer-search": Example(
            {
                "model": sewers(),
                "channels": [
                    ["a", "rain_intensity", "G", "mm/h", 117.0, 31.8],
                    ["b", "manhole_level", "M5", "m", 117.005, 31.8],
                    ["c", "manhole_level", "M7", "m", 117.007, 31.8],
                ],
                "outcomes": {cause: cause for cause in _CAUSES},
            },
            normal=_dry_days,
            fault=_backed_up,
            outcomes=_CAUSES,
            silent_at_first=False,
            slow=True,
            most_growth=20.0,
        )
    }
)
"""A trial, while it lasts, makes up most of the memory."""
