"""Districts that are fed through meters alone, what they take in, and how much of it leaks. Pure.

A district metered area (DMA) follows from the network itself: what hangs together once every metered pipe and every
shut valve is taken out, and holds no source, can be fed through its meters only.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import networkx as nx

from services.core.asset import Asset, Link, LinkKind
from services.core.lifeline import Lifeline
from services.core.sensor import Sensor

_SOURCES = frozenset({"reservoir", "well", "waterworks"})
NIGHT_USE_M3H = 0.0017
"""What a household draws at night: 1.7 litres an hour, the figure of "Managing Leakage" (UK Water Industry, 1994);
a default, to be measured."""
LEAKAGE_EXPONENT = 1.0
"""How leakage follows pressure: 0.5 for fixed holes in metal to 1.5 for splits in plastic, about 1 for a whole district
(FAVAD: May 1994; Lambert, "What do we know about pressure-leakage relationships", IWA 2001)."""


@dataclass(frozen=True, slots=True)
class District:
    """A metered district: its zone, its assets, and the meters at its rim by sensor.

    ``zone`` is that of most of its nodes. ``tanks`` are the level sensors of its tanks with their areas in m2.
    """

    zone: str
    assets: frozenset[str]
    inflow: tuple[str, ...]
    outflow: tuple[str, ...]
    tanks: Mapping[str, float]


def districts_of(assets: Iterable[Asset], links: Iterable[Link], sensors: Iterable[Sensor]) -> list[District]:
    """The metered districts of a water network, those with most assets first.

    A meter counts positively in the nominal direction of its pipe. A meter both of whose sides hang together in another
    way does not bound anything and is left out.
    """
    known = {asset.id: asset for asset in assets if asset.lifeline is Lifeline.WATER}
    flow: nx.DiGraph[str] = nx.DiGraph()
    flow.add_nodes_from(known)
    flow.add_edges_from(
        (k.source, k.target) for k in links if k.kind is LinkKind.FLOW and k.source in known and k.target in known
    )
    listed = list(sensors)
    meters = {s.id: s.asset for s in listed if s.quantity == "flow" and s.asset in known}
    shut = {asset.id for asset in known.values() if asset.properties.get("status") == "closed"}
    rest = flow.to_undirected()
    rest.remove_nodes_from({*meters.values(), *shut})
    found: list[District] = []
    for part in nx.connected_components(rest):
        if any(known[name].kind in _SOURCES for name in part):
            continue
        inflow = [s for s, pipe in meters.items() if _leads(flow, pipe, part)]
        outflow = [s for s, pipe in meters.items() if _leads(flow.reverse(copy=False), pipe, part)]
        if inflow:
            zone = Counter(known[name].zone for name in sorted(part)).most_common(1)[0][0]
            tanks = _tanks(known, listed, part)
            found.append(District(zone, frozenset(part), tuple(sorted(inflow)), tuple(sorted(outflow)), tanks))
    return sorted(found, key=lambda district: (-len(district.assets), district.zone))


def _leads(flow: "nx.DiGraph[str]", pipe: str, part: set[str]) -> bool:
    """Whether a pipe leads into a part from outside of it."""
    return any(end in part for end in flow.successors(pipe)) and not any(end in part for end in flow.predecessors(pipe))


def _tanks(known: Mapping[str, Asset], sensors: Iterable[Sensor], part: set[str]) -> dict[str, float]:
    areas: dict[str, float] = {}
    for sensor in sensors:
        if sensor.quantity == "tank_level" and sensor.asset in part:
            area_m2 = known[sensor.asset].properties.get("area_m2")
            if isinstance(area_m2, int | float):
                areas[sensor.id] = float(area_m2)
    return areas


def used_m3h(
    district: District, flow_m3h: Mapping[str, float], level_rise_m: Mapping[str, float], hours: float
) -> float:
    """Consumption and leakage of a district together: inflow less outflow less what its tanks took in.

    ``flow_m3h`` is the mean of each meter over the time, ``level_rise_m`` how much each tank rose in it.

    Raises:
        KeyError: a meter or tank of the district has no value.
        ValueError: the time is not longer than nothing.
    """
    if hours <= 0:
        raise ValueError(f"a balance needs some time, not {hours:g} h")
    taken_in = sum(flow_m3h[meter] for meter in district.inflow) - sum(flow_m3h[meter] for meter in district.outflow)
    stored = sum(area_m2 * level_rise_m[tank] for tank, area_m2 in district.tanks.items()) / hours
    return taken_in - stored


def minimum_night_flow_m3h(flows_m3h: Sequence[float], per_hour: int) -> float:
    """The least mean of an hour within a night, from evenly spaced values, ``per_hour`` of them an hour.

    Raises:
        ValueError: there is less than an hour of values.
    """
    if per_hour < 1 or len(flows_m3h) < per_hour:
        raise ValueError("a minimum night flow needs an hour of values at least")
    windows = range(len(flows_m3h) - per_hour + 1)
    return min(sum(flows_m3h[first : first + per_hour]) / per_hour for first in windows)


def night_leakage_m3h(minimum_flow_m3h: float, households: int, household_m3h: float = NIGHT_USE_M3H) -> float:
    """What leaks at the time of least use: the minimum night flow less what households draw then, never negative."""
    return max(0.0, minimum_flow_m3h - households * household_m3h)


def leakage_at(
    leakage_m3h: float, pressure_m: float, other_pressure_m: float, exponent: float = LEAKAGE_EXPONENT
) -> float:
    """What a leakage that is known at one pressure is at another: L₁ = L₀·(P₁/P₀)^N1 (FAVAD).

    Raises:
        ValueError: the first pressure is not positive.
    """
    if pressure_m <= 0:
        raise ValueError(f"leakage is known at a positive pressure only, not at {pressure_m:g} m")
    share: float = (max(0.0, other_pressure_m) / pressure_m) ** exponent
    return leakage_m3h * share


def daily_leakage_m3(
    night_m3h: float, night_pressure_m: float, pressures_m: Sequence[float], exponent: float = LEAKAGE_EXPONENT
) -> float:
    """What leaks in a day, from the leakage at night and the mean pressure through the day in even steps.

    Raises:
        ValueError: there are no pressures, or that of the night is not positive.
    """
    if not pressures_m:
        raise ValueError("the pressure through the day is missing")
    hourly = [leakage_at(night_m3h, night_pressure_m, pressure_m, exponent) for pressure_m in pressures_m]
    return 24 * sum(hourly) / len(hourly)
