"""Suspicions side by side: each is run through the model, and the readings say which of them fits.

The weight of a suspicion is the likelihood of the readings under it; what errs now errs a little later in the same way,
so that a row counts only as far as it is news. Older rows fade.
Source: model-based diagnosis by a bank of models (Isermann, Fault-Diagnosis Systems, 2006, chapter 10).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Self

import numpy as np

from services.alerts.sewers.channels import Gauged, shown
from services.alerts.sewers.expectation import TIMING, reach
from services.alerts.sewers.flow_routing import FlowRouting, Supposition
from services.alerts.sewers.pipe_sections import Array
from services.alerts.sewers.suspicions import Cause, Suspicion
from services.alerts.sewers.twin import (
    Acting,
    go_on,
    narrowed,
    packed,
    restore_routing,
    routing_state,
    unpacked,
    widened,
)

_NEWS_S = 900.0
"""What is left of the model's errors lasts about as long, once it may be a little early or late."""
_FADES_S = 2.5 * 3600.0
_LATELY_S = 1800.0
_TAIL = 3.0
"""Degrees of freedom of Student's distribution: one gauge that is far off must not outvote all others."""
_SIZE_ERROR = 0.2
"""Share of its effect that a suspicion may err: its size was tried in steps."""
_RISES_S = 3600.0
"""A river is taken to rise within so long, as the water of a storm comes down."""
_ANYTHING_M = 0.7
"""What a gauge that is not to be trusted may differ by."""


class Trial:
    """A bank of suspicions; the first is that nothing is wrong."""

    def __init__(self, routing: FlowRouting, suspicions: Sequence[Suspicion], gauges: Sequence[Gauged]) -> None:
        """Begin from the state of the sound network."""
        self.suspicions = list(suspicions)
        self.routing = widened(routing, [each.supposition for each in suspicions])
        self._gauges = gauges
        self.weights = np.zeros(len(suspicions))
        self._recent = np.zeros(len(suspicions))
        self._before = self._last = shown(self.routing, gauges)
        self._late: Array | None = None
        self._doubted = self._doubts()
        self._ran_s = 0.0

    def _doubts(self) -> Array:
        """By gauge and suspicion, the spread of gauges that a suspicion does not trust."""
        doubted = np.zeros((len(self._gauges), len(self.suspicions)))
        names = [gauge.channel.id for gauge in self._gauges]
        for column, each in enumerate(self.suspicions):
            if each.cause is Cause.SENSOR:
                doubted[names.index(each.asset), column] = _ANYTHING_M
        return doubted

    def take(self, acting: Acting, values: Array | None, bias: Array, spread: Array) -> None:
        """Let something act; compare with ``values``, if given.

        ``bias`` and ``spread`` are what each gauge usually differs from the sound model by.
        """
        self._ran_s += acting.seconds
        self.routing.risen = min(1.0, self._ran_s / _RISES_S)
        go_on(self.routing, acting)
        now = shown(self.routing, self._gauges)
        low, high = reach(self._before, self._last, now)
        judged, self._before, self._last = self._last, self._last, now
        values, self._late = self._late, values
        if values is None:
            return
        heard = np.flatnonzero(~np.isnan(values))
        seen = (values - bias)[heard][:, None]
        apart = seen - np.clip(seen, low[heard], high[heard])
        effect = judged[heard] - judged[heard][:, :1]
        wide = TIMING * (high - low)[heard]
        hurried = np.maximum(wide - wide[:, :1], 0.0)
        scale = np.sqrt(
            spread[heard][:, None] ** 2 + hurried**2 + (_SIZE_ERROR * effect) ** 2 + self._doubted[heard] ** 2
        )
        likelihood = -(_TAIL + 1) / 2 * np.log1p((apart / scale) ** 2 / _TAIL) - np.log(scale)
        told = likelihood.sum(axis=0) * min(1.0, acting.seconds / _NEWS_S)
        self.weights = self.weights * np.exp(-acting.seconds / _FADES_S) + told
        self._recent = self._recent * np.exp(-acting.seconds / _LATELY_S) + told

    def beliefs(self, evidence: Array, *, recent: bool = False) -> Array:
        """The share of belief in each suspicion; ``evidence`` is what else speaks for each, as a logarithm."""
        weights = self._recent if recent else self.weights
        log = weights + np.log([each.prior for each in self.suspicions]) + evidence
        shares: Array = np.exp(log - log.max())
        shares /= shares.sum()
        return shares

    def lead(self, spoken: Array) -> float:
        """By how much the best suspicion explains the readings, and what machines have ``spoken``, better than none."""
        return float((self.weights + spoken)[1:].max(initial=-np.inf) - self.weights[0])

    def best_of(self, cause: Cause) -> int | None:
        """The suspicion of a cause that explains the readings best; ``None`` where there is none."""
        of_cause = [k for k, each in enumerate(self.suspicions) if each.cause is cause]
        return max(of_cause, key=lambda k: (float(self.weights[k]), -k), default=None)

    def narrow(self, shares: Array, most: int) -> None:
        """Go on with the suspicions that are believed most, and the best of each cause."""
        kept = {0}
        for cause in Cause:
            of_cause = [k for k, each in enumerate(self.suspicions) if each.cause is cause]
            if of_cause:
                kept.add(max(of_cause, key=lambda k: (float(shares[k]), -k)))
        for k in np.argsort(-shares, kind="stable")[:most].tolist():
            kept.add(int(k))
        columns = sorted(kept)
        if len(columns) == len(self.suspicions):
            return
        self.suspicions = [self.suspicions[k] for k in columns]
        self.routing = narrowed(self.routing, columns)
        self.weights, self._recent, self._last = self.weights[columns], self._recent[columns], self._last[:, columns]
        self._before = self._before[:, columns]
        self._doubted = self._doubted[:, columns]

    def state(self) -> dict[str, Any]:
        """All of it, as JSON."""
        return {
            "suspicions": [_plain(each) for each in self.suspicions],
            "routing": routing_state(self.routing),
            "weights": packed(self.weights),
            "recent": packed(self._recent),
            "last": packed(self._last),
            "before": packed(self._before),
            "late": None if self._late is None else packed(self._late),
            "ran_s": self._ran_s,
        }

    @classmethod
    def restored(cls, state: Mapping[str, Any], sound: FlowRouting, gauges: Sequence[Gauged]) -> Self:
        """Go on where ``state`` was taken."""
        trial = cls(sound, [_suspicion(each) for each in state["suspicions"]], gauges)
        restore_routing(trial.routing, state["routing"])
        trial.weights, trial._recent = unpacked(state["weights"]), unpacked(state["recent"])
        trial._last, trial._ran_s = unpacked(state["last"]), state["ran_s"]
        trial._before = unpacked(state["before"])
        trial._late = None if state["late"] is None else unpacked(state["late"])
        return trial


def _plain(each: Suspicion) -> dict[str, Any]:
    supposed = asdict(each.supposition) | {"stopped": sorted(each.supposition.stopped)}
    return {"cause": str(each.cause), "asset": each.asset, "size": each.size, "prior": each.prior, **supposed}


def _suspicion(state: Mapping[str, Any]) -> Suspicion:
    supposed = Supposition(
        silted=state["silted"],
        opened=state["opened"],
        stopped=frozenset(state["stopped"]),
        raised_m=state["raised_m"],
        added_m3s=state["added_m3s"],
    )
    return Suspicion(Cause(state["cause"]), state["asset"], state["size"], supposed, state["prior"])
