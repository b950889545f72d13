"""A feeder: mains one after the other between two stations that meter what flows, with pressure gauges along. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Self

import numpy as np

from services.alerts.gas.readings import Array
from services.alerts.gas.town import PIPE
from services.core.asset import Asset, Link, LinkKind
from services.core.geometry import distance_m, points_of
from services.core.lifeline import Lifeline

ATMOSPHERE_KPA = 101.325
FLOW_EXPONENT, DIAMETER_EXPONENT = 1.82, 4.82
"""Of Renouard's law for natural gas: squared pressure falls with L Q^1.82 / D^4.82."""
_USUAL_DIAMETER_MM = 300.0
_POSITION_M = 100.0


class Stretch(NamedTuple):
    """One main of a feeder: where it begins, in metres from the inlet."""

    asset: str
    begins_m: float
    length_m: float
    diameter_mm: float

    @property
    def room_m3(self) -> float:
        """What is inside the pipe."""
        return math.pi / 4 * (self.diameter_mm / 1000) ** 2 * self.length_m

    @property
    def resistance(self) -> float:
        """Relative to other stretches of a feeder: its friction is learnt."""
        return self.length_m * float((_USUAL_DIAMETER_MM / self.diameter_mm) ** DIAMETER_EXPONENT)


class Feeder(NamedTuple):
    """``stations`` are the assets at its ends and between its mains with their metres from the inlet."""

    stretches: tuple[Stretch, ...]
    stations: tuple[tuple[str, float], ...]

    @property
    def inlet(self) -> str:
        """The asset where gas comes in."""
        return self.stations[0][0]

    @property
    def outlet(self) -> str:
        """The asset where it is taken over."""
        return self.stations[-1][0]

    @property
    def length_m(self) -> float:
        """From end to end."""
        return self.stations[-1][1]

    def resistance_to(self, at_m: Array) -> Array:
        """Resistance between the inlet and places."""
        ends = [0.0, *(stretch.begins_m + stretch.length_m for stretch in self.stretches)]
        grown = np.concatenate([[0.0], np.cumsum([stretch.resistance for stretch in self.stretches])])
        return np.asarray(np.interp(at_m, ends, grown))

    def packed_m3(self, gauges_m: Array, pressures_kpa: Array) -> float:
        """Standard cubic metres in the feeder, from gauge pressures along it, at the temperature of the standard.

        Between gauges the squared pressure falls along a straight line of resistance, as in steady flow. That the
        ground is warmer or colder shifts all alike and leaves the balance over hours alone.
        """
        places = np.array([stretch.begins_m + stretch.length_m / 2 for stretch in self.stretches])
        squares = (pressures_kpa + ATMOSPHERE_KPA) ** 2
        inside = np.sqrt(np.interp(self.resistance_to(places), self.resistance_to(gauges_m), squares))
        return float((inside / ATMOSPHERE_KPA * [stretch.room_m3 for stretch in self.stretches]).sum())

    def positions_m(self) -> Array:
        """Places where it may leak, some hundred metres apart; never the ends themselves."""
        count = max(2, round(self.length_m / _POSITION_M))
        return np.asarray((np.arange(count) + 0.5) * self.length_m / count)

    def stretch_at(self, at_m: float) -> str:
        """The main at a place."""
        return next(
            (each.asset for each in self.stretches if at_m < each.begins_m + each.length_m), self.stretches[-1].asset
        )

    def as_json(self) -> dict[str, Any]:
        """The same in values that JSON carries."""
        return {
            "stretches": [list(each) for each in self.stretches],
            "stations": [list(each) for each in self.stations],
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        """Take up what ``as_json`` returned."""
        return cls(
            tuple(Stretch(*each) for each in told["stretches"]), tuple((each[0], each[1]) for each in told["stations"])
        )


def feeders_of(assets: Mapping[str, Asset], links: Iterable[Link], metered: Iterable[str]) -> list[Feeder]:
    """The feeders between ``metered`` assets: nothing branches off between them.

    A branch, or two mains that meet, ends the walk: what flows there is not metered, so there is no balance.
    """
    after: dict[str, list[str]] = {}
    before: dict[str, list[str]] = {}
    for link in sorted(links, key=lambda each: (each.source, each.target)):
        ends = [assets.get(link.source), assets.get(link.target)]
        if link.kind is LinkKind.FLOW and all(end is not None and end.lifeline is Lifeline.GAS for end in ends):
            after.setdefault(link.source, []).append(link.target)
            before.setdefault(link.target, []).append(link.source)
    meters = set(metered)
    found = []
    for begin in sorted(meters):
        for first in after.get(begin, []):
            chain = _chain(begin, first, after, before, meters)
            feeder = None if chain is None else _feeder([assets[each] for each in chain])
            if feeder is not None:
                found.append(feeder)
    return found


def _chain(
    begin: str, first: str, after: Mapping[str, list[str]], before: Mapping[str, list[str]], meters: set[str]
) -> list[str] | None:
    chain = [begin, first]
    while chain[-1] not in meters:
        ways = after.get(chain[-1], [])
        if len(ways) != 1 or len(before.get(chain[-1], [])) != 1 or ways[0] in chain:
            return None
        chain.append(ways[0])
    return chain if len(before.get(chain[-1], [])) == 1 else None


def _feeder(chain: Sequence[Asset]) -> Feeder | None:
    stretches: list[Stretch] = []
    stations: list[tuple[str, float]] = []
    at_m = 0.0
    for asset in chain:
        if asset.kind != PIPE:
            stations.append((asset.id, round(at_m, 1)))
            continue
        length_m = _length_m(asset)
        diameter_mm = float(asset.properties.get("diameter_mm") or _USUAL_DIAMETER_MM)
        stretches.append(Stretch(asset.id, round(at_m, 1), length_m, diameter_mm))
        at_m += length_m
    return Feeder(tuple(stretches), tuple(stations)) if stretches else None


def _length_m(pipe: Asset) -> float:
    told = pipe.properties.get("length_m")
    if isinstance(told, int | float) and told > 0:
        return float(told)
    points = list(points_of(pipe.geometry))
    return max(1.0, sum(distance_m(one, other) for one, other in pairwise(points)))
