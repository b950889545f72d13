"""How fast gauges came to show more than rain and sewage explain: foreign water comes at once, groundwater seeps."""

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

from services.alerts.sewers.pipe_sections import Array
from services.alerts.sewers.twin import packed, unpacked

_KEPT_S = 12 * 3600.0
_NOW_ROWS = 6
_SEEPS_MIN = 40.0
"""What takes longer to come from a quarter to three quarters of what it is has seeped in. A pump or a valve is at full
flow within minutes and sewers smooth that over some tens of minutes; groundwater takes hours to days. Our own."""


class Excess:
    """What every gauge showed beyond the model in the last half day, in m or m3/s."""

    def __init__(self) -> None:
        self._rows: deque[tuple[float, Array]] = deque()

    def take(self, time_s: float, apart: Array) -> None:
        """What a row was apart from the model."""
        self._rows.append((time_s, apart.copy()))
        while time_s - self._rows[0][0] > _KEPT_S:
            self._rows.popleft()

    def rose_min(self, gauge: int) -> float:
        """Minutes in which a gauge came from a quarter to three quarters of what it shows beyond the model now."""
        if len(self._rows) < _NOW_ROWS:
            return 0.0
        times_s = np.array([time_s for time_s, _ in self._rows])
        apart = np.abs([row[gauge] for _, row in self._rows])
        now = float(np.median(apart[-_NOW_ROWS:]))
        most, least = (np.flatnonzero(apart < share * now) for share in (0.75, 0.25))
        since_s = times_s[least[-1]] if len(least) else times_s[0]
        until_s = times_s[most[most < len(apart) - _NOW_ROWS][-1]] if (most < len(apart) - _NOW_ROWS).any() else since_s
        return max(0.0, float(until_s - since_s) / 60)

    def seeps(self, gauge: int) -> bool:
        """Whether it came as groundwater does."""
        return self.rose_min(gauge) >= _SEEPS_MIN

    def state(self) -> list[list[Any]]:
        """All that is remembered, as JSON."""
        return [[time_s, packed(row)] for time_s, row in self._rows]

    def restore(self, state: Sequence[Sequence[Any]]) -> None:
        """Go on where ``state`` was taken."""
        self._rows = deque((time_s, unpacked(row)) for time_s, row in state)
