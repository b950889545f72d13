"""Readings of several sensors laid side by side on a grid of event time."""

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from math import ceil, inf, isfinite, nan
from typing import Any

from services.core.finding import Finding
from services.core.sensor import Sensor

REMEMBERED_ROWS = 36
_LONGEST_STEP_S = 1800.0

RowTaken = Callable[[float, list[float], bool, list[Finding]], None]
"""Called with the end of a cell, its row, whether every value in it was good, and where findings go."""


class RowGrid:
    """Fills the cells of the grid with the last value of each sensor and hands a row over when its cell is over.

    A cell reaches from just after one grid moment to the next one, so that a reading exactly on the grid completes
    its row. Sensors that report more seldom than the wanted step widen the step, up to half an hour, except those of
    the quantities in ``seldom``.
    """

    def __init__(self, sensors: Sequence[Sensor], step_s: float, taken: RowTaken, seldom: Collection[str] = ()) -> None:
        """Lay out the sensors in alphabetical order; none is no grid."""
        self.sensors = sorted(sensors, key=lambda sensor: sensor.id)
        self.columns = {sensor.id: position for position, sensor in enumerate(self.sensors)}
        self._taken = taken
        pacing = [sensor for sensor in sensors if sensor.quantity not in seldom]
        slowest_s = max((sensor.interval.total_seconds() for sensor in pacing), default=step_s)
        self._step_s = max(step_s, min(slowest_s, _LONGEST_STEP_S))
        self._end_s: float | None = None
        self._row = [nan] * len(sensors)
        self._clean = True
        self._rows: deque[tuple[float, list[float]]] = deque(maxlen=REMEMBERED_ROWS)
        self.changed = False

    def take(self, sensor: str, time_s: float, value: float, *, good: bool, into: list[Finding]) -> None:
        """A reading in event-time order."""
        if self._end_s is None or time_s > self._end_s:
            self._close(into)
            self._end_s = ceil(time_s / self._step_s) * self._step_s
        self._put(sensor, value, good=good)

    def take_late(self, sensor: str, time_s: float, value: float, *, good: bool) -> None:
        """A reading behind the watermark: it counts if its cell is still open."""
        if self._end_s is not None and self._end_s - self._step_s < time_s <= self._end_s:
            self._put(sensor, value, good=good)

    def _put(self, sensor: str, value: float, *, good: bool) -> None:
        self._row[self.columns[sensor]] = value if isfinite(value) else nan
        self._clean = self._clean and good
        self.changed = True

    def pass_time(self, time_s: float, into: list[Finding]) -> None:
        """Every reading before ``time_s`` has been taken."""
        if self._end_s is not None and self._end_s < time_s:
            self._close(into)

    def _close(self, into: list[Finding]) -> None:
        if self._end_s is None:
            return
        time_s, row, clean = self._end_s, self._row, self._clean
        self._end_s, self._row, self._clean = None, [nan] * len(row), True
        self.changed = True
        self._rows.append((time_s, row))
        self._taken(time_s, row, clean, into)

    @property
    def last_s(self) -> float:
        """The end of the last cell that was handed over, seconds since 1970; ``-inf`` before the first."""
        return self._rows[-1][0] if self._rows else -inf

    def recent(self, sensor: str) -> list[tuple[float, float]]:
        """The last values of a sensor with the ends of their cells, seconds since 1970."""
        position = self.columns[sensor]
        return [(time_s, row[position]) for time_s, row in self._rows if isfinite(row[position])]

    def last(self, sensor: str) -> float | None:
        """The last value of a sensor, if one is remembered."""
        points = self.recent(sensor)
        return points[-1][1] if points else None

    def state(self) -> dict[str, Any]:
        """The open cell and the remembered rows, as JSON."""
        return {
            "columns": list(self.columns),
            "end_s": self._end_s,
            "row": _packed(self._row),
            "clean": self._clean,
            "rows": [[time_s, _packed(row)] for time_s, row in self._rows],
        }

    def restore(self, state: Mapping[str, Any]) -> bool:
        """Go on where ``state`` was taken; ``False``, and nothing taken up, when it had other sensors."""
        if state["columns"] != list(self.columns):
            return False
        self._end_s = state["end_s"]
        self._row = _unpacked(state["row"])
        self._clean = state["clean"]
        self._rows = deque(((time_s, _unpacked(row)) for time_s, row in state["rows"]), maxlen=REMEMBERED_ROWS)
        return True


def _packed(row: Sequence[float]) -> list[float | None]:
    return [value if isfinite(value) else None for value in row]


def _unpacked(row: Sequence[float | None]) -> list[float]:
    return [nan if value is None else value for value in row]
