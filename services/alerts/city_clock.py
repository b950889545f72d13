"""How far event time has come in the whole city, not led astray by a single device. Pure."""

from collections.abc import Iterable
from datetime import UTC, datetime
from math import inf

_JUMP_S = 600.0
"""Further than this ahead of the city, one device is not believed; the ingest already refuses clocks in the future."""
_WITNESSES = 3
"""So many sensors are believed: the city itself was silent for a while and has come back."""

Sighting = tuple[float, int]
"""The event time of a reading, seconds since 1970, and the key of its sensor."""


class CityClock:
    """The newest event time that the city agrees on, against which silence is measured.

    A reading far ahead of all others (a device with a wrong clock, a value sent by hand while history is replayed)
    would otherwise make every other sensor look silent.

    Every process shows its clock all readings of the city, also of zones that others judge: at the same place in the
    feed it is then the same time for all of them.
    """

    def __init__(self, time: datetime | None, sensors: int) -> None:
        """Go on at ``time``; ``sensors`` is how many there are, so that a city of two can agree too."""
        self._time_s = -inf if time is None else time.timestamp()
        self._needed = min(_WITNESSES, max(sensors, 1))
        self._ahead: dict[int, float] = {}

    @property
    def time(self) -> datetime | None:
        """The city's time; ``None`` before the first reading."""
        return None if self._time_s == -inf else datetime.fromtimestamp(self._time_s, UTC)

    def see(self, sightings: Iterable[Sighting]) -> bool:
        """Take in readings of about one time; whether the city's time has moved."""
        before_s = self._time_s
        believed_s = inf if before_s == -inf else before_s + _JUMP_S
        near_s = before_s
        for time_s, sensor in sightings:
            if time_s > believed_s:
                self._ahead[sensor] = max(time_s, self._ahead.get(sensor, time_s))
            elif time_s > near_s:
                near_s = time_s
        self._time_s = near_s
        if self._ahead:
            self._reconsider()
        return self._time_s != before_s

    def _reconsider(self) -> None:
        self._ahead = {sensor: time_s for sensor, time_s in self._ahead.items() if time_s > self._time_s + _JUMP_S}
        if len(self._ahead) >= self._needed:
            self._time_s = sorted(self._ahead.values(), reverse=True)[self._needed - 1]
            self._ahead.clear()
