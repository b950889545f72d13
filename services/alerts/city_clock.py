"""How far event time has come in the whole city, not led astray by a single device. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from services.core.reading import Reading

_JUMP = timedelta(minutes=10)
"""Further than this ahead of the city, one device is not believed; the ingest already refuses clocks in the future."""
_WITNESSES = 3
"""So many sensors are believed: the city itself was silent for a while and has come back."""


class CityClock:
    """The newest event time that the city agrees on, against which silence is measured.

    A reading far ahead of all others (a device with a wrong clock, a value sent by hand while history is replayed)
    would otherwise make every other sensor look silent.
    """

    def __init__(self, time: datetime | None, sensors: int) -> None:
        """Go on at ``time``; ``sensors`` is how many there are, so that a city of two can agree too."""
        self.time = time
        self._needed = min(_WITNESSES, max(sensors, 1))
        self._ahead: dict[str, datetime] = {}

    def see(self, readings: Iterable[Reading]) -> bool:
        """Take in readings of about one time; whether the city's time has moved."""
        before = self.time
        near: datetime | None = None
        for reading in readings:
            if self.time is not None and reading.time > self.time + _JUMP:
                self._ahead[reading.sensor] = max(reading.time, self._ahead.get(reading.sensor, reading.time))
            elif near is None or reading.time > near:
                near = reading.time
        if near is not None and (self.time is None or near > self.time):
            self.time = near
        if self._ahead:
            self._reconsider()
        return self.time != before

    def _reconsider(self) -> None:
        assert self.time is not None  # noqa: S101 - nothing is ahead of a clock that has not started
        self._ahead = {sensor: time for sensor, time in self._ahead.items() if time > self.time + _JUMP}
        if len(self._ahead) >= self._needed:
            self.time = sorted(self._ahead.values(), reverse=True)[self._needed - 1]
            self._ahead.clear()
