"""Two low points of a town and a rain gauge: dry days with a shower, and a cloudburst."""

from collections.abc import Iterable, Mapping
from functools import cache
from math import sin, tau
from types import MappingProxyType

import numpy as np

from tests.contract.detector_examples import DAY_S, STEP_S, Example, Row, Stream

_SHOWER_MM_H = 3.0
_CLOUDBURST_MM_H = 90.0
_RISES_CM = 6.0
_DEEPEST_CM = 60.0


@cache
def _dry_days(days: float, start_s: float = 0.0) -> Stream:
    """Both roads hardly wet, and a shower every afternoon."""
    rng = np.random.default_rng(int(start_s) % 1000 + 9)
    rows = []
    for step in range(int(days * DAY_S / STEP_S)):
        time_s = start_s + step * STEP_S
        rain = _SHOWER_MM_H if sin(tau * time_s / DAY_S) > 0.95 else 0.0
        rows.append((time_s, (*(float(abs(rng.normal(0, 0.2))) for _ in range(2)), rain)))
    return tuple(rows)


def _cloudburst(normal: Stream) -> Iterable[Row]:
    """It pours, and the first point fills."""
    for number, (time_s, (_, second, _)) in enumerate(normal):
        yield time_s, (min(_RISES_CM * number, _DEEPEST_CM), second, _CLOUDBURST_MM_H)


EXAMPLES: Mapping[str, Example] = MappingProxyType(
    {
        "waterlogging-forecast": Example(
            {
                "outcome": "expected",
                "points": (("a", 117.20, 31.80), ("b", 117.22, 31.81)),
                "gauges": (("c", 117.21, 31.80),),
                "cm": {"a": 1.0, "b": 1.0},
            },
            normal=_dry_days,
            fault=_cloudburst,
            outcomes=("expected",),
            silent_at_first=False,
            slow=True,
        )
    }
)
