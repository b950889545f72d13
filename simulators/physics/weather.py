"""Air temperature and rain over the city."""

import math
from datetime import datetime
from zoneinfo import ZoneInfo

from simulators.noise import Noise
from simulators.scenario import Cloudburst, ColdFront, DesignStorm, MovingStorm, Scenario, ends_at, starts_at

_STREAM = 5
_MEAN_C, _SEASON_C, _DAY_C = 16.0, 12.0, 4.0
"""A humid subtropical city: yearly mean, half the yearly range, half the daily range."""


class Weather:
    """The same weather for every lifeline of a city."""

    def __init__(self, scenario: Scenario, origin: datetime, zone: ZoneInfo, seed: int) -> None:
        self._storms = [i for i in scenario.injections if isinstance(i, Cloudburst)]
        self._fronts = [i for i in scenario.injections if isinstance(i, ColdFront)]
        self._wet = [i for i in scenario.injections if isinstance(i, Cloudburst | DesignStorm | MovingStorm)]
        self._origin = origin
        self._zone = zone
        self._noise = Noise(seed, _STREAM, 1)

    def air_c(self, time: datetime) -> float:
        """Air temperature, degrees Celsius: coldest in mid January and at five in the morning."""
        local = time.astimezone(self._zone)
        season = -math.cos(2 * math.pi * (local.timetuple().tm_yday - 15) / 365.25)
        day = -math.cos(2 * math.pi * (self._hour(time) - 5) / 24)
        front = 2.5 * float(self._noise.slow(time, 86_400)[0]) + 0.4 * float(self._noise.slow(time, 3600)[0])
        return _MEAN_C + _SEASON_C * season + _DAY_C * day + front - self._colder_k(time)

    def _colder_k(self, time: datetime) -> float:
        """What the cold fronts of the scenario take away."""
        colder_k = 0.0
        for front in self._fronts:
            start, end = starts_at(front, self._origin), ends_at(front, self._origin)
            if start < time < end:
                lowest = min(front.falls_h * 3600, 0.9 * (end - start).total_seconds())
                since, left = (time - start).total_seconds(), (end - time).total_seconds()
                colder_k += front.drop_k * min(since / lowest, left / ((end - start).total_seconds() - lowest), 1.0)
        return colder_k

    def sunshine(self, time: datetime) -> float:
        """Share of full sun on a deck, 0 at night and under storm clouds."""
        height = max(0.0, math.sin(math.pi * (self._hour(time) - 6) / 12))
        return height * (0.7 + 0.3 * math.tanh(float(self._noise.slow(time, 7200)[0]))) * (not self.raining(time))

    def raining(self, time: datetime) -> bool:
        """Whether a storm is over the city."""
        return any(starts_at(s, self._origin) <= time < ends_at(s, self._origin) for s in self._wet)

    def rain_mm_h(self, time: datetime) -> float:
        """Rain intensity where a cloudburst is strongest: it swells and fades like a squared sine."""
        total = 0.0
        for storm in self._storms:
            start, end = starts_at(storm, self._origin), ends_at(storm, self._origin)
            if start < time < end:
                total += storm.peak_mm_h * math.sin(math.pi * ((time - start) / (end - start))) ** 2
        return total

    def _hour(self, time: datetime) -> float:
        local = time.astimezone(self._zone)
        return local.hour + local.minute / 60
