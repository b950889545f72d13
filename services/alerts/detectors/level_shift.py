"""Channels of a machine that leave the level at which they have been."""

from collections import deque
from collections.abc import Mapping, Sequence
from math import isfinite, nan
from typing import Any, ClassVar

import numpy as np

from services.alerts.detectors.contract import UNKNOWN, Claim, Score, SearchDetector, State
from services.alerts.detectors.open_trouble import OpenTrouble
from services.alerts.detectors.running_covariance import Array
from services.core.finding import FindingState
from services.core.severity import Severity

_RESOLVED = 0.8
"""Share of a channel's smallest step that its mean has to move: less can be a value on the edge between two steps."""
_TINY = 1e-12


class LevelShift(SearchDetector):
    """Watches the mean of the last ``window`` rows of each channel of a pump, a valve or a loop of both.

    The level of a channel is the running mean, over ``memory_rows``, of the values that have left the window, so that a
    slow warm-up moves it along. How far the window's mean usually lies from the level is learnt as its root mean
    square: noise, the swing of a control loop and drift together, in the channel's own measure. A channel counts as a
    multiple of ``factor`` times that, or of its one of ``least_shares`` of the level, or of most of its smallest step,
    whichever is largest. Level and deviation stand still while a trouble is open.

    A trouble begins when a channel exceeds 1 and ends after ``quiet_rows`` rows in which none does. Its claim names
    the channels by the sum of what they showed and the outcome that ``outcomes`` has for the quantity of the clearest
    one, or ``otherwise``. It is major once ``severe_rows`` rows showed it. What lasts more than ``accept_rows`` rows
    is the new level.

    Nothing is claimed before ``learn_until_s`` (seconds since 1970), or before ``learn_rows`` rows where nobody says
    how long the history is.

    Sources: moving-average control chart with estimated limits (Montgomery, Introduction to Statistical Quality
    Control, chapter 9); the change in vibration that matters is a share of its level (ISO 20816-1, 6.3).
    """

    name: ClassVar[str] = "level-shift"
    version: ClassVar[str] = "1"

    def __init__(
        self,
        columns: Sequence[str],
        quantities: Sequence[str],
        least_shares: Sequence[float],
        outcomes: Mapping[str, str],
        otherwise: str,
        *,
        learn_until_s: float | None = None,
        learn_rows: int = 400,
        window: int = 15,
        memory_rows: int = 300,
        deviation_rows: int = 600,
        factor: float = 4.0,
        quiet_rows: int = 45,
        severe_rows: int = 120,
        accept_rows: int = 800,
    ) -> None:
        self.columns = tuple(columns)
        self.quantities = tuple(quantities)
        self.least_shares = tuple(least_shares)
        self.outcomes = dict(outcomes)
        self.otherwise = otherwise
        self.learn_until_s = learn_until_s
        self.learn_rows = learn_rows
        self.window = window
        self.memory_rows = memory_rows
        self.deviation_rows = deviation_rows
        self.factor = factor
        self.quiet_rows = quiet_rows
        self.severe_rows = severe_rows
        self.accept_rows = accept_rows
        size = len(self.columns)
        self._least_share: Array = np.array(least_shares, dtype=np.float64)
        self._recent: deque[list[float]] = deque(maxlen=window)
        self._last: Array = np.full(size, nan)
        self._level: Array = np.full(size, nan)
        self._levelled: Array = np.zeros(size)
        self._square: Array = np.zeros(size)
        self._squared: Array = np.zeros(size)
        self._step: Array = np.full(size, nan)
        self._rows = 0
        self._trouble: OpenTrouble | None = None
        self._claims: list[Claim] = []

    def configuration(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "columns": list(self.columns),
            "quantities": list(self.quantities),
            "least_shares": list(self.least_shares),
            "outcomes": dict(self.outcomes),
            "otherwise": self.otherwise,
            "learn_until_s": self.learn_until_s,
            "learn_rows": self.learn_rows,
            "window": self.window,
            "memory_rows": self.memory_rows,
            "deviation_rows": self.deviation_rows,
            "factor": self.factor,
            "quiet_rows": self.quiet_rows,
            "severe_rows": self.severe_rows,
            "accept_rows": self.accept_rows,
        }

    def score(self, time_s: float, row: Sequence[float]) -> Score:
        """The largest departure from a level as a multiple of its limit."""
        self._claims = []
        self._rows += 1
        mean = self._mean_with(row)
        departure = mean - self._level
        limits = self._limits()
        ratios = np.nan_to_num(np.abs(departure) / limits, nan=0.0, posinf=0.0)
        judging = self._is_judging(time_s)
        if judging:
            self._follow(time_s, mean, ratios)
        if self._trouble is None:
            self._learn(departure)
        if not judging:
            return UNKNOWN
        worst = int(ratios.argmax())
        level = float(self._level[worst])
        return Score(float(ratios[worst]), level if isfinite(level) else None, None, self.columns[worst])

    def claims(self) -> Sequence[Claim]:
        """What began, became worse or ended with the row scored last."""
        return self._claims

    def _is_judging(self, time_s: float) -> bool:
        if self.learn_until_s is None:
            return self._rows > self.learn_rows
        return time_s >= self.learn_until_s and self._rows > self.memory_rows

    def _mean_with(self, row: Sequence[float]) -> Array:
        """Take a row into the window and return the means; the row that leaves it waits to be learnt."""
        values = np.array([value if isfinite(value) else nan for value in row], dtype=np.float64)
        moved = np.abs(values - self._last)
        self._step = np.fmin(self._step, np.where(moved > 0, moved, nan))
        self._last = np.where(np.isfinite(values), values, self._last)
        self._recent.append(values.tolist())
        held = np.array(self._recent, dtype=np.float64)
        known = np.isfinite(held)
        counts = known.sum(axis=0)
        return np.where(counts > 0, np.where(known, held, 0.0).sum(axis=0) / np.maximum(counts, 1), nan)

    def _limits(self) -> Array:
        usual = self.factor * np.sqrt(self._square)
        share = self._least_share * np.abs(self._level)
        step = _RESOLVED * np.nan_to_num(self._step)
        limits = np.maximum(np.maximum(np.maximum(usual, share), step), _TINY)
        return np.where(self._squared > 0, limits, np.inf)

    def _learn(self, departure: Array) -> None:
        """Take the departure into its usual size once the level has settled, and the oldest row into the level."""
        known = np.isfinite(departure) & (self._levelled >= self.memory_rows / 2)
        self._squared = np.minimum(self._squared + known, self.deviation_rows)
        change = np.where(known, departure, 0.0) ** 2 - self._square
        self._square = self._square + np.where(known, change, 0.0) / np.maximum(self._squared, 1)
        oldest = np.array(self._recent[0], dtype=np.float64)
        known = np.isfinite(oldest)
        self._levelled = np.minimum(self._levelled + known, self.memory_rows)
        step = np.where(known, oldest - np.nan_to_num(self._level), 0.0)
        level = np.nan_to_num(self._level) + step / np.maximum(self._levelled, 1)
        self._level = np.where(self._levelled > 0, level, nan)

    def _follow(self, time_s: float, mean: Array, ratios: Array) -> None:
        if self._trouble is None:
            if (ratios > 1).any():
                outcome = self.outcomes.get(self.quantities[int(ratios.argmax())], self.otherwise)
                self._trouble = OpenTrouble(outcome, time_s, len(self.columns))
                self._trouble.add(ratios, 1.0)
                self._claim(FindingState.RAISED, self._trouble, mean, ratios)
            return
        trouble = self._trouble
        trouble.add(ratios, 1.0)
        accepted = trouble.rows > self.accept_rows
        if accepted or trouble.quiet_rows >= self.quiet_rows:
            self._trouble = None
            self._claim(FindingState.CLEARED, trouble, mean, ratios)
            self._level = np.where(accepted & np.isfinite(mean), mean, self._level)
        elif trouble.loud_rows >= self.severe_rows and not trouble.severe:
            trouble.severe = True
            self._claim(FindingState.CHANGED, trouble, mean, ratios)

    def _claim(self, state: FindingState, trouble: OpenTrouble, mean: Array, ratios: Array) -> None:
        columns = trouble.order(self.columns)
        first = self.columns.index(columns[0])
        value, level = float(mean[first]), float(self._level[first])
        severity = Severity.MAJOR if trouble.severe else Severity.MODERATE
        self._claims.append(
            Claim(
                outcome=trouble.outcome,
                key=trouble.key,
                state=state,
                severity=Severity.NORMAL if state is FindingState.CLEARED else severity,
                score=float(ratios.max()),
                since_s=trouble.since_s,
                columns=columns,
                value=value if isfinite(value) else None,
                expected=level if isfinite(level) else None,
                seen={"multiples": {name: round(float(ratios[self.columns.index(name)]), 3) for name in columns}},
            )
        )

    def state(self) -> dict[str, Any]:
        """The window, levels and deviations, and the open trouble."""
        return {
            "recent": [_packed(row) for row in self._recent],
            "last": _packed(self._last.tolist()),
            "level": _packed(self._level.tolist()),
            "levelled": self._levelled.tolist(),
            "square": self._square.tolist(),
            "squared": self._squared.tolist(),
            "step": _packed(self._step.tolist()),
            "rows": self._rows,
            "trouble": None if self._trouble is None else self._trouble.state(),
        }

    def restore(self, state: State) -> None:
        """Take up the window, levels and deviations, and the open trouble."""
        self._recent = deque((_unpacked(row) for row in state["recent"]), maxlen=self.window)
        self._last = np.array(_unpacked(state["last"]), dtype=np.float64)
        self._level = np.array(_unpacked(state["level"]), dtype=np.float64)
        self._levelled = np.array(state["levelled"], dtype=np.float64)
        self._square = np.array(state["square"], dtype=np.float64)
        self._squared = np.array(state["squared"], dtype=np.float64)
        self._step = np.array(_unpacked(state["step"]), dtype=np.float64)
        self._rows = state["rows"]
        self._trouble = None if state["trouble"] is None else OpenTrouble.restored(state["trouble"])
        self._claims = []


def _packed(values: Sequence[float]) -> list[float | None]:
    return [value if isfinite(value) else None for value in values]


def _unpacked(values: Sequence[float | None]) -> list[float]:
    return [nan if value is None else value for value in values]
