"""Units that stand at the same place in the feed, and what the next entries say about them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from services.alerts.city_clock import CityClock, Sighting
from services.alerts.sharing import share_of
from services.alerts.zone_engine import Sample, ZoneEngine
from services.core.finding import Finding
from services.core.new_normal import NewNormal, NewNormalOutcome
from services.core.store.feed import FeedEntry, FeedPosition

_SLICE_S = 60.0
"""Event time between two looks at who has fallen silent."""


@dataclass(frozen=True, slots=True)
class Taker:
    """What the register says of a sensor key: the sensor, and the units that judge it, here or in another process."""

    sensor: str
    units: tuple[str, ...]


@dataclass(slots=True)
class _Slice:
    """What the entries hold of a minute of event time."""

    samples: dict[str, list[Sample]] = field(default_factory=dict)
    sightings: list[Sighting] = field(default_factory=list)


@dataclass(slots=True)
class Lane:
    """Shares at one place in the feed, their engines by unit, and the city's clock there.

    ``shares`` may be without any unit. ``last_entry_at`` is process time (seconds) and ``released`` whether everything
    held was judged since then, because nothing came. ``unknown`` readings are of sensors that nobody has registered, in
    zones whose share is ours. ``wishes`` for a new normal are taken up with the next step.
    """

    position: FeedPosition
    clock: CityClock
    shares: set[int]
    engines: dict[str, ZoneEngine]
    last_entry_at: float
    released: bool = False
    unknown: int = 0
    wishes: list[NewNormal] = field(default_factory=list)

    def settle_wishes(self, findings: list[Finding]) -> list[tuple[NewNormal, NewNormalOutcome]]:
        """Let rules learn afresh where a person asked for it; what became of each wish."""
        wishes, self.wishes = self.wishes, []
        return [(wish, self.engines[wish.zone].accept(wish.rule, wish.target, findings)) for wish in wishes]

    def judge(self, entries: Iterable[FeedEntry], takers: Mapping[int, Taker]) -> list[Finding]:
        """Judge slice by slice of event time, so that a long backlog does not look like silence."""
        found: list[Finding] = []
        for _, part in sorted(self._sliced(entries, takers).items()):
            for unit, samples in part.samples.items():
                found += self.engines[unit].take(samples)
            if self.clock.see(part.sightings) and self.clock.time is not None:
                for engine in self.engines.values():
                    found += engine.advance(self.clock.time)
        return found

    def _sliced(self, entries: Iterable[FeedEntry], takers: Mapping[int, Taker]) -> dict[float, _Slice]:
        slices: dict[float, _Slice] = {}
        engines = self.engines
        for entry in entries:
            columns = zip(entry.sensor_keys, entry.times_s, entry.values, entry.qualities, strict=True)
            for key, time_s, value, quality in columns:
                taker = takers.get(key)
                if taker is None:
                    self.unknown += share_of(entry.zone) in self.shares
                    continue
                number = time_s // _SLICE_S
                part = slices.get(number)
                if part is None:
                    part = slices[number] = _Slice()
                part.sightings.append((time_s, key))
                for unit in taker.units:
                    if unit in engines:
                        part.samples.setdefault(unit, []).append((time_s, taker.sensor, value, quality))
        return slices

    def release(self) -> list[Finding]:
        """Judge everything held, because nothing came for a while."""
        self.released = True
        return [finding for engine in self.engines.values() for finding in engine.release()]

    def take_unknown(self) -> int:
        """How many readings were of nobody, counted from zero after each call."""
        unknown, self.unknown = self.unknown, 0
        return unknown

    def join(self, other: "Lane") -> None:
        """Take over the shares of another lane that stands at the same place."""
        self.shares |= other.shares
        self.engines |= other.engines
        self.unknown += other.unknown
        self.wishes += other.wishes
        self.released = False
