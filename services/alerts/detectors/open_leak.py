"""A leak that is being followed: how large, where, and whether it still runs."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from services.alerts.detectors.contract import Claim, State, Suspect
from services.alerts.detectors.inlet_history import History, sums, sums_of_row
from services.alerts.detectors.inlet_hypotheses import fit
from services.alerts.detectors.inlet_places import InletPlaces
from services.alerts.detectors.inlet_reference import InletReference, Residual
from services.alerts.detectors.inlet_shares import Shares
from services.alerts.detectors.running_covariance import Array
from services.core.finding import FindingState
from services.core.severity import Severity

LEAK = "inlet-leak"
"""What claims about leaks are called."""

_SUSPECTS = 10
_LEAST_CHANCE = 0.005
_LARGE_SHARE = 0.05
_FITTED_ROWS = 336
"""A leak may grow: size and place are read off the last week."""
_REFIT_ROWS = 12
_FADED = 1.0
"""Evidence (logarithm) below which there is nothing left to follow."""
_NEGLIGIBLE = 1.0
"""Evidence for the end below which the rows belong to the leak."""
_DOUBTED_ROWS = 30 * 48
"""What was seen of a leak in its first month is not undone by what the customers may have changed since."""


class OpenLeak:
    """One leak from the row that showed it until it ends.

    ``evidence`` is how many times likelier it is than none (logarithm), ``flow`` its size, ``chances`` the probability
    of each place, ``since_s`` when it began. ``pending`` rows belong to it or came after it: that is not known yet.
    """

    __slots__ = (
        "_age", "_before", "_history", "_left", "_over", "_pending", "_refit_in", "chances", "evidence", "flow", "key",
        "since_s", "told",
    )  # fmt: skip

    def __init__(self, since_s: float, history: History, before: Shares) -> None:
        self.since_s = since_s
        self.key = f"{since_s:.0f}"
        self._age = 0
        self._over = [0.0, 0.0]
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
    def believed_before(self) -> Shares:
        """What was believed about the shares before it began."""
        return self._before

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
        self._age += 1
        if self._age < _DOUBTED_ROWS:
            self._before.wander()
        weight = 1 / (1 + residual.loss_factor**2 * reference.mood)
        shares, trace = self._left
        with_leak = residual.whitened - residual.loss_factor * shares - residual.flow_factor * trace
        fitting = float(weight @ with_leak**2)
        # Without the leak the shares are what was fitted together with it, or what they were before it.
        for number, alone in enumerate((shares, self._before.mean)):
            gain = (fitting - float(weight @ (residual.whitened - residual.loss_factor * alone) ** 2)) / 2
            # One row alone ends no leak.
            gain = min(max(gain, -end_limit / 3), end_limit / 3)
            self._over[number] = max(0.0, self._over[number] + gain)
        self._pending.append(sums_of_row(residual, reference.mood))
        if max(self._over) > end_limit:
            return True
        if max(self._over) < _NEGLIGIBLE:
            for vector in self._pending:
                self._history.add(vector)
            self._refit_in -= len(self._pending)
            self._pending = []
            if self._refit_in <= 0:
                self.refit(places)
                return self.evidence < _FADED
        return False

    def likeliest(self, places: Sequence[str]) -> tuple[str, ...]:
        """The place it is likeliest at, if any place is likely enough to be named."""
        return tuple(suspect.asset for suspect in self.suspects(places)[:1])

    def suspects(self, places: Sequence[str]) -> tuple[Suspect, ...]:
        """The places it may be at, likeliest first; none without ``places``."""
        if not places:
            return ()
        order = np.argsort(-self.chances, kind="stable")[:_SUSPECTS]
        likely = [int(place) for place in order if self.chances[place] >= _LEAST_CHANCE]
        return tuple(Suspect(places[place], float(self.chances[place])) for place in likely)

    def claim(self, state: FindingState, columns: tuple[str, ...], places: Sequence[str], mean_flow: float) -> Claim:
        """What there is to tell of it; without ``places`` its size is not known either."""
        suspects = self.suspects(places)
        self.told = tuple(suspect.asset for suspect in suspects)
        size = self.flow if places else None
        large = size is not None and size >= _LARGE_SHARE * mean_flow
        severity = Severity.NORMAL if state is FindingState.CLEARED else Severity.MAJOR if large else Severity.MODERATE
        seen = {"flow": size, "evidence": self.evidence, "mean_inlet_flow": mean_flow}
        return Claim(
            LEAK, self.key, state, severity, self.evidence, self.since_s, columns, suspects, value=size, seen=seen
        )

    def state(self) -> dict[str, Any]:
        """All of it, as JSON."""
        return {
            "since_s": self.since_s,
            "age": self._age,
            "over": list(self._over),
            "told": list(self.told),
            "chances": self.chances.tolist(),
            "evidence": self.evidence,
            "flow": self.flow,
            "history": self._history.state(),
            "longest": self._history.longest,
            "before": self._before.state(),
            "left": [part.tolist() for part in self._left],
            "pending": [vector.tolist() for vector in self._pending],
            "refit_in": self._refit_in,
        }

    @classmethod
    def restored(cls, state: State, reference: InletReference) -> Self:
        """The leak whose ``state`` was kept."""
        history = History(state["longest"])
        history.restore(state["history"])
        leak = cls(state["since_s"], history, Shares.restored(state["before"], reference))
        leak._age, leak._over = state["age"], list(state["over"])
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
