"""The blocks of some weeks with their evidence, summed ever more coarsely as they age."""

import base64
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.alerts.hydraulics.block import ActiveLeak, Block
from services.alerts.hydraulics.epanet_model import Array
from services.alerts.hydraulics.evidence import Evidence, summed

FINE = 12
"""Youngest blocks that are kept one by one."""
_GROUP = 6
_COARSE_FROM = 48
"""Blocks after which sums of six become sums of twelve."""
_COARSE = 12


@dataclass(frozen=True, slots=True)
class Entry:
    """A block, what the model knew when its evidence was made: the leaks found, the residuals not believed."""

    block: Block
    leaks: tuple[ActiveLeak, ...] = ()
    muted: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """The summed evidence of the blocks from number ``first`` up to ``end``; ``None`` where none said anything."""

    first: int
    end: int
    evidence: Evidence | None


Weigher = Callable[[Sequence[Entry]], list[Evidence | None]]
"""Makes the evidence of entries, block by block."""


class Ledger:
    """Remembers ``length`` blocks; what is older lives on as what it said about the model's doubts."""

    def __init__(self, length: int, doubts: int) -> None:
        self._length = length
        self.entries: list[Entry] = []
        self.first = 0
        self.parts: list[Part] = []
        self.old_doubts: Array = np.zeros((doubts, doubts))
        self.old_seen: Array = np.zeros(doubts)
        self._texts: dict[float, str] = {}

    @property
    def end(self) -> int:
        """The number of the next block."""
        return self.first + len(self.entries)

    def entry(self, number: int) -> Entry:
        """The entry of a block that is still remembered."""
        return self.entries[number - self.first]

    def add(self, entry: Entry, evidence: Evidence | None) -> None:
        """Append a block."""
        number = self.end
        self.entries.append(entry)
        self.parts.append(Part(number, number + 1, evidence))
        self.parts = _coarser(self.parts, self.end)
        while self.end - self.first > self._length:
            self._forget()

    def _forget(self) -> None:
        oldest = self.parts.pop(0)
        if oldest.evidence is not None:
            self.old_doubts = self.old_doubts + oldest.evidence.doubts
            self.old_seen = self.old_seen + oldest.evidence.doubts_seen
        for entry in self.entries[: oldest.end - self.first]:
            self._texts.pop(entry.block.end_s, None)
        del self.entries[: oldest.end - self.first]
        self.first = oldest.end

    def since(self, number: int) -> list[Part]:
        """The parts that begin with this block or later."""
        return [part for part in self.parts if part.first >= number and part.evidence is not None]

    def begin_of(self, number: int) -> int:
        """Where the part begins in which a block lies."""
        return next((part.first for part in self.parts if part.first <= number < part.end), self.first)

    def boundaries(self) -> list[int]:
        """Where parts begin, youngest first."""
        return [part.first for part in reversed(self.parts)]

    def rewritten(self, begin: int, change: Callable[[int, Entry], Entry], weigher: Weigher) -> list[Part]:
        """The parts as they would be, had the entries from ``begin`` (where a part begins) been ``change``-d."""
        kept = [part for part in self.parts if part.end <= begin]
        numbers = range(begin, self.end)
        entries = [change(number, self.entry(number)) for number in numbers]
        fresh = zip(numbers, weigher(entries), strict=True)
        return kept + _coarser([Part(number, number + 1, each) for number, each in fresh], self.end)

    def rewrite(self, begin: int, change: Callable[[int, Entry], Entry], parts: list[Part]) -> None:
        """Take ``parts`` made by ``rewritten`` with the same ``begin`` and ``change``."""
        for number in range(begin, self.end):
            self.entries[number - self.first] = change(number, self.entry(number))
        self.parts = parts

    def state(self) -> dict[str, Any]:
        """All that is remembered but the evidence, which is made anew."""
        return {
            "first": self.first,
            "old_doubts": _packed(self.old_doubts),
            "old_seen": _packed(self.old_seen),
            "blocks": list(self._blocks()),
        }

    def _blocks(self) -> Iterator[list[Any]]:
        for entry in self.entries:
            block = entry.block
            leaks = [[leak.key, leak.asset, leak.flow_m3h] for leak in entry.leaks]
            if block.end_s not in self._texts:
                numbers = np.concatenate([block.mean, block.rise, block.swell]).astype(np.float32)
                self._texts[block.end_s] = _packed(numbers)
            phases = block.phases.tolist()
            yield [block.start_s, block.end_s, self._texts[block.end_s], leaks, list(entry.muted), phases]

    def restore(self, state: Mapping[str, Any], columns: int) -> None:
        """Go on where ``state`` was taken, from rows of so many columns; ``refill`` has to follow."""
        self.first = state["first"]
        size = len(self.old_seen)
        self.old_doubts = _unpacked(state["old_doubts"], np.float64).reshape(size, size)
        self.old_seen = _unpacked(state["old_seen"], np.float64)
        self.entries = []
        self._texts = {}
        for start_s, end_s, text, leaks, muted, phases in state["blocks"]:
            mean, rise, swell = np.split(_unpacked(text, np.float32), [columns, 2 * columns])
            active = tuple(ActiveLeak(key, asset, flow_m3h) for key, asset, flow_m3h in leaks)
            block = Block(start_s, end_s, mean, rise, swell, np.array(phases))
            self.entries.append(Entry(block, active, tuple(muted)))
        self.parts = []

    def refill(self, weigher: Weigher) -> None:
        """Make the evidence of every entry anew."""
        self.parts = []
        for number, evidence in enumerate(weigher(self.entries), self.first):
            self.parts.append(Part(number, number + 1, evidence))
            self.parts = _coarser(self.parts, number + 1)


def _coarser(parts: list[Part], end: int) -> list[Part]:
    """The parts with sums formed where all of a group is old enough; the same however often it is asked."""
    for size, from_size, age in ((_GROUP, 1, FINE), (_COARSE, _GROUP, _COARSE_FROM)):
        merged: list[Part] = []
        waiting: list[Part] = []
        for part in parts:
            group_end = (part.first // size + 1) * size
            if part.end - part.first > from_size or group_end > end - age:
                merged.extend(waiting)
                waiting = []
                merged.append(part)
                continue
            waiting.append(part)
            if part.end == group_end:
                merged.append(_merged(waiting))
                waiting = []
        parts = merged + waiting
    return parts


def _merged(parts: Sequence[Part]) -> Part:
    said = [part.evidence for part in parts if part.evidence is not None]
    return Part(parts[0].first, parts[-1].end, summed(said) if said else None)


def _packed(values: NDArray[Any]) -> str:
    return base64.b85encode(zlib.compress(values.tobytes(), 6)).decode("ascii")


def _unpacked(text: str, kind: type[np.floating[Any]]) -> Array:
    return np.frombuffer(zlib.decompress(base64.b85decode(text)), dtype=kind).astype(np.float64)
