"""One trouble that a search follows, from the row that shows it until it has been quiet for long enough."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from services.alerts.detectors.contract import State
from services.alerts.detectors.running_covariance import Array

_SHOWN = 4
_CUT = 10.0
"""A column counts no more than this many times its limit in a row, so that one wild value does not name the trouble."""


class OpenTrouble:
    """When it began, how loud each column was, and how long it has been quiet.

    ``outcome`` and ``key`` are what its claims carry; ``loud_rows`` counts the rows that showed it, ``rows`` all since
    it began, ``quiet_rows`` those since it was shown last. ``named`` are the channels of a search that can tell which
    ones explain all others; without them the loudest ones are named.
    """

    __slots__ = ("_sums", "key", "loud_rows", "named", "outcome", "quiet_rows", "rows", "severe", "since_s")

    def __init__(self, outcome: str, since_s: float, size: int) -> None:
        self.outcome = outcome
        self.key = f"{since_s:.0f}"
        self.since_s = since_s
        self.severe = False
        self.named: tuple[str, ...] = ()
        self.rows = 0
        self.loud_rows = 0
        self.quiet_rows = 0
        self._sums: Array = np.zeros(size)

    def add(self, ratios: Array, keep_at: float) -> None:
        """Take the columns of a row, each as a multiple of its limit; a row without one above ``keep_at`` is quiet."""
        loud = bool((ratios > keep_at).any())
        self.rows += 1
        self.loud_rows += loud
        self.quiet_rows = 0 if loud else self.quiet_rows + 1
        self._sums = self._sums + np.where(ratios > keep_at, np.minimum(ratios, _CUT), 0.0)

    def order(self, columns: Sequence[str]) -> tuple[str, ...]:
        """The columns that showed it, clearest first; never empty."""
        if self.named:
            return self.named
        order = np.argsort(-self._sums, kind="stable")[:_SHOWN]
        return tuple(columns[column] for column in order if self._sums[column] > 0) or (columns[int(order[0])],)

    def state(self) -> dict[str, Any]:
        """All of it, as JSON."""
        return {
            "outcome": self.outcome,
            "since_s": self.since_s,
            "severe": self.severe,
            "named": list(self.named),
            "rows": self.rows,
            "loud_rows": self.loud_rows,
            "quiet_rows": self.quiet_rows,
            "sums": self._sums.tolist(),
        }

    @classmethod
    def restored(cls, state: State) -> "OpenTrouble":
        """The trouble whose ``state`` was kept."""
        trouble = cls(state["outcome"], state["since_s"], len(state["sums"]))
        trouble.severe = state["severe"]
        trouble.named = tuple(state["named"])
        trouble.rows = state["rows"]
        trouble.loud_rows = state["loud_rows"]
        trouble.quiet_rows = state["quiet_rows"]
        trouble._sums = np.array(state["sums"], dtype=np.float64)
        return trouble
