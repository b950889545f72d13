"""A weather service's radar: what it tells of the rain that is coming, with the errors that radars have."""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from simulators.noise import Noise

HORIZONS_MIN: Mapping[str, int] = {
    "rain_expected_15min": 15,
    "rain_expected_30min": 30,
    "rain_expected_60min": 60,
    "rain_expected_120min": 120,
}
"""Minutes from the time of a reading within which its millimetres are expected to fall."""
_STREAM = 11
_STRONGER = 0.25
"""Standard deviation of the logarithm by which rain in a quarter of an hour is off; it grows with the root of time."""
_LATER_MIN = 4.0
"""Standard deviation of the minutes by which rain comes sooner or later than told."""
_LASTS_S = 1800
"""An error lasts: the next issues are wrong in the same way."""
_STEP_MIN = 3
"""Rain is looked at so often ahead."""


class RainRadar:
    """Forecasts for some places; what is told at a moment depends on the seed, the moment and the rain that comes."""

    def __init__(self, places: Sequence[str], rain_mm_h: Callable[[str, datetime], float], seed: int) -> None:
        self._number = {place: number for number, place in enumerate(sorted(places))}
        self._rain_mm_h = rain_mm_h
        self._strength = Noise(seed, _STREAM, len(self._number))
        self._timing = Noise(seed, _STREAM + 1, len(self._number))

    def expected_mm(self, place: str, time: datetime, minutes: int) -> float:
        """What is told to fall within ``minutes`` from ``time`` on, in mm."""
        number = self._number[place]
        later = timedelta(minutes=_LATER_MIN * float(self._timing.slow(time, _LASTS_S)[number]))
        strength = _STRONGER * float(self._strength.slow(time, _LASTS_S)[number])
        falls_mm = 0.0
        for minute in range(0, minutes, _STEP_MIN):
            middle_min = minute + _STEP_MIN / 2
            rain_mm_h = self._rain_mm_h(place, time - later + timedelta(minutes=middle_min))
            falls_mm += rain_mm_h * _STEP_MIN / 60 * math.exp(strength * math.sqrt(middle_min / 15))
        return round(falls_mm, 1)
