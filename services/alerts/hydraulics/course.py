"""How a leak goes in time, and how a leak is written into what the model knew of past blocks."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from services.alerts.hydraulics.block import ActiveLeak
from services.alerts.hydraulics.ledger import Entry, Part

Change = Callable[[int, Entry], Entry]
"""Makes of a block's number and entry the entry as it should have been."""


@dataclass(frozen=True, slots=True)
class Course:
    """How a leak went from block ``first`` up to ``end``: ``flow_m3h`` in the mean, all at once or growing.

    What grows is the diameter of the hole, evenly; the flow with its square.
    """

    first: int
    end: int
    flow_m3h: float
    grows: bool

    def at(self, number: int) -> float:
        """Its flow in a block, m3/h."""
        if number < self.first:
            return 0.0
        if not self.grows:
            return self.flow_m3h
        return self.flow_m3h * 3 * ((number - self.first + 0.5) / (self.end - self.first)) ** 2

    def mean(self, part: Part) -> float:
        """Its mean flow in a part, m3/h."""
        return (self.at(part.first) + self.at(part.end - 1)) / 2


def leaking(key: str, asset: str, course: Course | None) -> Change:
    """Puts a leak with its course into the model, or takes it out where it has none."""

    def change(number: int, entry: Entry) -> Entry:
        others = tuple(leak for leak in entry.leaks if leak.key != key)
        flow_m3h = 0.0 if course is None else course.at(number)
        return replace(entry, leaks=(*others, ActiveLeak(key, asset, flow_m3h)) if flow_m3h > 0 else others)

    return change


def moved(key: str, asset: str, factor: float) -> Change:
    """Puts a leak elsewhere, with so many times its flow."""

    def change(_: int, entry: Entry) -> Entry:
        leaks = (ActiveLeak(key, asset, leak.flow_m3h * factor) if leak.key == key else leak for leak in entry.leaks)
        return replace(entry, leaks=tuple(leaks))

    return change


def disbelieving(position: int) -> Change:
    """Believes a residual no longer."""

    def change(_: int, entry: Entry) -> Entry:
        return replace(entry, muted=tuple(sorted({*entry.muted, position})))

    return change
