"""A small bridge: a thermometer and gauges that follow it, and frequencies without any thermometer."""

from collections.abc import Iterable, Mapping
from functools import cache
from math import sin, tau
from types import MappingProxyType

import numpy as np

from services.alerts.structures.causes import CAUSES
from tests.contract.detector_examples import DAY_S, STEP_S, Example, Row, Stream

_BLOW_M_S2 = 40.0
_SLOWER = 0.75


@cache
def _weather_and_gauges(days: float, start_s: float = 0.0) -> Stream:
    """A deck temperature, two deflections and a strain that follow it, and small peaks of acceleration."""
    rng = np.random.default_rng(int(start_s) % 1000 + 13)
    rows = []
    for step in range(int(days * DAY_S / STEP_S)):
        time_s = start_s + step * STEP_S
        deck_c = 15 + 8 * sin(tau * time_s / DAY_S) + float(rng.normal(0, 0.3))
        first, second = (share * deck_c + float(rng.normal(0, 0.3)) for share in (0.2, 0.3))
        strain = 9 * deck_c + float(rng.normal(0, 1.0))
        rows.append((time_s, (deck_c, first, second, strain, float(abs(rng.normal(0.1, 0.03))))))
    return tuple(rows)


def _struck(normal: Stream) -> Iterable[Row]:
    """Something hits the bridge."""
    for time_s, (*gauges, _) in normal:
        yield time_s, (*gauges, _BLOW_M_S2)


@cache
def _swinging(days: float, start_s: float = 0.0) -> Stream:
    rng = np.random.default_rng(int(start_s) % 1000 + 17)
    return tuple(
        (start_s + step * STEP_S, tuple(float(hertz * (1 + rng.normal(0, 0.01))) for hertz in (0.4, 0.55, 0.9)))
        for step in range(int(days * DAY_S / STEP_S))
    )


def _slowed(normal: Stream) -> Iterable[Row]:
    """The bridge swings more slowly in every mode."""
    for time_s, row in normal:
        yield time_s, tuple(_SLOWER * hertz for hertz in row)


EXAMPLES: Mapping[str, Example] = MappingProxyType(
    {
        "structure-search": Example(
            {
                "channels": [
                    ["a", "deck_temperature", "S1", "degC"],
                    ["b", "deflection", "S1", "mm"],
                    ["c", "deflection", "S2", "mm"],
                    ["d", "strain", "S2", "µε"],
                    ["e", "acceleration_peak", "E1", "m/s2"],
                ],
                "outcomes": {cause: cause for cause in CAUSES},
                "learn_until_s": 3 * DAY_S,
            },
            normal=_weather_and_gauges,
            fault=_struck,
            columns=("a", "b", "c", "d", "e"),
            outcomes=CAUSES,
            full_days=8.0,
        ),
        "mode-novelty": Example(
            {"modes": [["a", "deck"], ["b", "deck"], ["c", "deck"]], "outcome": "shifted"},
            normal=_swinging,
            fault=_slowed,
            outcomes=("shifted",),
            full_days=16.0,
        ),
    }
)
