"""What flows into a feeder, less what flows out and what is packed into it: over windows of a minute to hours. Pure."""

from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from services.alerts.gas.readings import Array, packed, unpacked

CELL_S = 10.0
WINDOWS_S = (60.0, 300.0, 1200.0, 3600.0, 14_400.0)
_CELLS = np.array([round(window / CELL_S) for window in WINDOWS_S])
_BIAS_WINDOW = 3
"""The window of an hour: the mean of its balance is what the two meters differ by."""
_SPREADS, _PEAKS, _LEAST_SHARE = 5.0, 1.3, 0.003
_CLIPPED = 4.0
_BIAS_FORGETS_S, _SPREAD_FORGETS_S, _PEAK_FORGETS_S = 43_200.0, 86_400.0, 7 * 86_400.0
_LEAST_CELLS = 720
"""Two hours before the meters' difference is known, and two more of a window before it may be judged."""
_STANDING = 2
"""The window of twenty minutes tells what is missing now."""


class Missing(NamedTuple):
    """What a window lacks: as a share of what flows in, beside the share at which it counts; and m3/h.

    Below zero more flows out than in, which no leak does.
    """

    window_s: float
    share: float
    limit: float
    flow_m3h: float

    cells: int
    """For so many cells it has been beyond its limit without a break."""

    @property
    def excess(self) -> float:
        """From 1 on the balance does not close."""
        return abs(self.share) / self.limit

    @property
    def lasts(self) -> bool:
        """Whether it has been missing for longer than the window.

        A meter that reports some seconds late loses a volume once when the draw changes: it leaves the window again.
        """
        return self.cells > round(self.window_s / CELL_S)


class LineBalance:
    """The balance of one feeder with its own habits: what its meters differ by, and how far it swings while sound.

    The gas packed in the line cancels from one cell to the next, so that a window knows only its two ends: noise of
    pressures fades with the length of the window, and what is missing adds up.
    """

    def __init__(self) -> None:
        self._lost_m3: deque[float] = deque(maxlen=int(_CELLS[-1]) + 1)
        self._passed_m3: deque[float] = deque(maxlen=int(_CELLS[-1]) + 1)
        self._bias = 0.0
        self._spread: Array = np.zeros(len(WINDOWS_S))
        self._peak: Array = np.zeros(len(WINDOWS_S))
        self._met: Array = np.zeros(len(WINDOWS_S))
        self._beyond: Array = np.zeros(len(WINDOWS_S))
        self._bias_met = 0.0
        self._last_packed_m3: float | None = None

    @property
    def bias(self) -> float:
        """The share of the inflow by which the outlet's meter usually shows less."""
        return self._bias

    def take(self, inflow_m3h: float, outflow_m3h: float, packed_m3: float, cells: int = 1) -> None:
        """Mean flows over so many cells of ten seconds, and what was packed in the line at their end."""
        grown = 0.0 if self._last_packed_m3 is None else packed_m3 - self._last_packed_m3
        self._last_packed_m3 = packed_m3
        hours = CELL_S / 3600
        lost = self._lost_m3[-1] if self._lost_m3 else 0.0
        passed = self._passed_m3[-1] if self._passed_m3 else 0.0
        for cell in range(1, cells + 1):
            self._lost_m3.append(lost + cell * ((inflow_m3h - outflow_m3h) * hours - grown / cells))
            self._passed_m3.append(passed + cell * max(inflow_m3h, 0.0) * hours)
        shares, _ = self._shares()
        with np.errstate(invalid="ignore"):
            beyond = (np.abs(shares) >= self._limits()) & (self._met >= _LEAST_CELLS)
        self._beyond = np.where(beyond, self._beyond + 1, 0.0)

    def interrupted(self) -> None:
        """Nothing was heard for a while: what was packed meanwhile is not known."""
        self._lost_m3.clear()
        self._passed_m3.clear()
        self._last_packed_m3 = None
        self._beyond = np.zeros(len(WINDOWS_S))

    def missing(self) -> list[Missing]:
        """The windows that are full and have habits, shortest first."""
        shares, flows = self._shares()
        limits = self._limits()
        return [
            Missing(WINDOWS_S[n], float(shares[n]), float(limits[n]), float(flows[n]), int(self._beyond[n]))
            for n in range(len(WINDOWS_S))
            if np.isfinite(shares[n]) and self._met[n] >= _LEAST_CELLS
        ]

    def standing(self) -> float | None:
        """What is missing by now, as a share of the inflow; ``None`` where nothing was heard for long enough."""
        share = float(self._shares()[0][_STANDING])
        return share if np.isfinite(share) else None

    def learn(self) -> None:
        """Take the last cell as sound."""
        shares, _ = self._shares()
        known = np.isfinite(shares)
        if known[_BIAS_WINDOW]:
            self._bias_met += 1
            self._bias += max(CELL_S / _BIAS_FORGETS_S, 1.0 / self._bias_met) * float(shares[_BIAS_WINDOW])
        if self._bias_met < _LEAST_CELLS:
            return
        self._met += known
        forgets = np.maximum(CELL_S / _SPREAD_FORGETS_S, 1.0 / np.maximum(self._met, 1.0))
        away = np.abs(np.where(known, shares, 0.0))
        # What was far off once shall not make the feeder blind.
        away = np.where(self._met > _LEAST_CELLS, np.minimum(away, _CLIPPED * self._spread), away)
        news = away**2
        self._spread = np.where(known, np.sqrt(self._spread**2 + forgets * (news - self._spread**2)), self._spread)
        self._peak = np.where(known, np.maximum(self._peak * (1 - CELL_S / _PEAK_FORGETS_S), away), self._peak)

    def _limits(self) -> Array:
        limits: Array = np.maximum(np.maximum(_SPREADS * self._spread, _PEAKS * self._peak), _LEAST_SHARE)
        return limits

    def _shares(self) -> tuple[Array, Array]:
        """By window: the missing share of the inflow beyond the bias, and what is missing in m3/h; NaN: not full."""
        shares, flows = np.full(len(WINDOWS_S), np.nan), np.full(len(WINDOWS_S), np.nan)
        for number, cells in enumerate(_CELLS.tolist()):
            if len(self._lost_m3) <= cells:
                break
            passed = self._passed_m3[-1] - self._passed_m3[-1 - cells]
            if passed <= 0:
                continue
            lost = self._lost_m3[-1] - self._lost_m3[-1 - cells] - self._bias * passed
            shares[number], flows[number] = lost / passed, lost / WINDOWS_S[number] * 3600
        return shares, flows

    def state(self) -> dict[str, Any]:
        """All that is remembered, as JSON."""
        return {
            "lost": packed(np.array(self._lost_m3)),
            "passed": packed(np.array(self._passed_m3)),
            "bias": self._bias,
            "spread": packed(self._spread),
            "peak": packed(self._peak),
            "met": packed(self._met),
            "beyond": packed(self._beyond),
            "bias_met": self._bias_met,
            "packed": self._last_packed_m3,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken."""
        self._lost_m3 = deque(unpacked(state["lost"]).tolist(), maxlen=int(_CELLS[-1]) + 1)
        self._passed_m3 = deque(unpacked(state["passed"]).tolist(), maxlen=int(_CELLS[-1]) + 1)
        self._bias = state["bias"]
        self._spread, self._peak = unpacked(state["spread"]), unpacked(state["peak"])
        self._met, self._beyond = unpacked(state["met"]), unpacked(state["beyond"])
        self._bias_met, self._last_packed_m3 = state["bias_met"], state["packed"]
