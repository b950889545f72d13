"""Valves, instruments, sources and nights that are not as they were, from when that is told until it is over."""

from typing import Any

from services.alerts.bursts.burst_claims import ToldChange
from services.alerts.detectors.contract import Claim, State
from services.core.finding import FindingState


class Changes:
    """What is told about by the name of the thing; the search numbers its tellings, so that no key is used twice."""

    def __init__(self) -> None:
        self._told: dict[str, ToldChange] = {}
        self._count = 0

    def begin(self, name: str, change: ToldChange, score: float) -> Claim:
        """Tell that something has changed, or has changed again; its key is made of ``name``."""
        if name in self._told:
            told = self._told[name] = change.named(self._told[name].key)
            return told.claim(FindingState.CHANGED, score)
        self._count += 1
        told = self._told[name] = change.named(f"{name}-{self._count}")
        return told.claim(FindingState.RAISED, score)

    def end(self, name: str, score: float) -> list[Claim]:
        """Tell that it is as before, if it was told."""
        told = self._told.pop(name, None)
        return [] if told is None else [told.claim(FindingState.CLEARED, score)]

    def state(self) -> dict[str, Any]:
        """What is told now."""
        return {"told": [[name, told.state()] for name, told in sorted(self._told.items())], "count": self._count}

    def restore(self, state: State) -> None:
        """Go on where ``state`` was taken."""
        self._told = {name: ToldChange.restored(told) for name, told in state["told"]}
        self._count = state["count"]
