"""When it rained, as far as the sewers feel it."""

from collections.abc import Mapping
from math import inf, isfinite
from typing import Any

_AFTER_S = 4 * 3600.0
"""Until so long after rain what shows is taken as shown by that rain."""
_DRIES_S = 6 * 3600.0
"""So long after rain the sewers carry sewage alone."""


class WeatherTimes:
    """Begin of the last rain and the last moment at which rain or runoff reached the sewers."""

    def __init__(self) -> None:
        self._wet_s = -inf
        self.rain_s = -inf

    def take(self, time_s: float, *, wet: bool) -> None:
        """Whether rain fell or ran off in the row that ends now."""
        if wet:
            if time_s - self._wet_s > _AFTER_S:
                self.rain_s = time_s
            self._wet_s = time_s

    def is_dry(self, time_s: float) -> bool:
        """Whether the sewers carry sewage alone."""
        return time_s - self._wet_s > _DRIES_S

    def belongs_to_rain(self, time_s: float) -> bool:
        """Whether what shows first at a moment is shown by the last rain."""
        return time_s - self._wet_s < _AFTER_S

    def state(self) -> dict[str, Any]:
        """Both moments, as JSON."""
        return {"wet_s": _plain(self._wet_s), "rain_s": _plain(self.rain_s)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken."""
        self._wet_s = -inf if state["wet_s"] is None else state["wet_s"]
        self.rain_s = -inf if state["rain_s"] is None else state["rain_s"]


def _plain(time_s: float) -> float | None:
    return time_s if isfinite(time_s) else None
