"""Makes the evidence of blocks, many of them in several processes at once."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from services.alerts.hydraulics.block_evidence import Linear, linearised
from services.alerts.hydraulics.epanet_model import Array, EpanetModel
from services.alerts.hydraulics.evidence import Evidence, evidence_of
from services.alerts.hydraulics.ledger import Entry
from services.alerts.hydraulics.metering import Channel, Metering
from services.alerts.hydraulics.model_doubts import ModelDoubts

_WORTH_SHARING = 60
"""Blocks from which on the start of other processes pays."""
_AT_ONCE = 24


class EvidenceMaker:
    """The model of a site with its meters and its doubts: turns what was measured into evidence.

    ``noise`` has by residual how many times the variance of its noise is what it is taken for, as far as was learnt.
    """

    def __init__(self, text: str, channels: Sequence[Channel], processes: int) -> None:
        """Open the model.

        Raises:
            NetworkUnreadableError: EPANET refuses the text.
            ArithmeticError: the model has no solution for its own patterns.
        """
        self._key = (text, tuple(channels))
        self._processes = processes
        self.model = EpanetModel(text)
        self.metering = Metering(self.model, channels)
        self.doubts = ModelDoubts(self.model, self.metering)
        self.noise: Array = np.ones(len(self.metering.pressure) + len(self.metering.areas))

    def linear(self, entry: Entry) -> Linear | None:
        """A block about the state of the model with the leaks known then."""
        linear = linearised(self.model, self.metering, entry.block, entry.leaks)
        if linear is None:
            return None
        scale = np.sqrt(self.noise)
        return replace(linear, noise=linear.noise * np.outer(scale, scale))

    def evidence(self, entry: Entry, linear: Linear | None) -> Evidence | None:
        """The evidence of a linearised block."""
        if linear is None:
            return None
        muted = np.zeros(len(linear.residual), dtype=np.bool_)
        muted[list(entry.muted)] = True
        if not (linear.heard & ~muted).any():
            return None
        return evidence_of(linear, self.doubts, entry.leaks, self.model.link_index, muted)

    def evidences(self, entries: Sequence[Entry]) -> list[Evidence | None]:
        """The evidence of some blocks in their order."""
        if self._processes == 1 or len(entries) < _WORTH_SHARING:
            return [self.evidence(entry, self.linear(entry)) for entry in entries]
        chunks = [entries[first : first + _AT_ONCE] for first in range(0, len(entries), _AT_ONCE)]
        work = Parallel(n_jobs=self._processes)
        made: Any = work(delayed(_evidences_elsewhere)(self._key, self.noise, chunk) for chunk in chunks)
        return [each for chunk in made for each in chunk]


@lru_cache(maxsize=2)
def _maker(key: tuple[str, tuple[Channel, ...]]) -> EvidenceMaker:
    return EvidenceMaker(*key, processes=1)


def _evidences_elsewhere(
    key: tuple[str, tuple[Channel, ...]], noise: Array, entries: Sequence[Entry]
) -> list[Evidence | None]:
    maker = _maker(key)
    maker.noise = noise
    return maker.evidences(entries)
