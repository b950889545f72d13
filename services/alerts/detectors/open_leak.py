"""A leak that is being followed: how large, where, and whether it still runs."""

from typing import Any, Self

import numpy as np

from services.alerts.detectors.contract import State
from services.alerts.detectors.inlet_history import History, sums, sums_of_row
from services.alerts.detectors.inlet_hypotheses import Shares, fit
from services.alerts.detectors.inlet_places import InletPlaces
from services.alerts.detectors.inlet_reference import InletReference, Residual
from services.alerts.detectors.running_covariance import Array

_FITTED_ROWS = 336
"""A leak may grow: size and place are read off the last week."""
_REFIT_ROWS = 12
_FADED = 1.0
"""Evidence (logarithm) below which there is nothing left to follow."""


class OpenLeak:
    """One leak from the row that showed it until it ends.

    ``evidence`` is how many times likelier it is than none (logarithm), ``flow`` its size, ``chances`` the probability
    of each place, ``since_s`` when it began. ``pending`` rows belong to it or came after it: that is not known yet.
    """

    __slots__ = (
        "_before", "_history", "_left", "_pending", "_refit_in", "chances", "evidence", "flow", "key",
        "over", "since_s", "told",
    )  # fmt: skip

    def __init__(self, since_s: float, history: History, before: Shares) -> None:
        self.since_s = since_s
        self.key = f"{since_s:.0f}"
        self.over = 0.0
        self.told: tuple[str, ...] = ()
        self.chances: Array = np.ones(1)
        self.evidence = 0.0
        self.flow = 0.0
        self._history = history
        self._before = before
        self._left: tuple[Array, Array] = (before.mean, np.zeros_like(before.mean))
        self._pending: list[Array] = []
        self._refit_in = _REFIT_ROWS

    @property
    def ended_rows_ago(self) -> int:
        """For how many rows it has looked as if it were over."""
        return len(self._pending)

    def refit(self, places: InletPlaces) -> None:
        """Fit its size and place to its last week."""
        span = sums(self._history.last(_FITTED_ROWS))
        found = fit(span, self._before, places.effects[0], places.doubts)
        layer = places.layer(float(found.flow[_likeliest(found.evidence, found.flow)]))
        if layer:
            found = fit(span, self._before, places.effects[layer], places.doubts)
        best = _likeliest(found.evidence, found.flow)
        likelihood = np.where(found.flow > 0, np.exp(np.minimum(found.evidence - found.evidence[best], 0.0)), 0.0)
        self.chances = likelihood / max(float(likelihood.sum()), 1e-300)
        self.evidence = float(found.evidence[best])
        self.flow = float(found.flow[best])
        self._left = (found.shares[best], found.trace[best])
        self._refit_in = _REFIT_ROWS

    def follow(self, residual: Residual, reference: InletReference, places: InletPlaces, end_limit: float) -> bool:
        """Take one row more; whether the leak has ended with it."""
        self._before.wander()
        weight = 1 / (1 + residual.loss_factor**2 * reference.mood)
        shares, trace = self._left
        # Without the leak the shares are what they were before it, or what was fitted together with it.
        alone = min(
            float(weight @ (residual.whitened - residual.loss_factor * each) ** 2)
            for each in (shares, self._before.mean)
        )
        with_leak = residual.whitened - residual.loss_factor * shares - residual.flow_factor * trace
        gain = (float(weight @ with_leak**2) - alone) / 2
        # One row alone ends no leak.
        self.over = max(0.0, self.over + min(max(gain, -end_limit / 3), end_limit / 3))
        self._pending.append(sums_of_row(residual, reference.mood))
        if self.over > end_limit:
            return True
        if self.over == 0.0:
            for vector in self._pending:
                self._history.add(vector)
            self._refit_in -= len(self._pending)
            self._pending = []
            if self._refit_in <= 0:
                self.refit(places)
                return self.evidence < _FADED
        return False

    def state(self) -> dict[str, Any]:
        """All of it, as JSON."""
        return {
            "since_s": self.since_s,
            "over": self.over,
            "told": list(self.told),
            "chances": self.chances.tolist(),
            "evidence": self.evidence,
            "flow": self.flow,
            "history": self._history.state(),
            "longest": self._history.longest,
            "before": [self._before.mean.tolist(), self._before.covariance.tolist()],
            "left": [part.tolist() for part in self._left],
            "pending": [vector.tolist() for vector in self._pending],
            "refit_in": self._refit_in,
        }

    @classmethod
    def restored(cls, state: State, step: Array) -> Self:
        """The leak whose ``state`` was kept; ``step`` is by how much the shares wander a row."""
        history = History(state["longest"])
        history.restore(state["history"])
        mean, covariance = (np.array(part, dtype=np.float64) for part in state["before"])
        leak = cls(state["since_s"], history, Shares(mean, covariance, step))
        leak.over = state["over"]
        leak.told = tuple(state["told"])
        leak.chances = np.array(state["chances"], dtype=np.float64)
        leak.evidence, leak.flow = state["evidence"], state["flow"]
        leak._left = (np.array(state["left"][0]), np.array(state["left"][1]))
        leak._pending = [np.array(vector, dtype=np.float64) for vector in state["pending"]]
        leak._refit_in = state["refit_in"]
        return leak


def _likeliest(evidence: Array, flow: Array) -> int:
    """The place with the most evidence among those that lose water; without one, with the most."""
    losing: Array = np.where(flow > 0, evidence, -np.inf)
    chosen = losing if np.isfinite(losing).any() else evidence
    return int(np.argmax(chosen))
