"""What is out of order in the drainage, and how far, at any instant."""

import math
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from simulators.scenario import (
    CoverDisplaced,
    ForeignInflow,
    GateShut,
    Injection,
    PumpTrip,
    RiverRise,
    Scenario,
    SewerBlockage,
    SewerInfiltration,
    ends_at,
    starts_at,
)

_GROWS_IN = 8
"""A growing blockage is as many steps, because SWMM cannot change a cross-section while it computes."""
_MINUTE = timedelta(minutes=1)
_REST_DEG = 1.5


class SewerEvents:
    """The injections of a scenario that concern sewers, pumps, gates and the river."""

    def __init__(self, scenario: Scenario, origin: datetime) -> None:
        self._origin = origin
        self._injections = scenario.injections

    def silted(self, time: datetime) -> dict[str, float]:
        """Share of their depth to which sewers are full of sediment."""
        blockages = [i for i in self._going(time) if isinstance(i, SewerBlockage)]
        return {i.asset: i.share * self._grown(i, time, i.growth_min, _GROWS_IN) for i in blockages}

    def tripped(self, time: datetime) -> frozenset[str]:
        """Pumps that deliver nothing."""
        return frozenset(i.asset for i in self._going(time) if isinstance(i, PumpTrip))

    def stands_open(self, time: datetime) -> dict[str, float]:
        """Gates that are not where they should be, with the share of their height at which they stand."""
        return {i.asset: i.stands_open for i in self._going(time) if isinstance(i, GateShut)}

    def rise_m(self, outfall: str, time: datetime) -> float:
        """How much higher than usual the river stands before an outfall."""
        rises = [i for i in self._going(time) if isinstance(i, RiverRise) and i.asset == outfall]
        return sum(i.rise_m * min(1.0, self._to_nearest_min(i, time) / i.ramp_min) for i in rises)

    def foreign_m3s(self, manhole: str, time: datetime) -> float:
        """What enters a manhole beside sewage and rain."""
        flow_l_s = 0.0
        for injection in self._going(time):
            if isinstance(injection, ForeignInflow) and injection.asset == manhole:
                flow_l_s += injection.flow_l_s
            if isinstance(injection, SewerInfiltration) and injection.asset == manhole:
                flow_l_s += injection.flow_l_s * self._grown(injection, time, injection.growth_min)
        return flow_l_s / 1000

    def fed(self) -> set[str]:
        """Manholes that ever get water which has no business there."""
        return {i.asset for i in self._injections if isinstance(i, ForeignInflow | SewerInfiltration)}

    def raised(self) -> set[str]:
        """Outfalls before which the river ever rises."""
        return {i.asset for i in self._injections if isinstance(i, RiverRise)}

    def tilt_deg(self, manhole: str, time: datetime) -> float:
        """How askew a cover lies."""
        displaced = [i.tilt_deg for i in self._going(time) if isinstance(i, CoverDisplaced) and i.asset == manhole]
        return max(displaced, default=_REST_DEG)

    def changes(self) -> list[datetime]:
        """The instants at which the network itself becomes another, on whole minutes."""
        instants = set()
        for injection in self._injections:
            if isinstance(injection, PumpTrip | GateShut | SewerBlockage):
                instants |= {self._start(injection), self._end(injection)}
            if isinstance(injection, SewerBlockage) and injection.growth_min:
                steps = (injection.growth_min * k / _GROWS_IN for k in range(1, _GROWS_IN + 1))
                instants |= {self._start(injection) + math.ceil(step) * _MINUTE for step in steps}
        return sorted(instants)

    def _going(self, time: datetime) -> Iterator[Injection]:
        return (i for i in self._injections if self._start(i) <= time < self._end(i))

    def _start(self, injection: Injection) -> datetime:
        return self._origin + round((starts_at(injection, self._origin) - self._origin) / _MINUTE) * _MINUTE

    def _end(self, injection: Injection) -> datetime:
        return self._origin + round((ends_at(injection, self._origin) - self._origin) / _MINUTE) * _MINUTE

    def _grown(self, injection: Injection, time: datetime, growth_min: float, steps: int = 0) -> float:
        """The share that has grown, evenly or in equal steps."""
        since_min = (time - self._start(injection)) / _MINUTE
        share = 1.0 if growth_min == 0 else min(1.0, since_min / growth_min)
        return min(1.0, (math.floor(share * steps) + 1) / (steps + 1)) if steps and growth_min else share

    def _to_nearest_min(self, injection: Injection, time: datetime) -> float:
        return min((time - self._start(injection)) / _MINUTE, (self._end(injection) - time) / _MINUTE)


def knots(start: datetime, end: datetime, every: timedelta) -> Iterable[datetime]:
    """``start``, every so often after it, and ``end``."""
    time = start
    while time < end:
        yield time
        time += every
    yield end
