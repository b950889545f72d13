"""What a trouble endangers in other lifelines, and which neighbour of another lifeline it may come from. Pure.

From contact to contact and along sewers, as the medium goes: gas from a main into a sewer, down the sewer, through a
house connection into a basement; water from a main over the street to a low point and the road in it.
"""

import heapq
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from services.alerts.tracing.candidates import register_facts
from services.alerts.tracing.city_graph import CityGraph
from services.alerts.tracing.contacts import Contact
from services.alerts.tracing.neighbour_shares import OWN_WEIGHT, weighed
from services.alerts.tracing.parts import GATHERS, Medium, Part
from services.core.alert import Alert
from services.core.asset import LinkKind
from services.core.failure_prior import failure_prior
from services.core.lifeline import Lifeline
from services.core.text import Text

_FARTHEST_M = 500.0
"""So far from its source gas is followed down a sewer; a default."""
_MOST_STEPS = 3
"""From network to network; what is further off is not told."""
_MOST_VISITED = 300
_MOST, _MOST_OF_A_PART = 20, 5
"""Told of all that is endangered, and of one sort, so that a row of houses does not hide the hospital's tunnel."""
_MOST_CAUSES = 5
_LEAST_SHARE = 0.01

_ESCAPES: Mapping[Lifeline, frozenset[str]] = {
    Lifeline.WATER: frozenset({"burst-suspected", "leak-suspected", "night-flow-high", "pressure-low"}),
    Lifeline.GAS: frozenset({"methane-high", "gas-leak", "sewer-gas", "gas-main-break", "gas-feeder-leak"}),
    Lifeline.DRAINAGE: frozenset(
        {"waterlogging", "manhole-surcharge", "sewer-blockage", "trunk-surcharge", "sewer-flooding-expected"}
    ),
    Lifeline.BRIDGE: frozenset({"bridge-settlement", "scour", "structure-limit", "bridge-change-unexplained"}),
}
"""Kinds of alert in which something gets out; of a lifeline that is not named, every kind."""
_MEDIUM: Mapping[Lifeline, Medium] = {
    Lifeline.WATER: Medium.WATER,
    Lifeline.HEAT: Medium.WATER,
    Lifeline.GAS: Medium.GAS,
    Lifeline.TUNNEL: Medium.GAS,
    Lifeline.DRAINAGE: Medium.WATER,
    Lifeline.BRIDGE: Medium.GROUND,
}
_SIGNS: Mapping[Lifeline, Mapping[str, frozenset[Medium]]] = {
    Lifeline.WATER: dict.fromkeys(("burst-suspected", "leak-suspected"), frozenset({Medium.GROUND})),
    Lifeline.GAS: dict.fromkeys(("methane-high", "gas-leak", "sewer-gas", "gas-main-break"), frozenset(Medium)),
    Lifeline.DRAINAGE: dict.fromkeys(
        ("waterlogging", "manhole-surcharge", "trunk-surcharge", "foreign-inflow", "sewer-infiltration"),
        frozenset({Medium.WATER}),
    ),
    Lifeline.BRIDGE: dict.fromkeys(
        ("bridge-settlement", "scour", "structure-limit", "bridge-change-unexplained"), frozenset({Medium.WATER})
    ),
}
"""By kind of alert what may have come from a neighbour to cause it; of a lifeline that is not named, anything."""
_TOLD_ALREADY: Mapping[Lifeline, frozenset[Part]] = {Lifeline.DRAINAGE: frozenset({Part.ROAD, Part.LOW_POINT})}
"""The trace of drainage says in ``affected`` whom water on the street concerns, and when."""


@dataclass(frozen=True, slots=True)
class _Reached:
    """An asset that a medium gets to: how far from its source, by how many steps, and which way in words."""

    asset: str
    distance_m: float
    steps: int
    path: Text
    threat: Text = GATHERS
    above: Text | None = None
    """The way to where it went into the sewer; what lies between there and here is not told one by one."""
    is_entered: bool = True
    """Whether it got there from beside, at some place of a stretch that nobody knows."""
    is_told: bool = True
    goes_on: bool = True


def across(graph: CityGraph, alert: Alert, suspect: str, evidence: Mapping[str, Any]) -> dict[str, Any] | None:
    """The part of a trace that leaves the alert's own lifeline, as JSON; ``None`` where nothing is near.

    ``endangered`` is what it may reach, ``causes`` where it may come from, ``suspect`` is the first candidate.
    Causes hold the weight from which their shares are made anew when an alert opens or ends at one of them, see
    ``neighbour_shares``.
    """
    places = _places(graph, alert, suspect)
    endangered, causes = _endangered(graph, alert, places), _causes(graph, alert, places)
    if not endangered and not causes:
        return None
    own = OWN_WEIGHT
    sewage = ((evidence.get("seen") or {}).get("causes") or {}).get("sewage")
    if sewage is not None:
        # A search has weighed already whether the gas is of the main or of the sewer.
        own *= (1.0 - float(sewage)) / max(float(sewage), _LEAST_SHARE)
    return weighed({"endangered": endangered, "causes": causes, "own_weight": own})


def _places(graph: CityGraph, alert: Alert, suspect: str) -> list[str]:
    """The suspect, and the place that was measured if it is of another sort; else the parts of a whole, as of a bridge.

    Where one main is suspected after another one was, nothing gets out of the other.
    """
    named = [name for name in dict.fromkeys((suspect, alert.asset)) if name in graph.assets]
    by_part = {graph.contacts.part(name): name for name in reversed(named)}
    by_part.pop(None, None)
    if by_part:
        return sorted(by_part.values())
    return sorted(
        other
        for name in named
        if name in graph.adjacent
        for other, link in graph.adjacent[name].items()
        if link["kind"] is LinkKind.PART_OF and graph.contacts.part(other) is not None
    )


def _endangered(graph: CityGraph, alert: Alert, places: Sequence[str]) -> list[dict[str, Any]]:
    medium = _MEDIUM.get(alert.lifeline)
    if medium is None or alert.kind not in _ESCAPES.get(alert.lifeline, {alert.kind}):
        return []
    silent = _TOLD_ALREADY.get(alert.lifeline, frozenset())
    told: list[dict[str, Any]] = []
    kept: Counter[Part] = Counter()
    for each in _spread(graph, places, medium):
        part = graph.contacts.part(each.asset)
        if not each.is_told or part is None or part in silent or kept[part] == _MOST_OF_A_PART:
            continue
        kept[part] += 1
        told.append(
            {
                "asset": each.asset,
                "part": part,
                "distance_m": round(each.distance_m, 1),
                "steps": each.steps,
                "path": each.path.as_json(),
                "threat": each.threat.as_json(),
            }
        )
        if len(told) == _MOST:
            break
    return told


def _spread(graph: CityGraph, places: Sequence[str], medium: Medium) -> Iterator[_Reached]:
    """Everything that a medium gets to, the nearest first."""
    order = count()
    starts = [_Reached(name, 0.0, 0, graph.assets[name].name) for name in places]
    queue = [(0.0, next(order), each) for each in starts]
    seen: set[str] = set()
    while queue and len(seen) < _MOST_VISITED:
        _, _, here = heapq.heappop(queue)
        if here.asset in seen:
            continue
        seen.add(here.asset)
        if here.steps > 0:
            yield here
        for there in _next(graph, here, medium, places):
            if there.asset not in seen and there.distance_m <= _FARTHEST_M:
                heapq.heappush(queue, (there.distance_m, next(order), there))


def _next(graph: CityGraph, here: _Reached, medium: Medium, places: Sequence[str]) -> Iterator[_Reached]:
    if not here.goes_on:
        return
    if here.steps < _MOST_STEPS:
        lifeline = graph.assets[here.asset].lifeline
        for contact in graph.contacts.onward(here.asset, medium):
            # Within one register the flow says which way a sewer goes, and nearness says nothing.
            if contact.way.source is not contact.way.target or graph.assets[contact.asset].lifeline is not lifeline:
                yield _stepped(graph, here, contact, places)
    if medium is Medium.GAS and graph.contacts.part(here.asset) is Part.SEWER and here.asset in graph.flow:
        for below, link in graph.flow[here.asset].items():
            if graph.contacts.part(below) is Part.SEWER:
                yield _drifted(graph, here, below, float(link["length_m"]), places)


def _stepped(graph: CityGraph, here: _Reached, contact: Contact, places: Sequence[str]) -> _Reached:
    name, step = graph.assets[contact.asset].name, contact.way.step
    metres = f"{contact.distance_m:.0f}"
    path = Text(
        f"{here.path.en} → {metres} m {step.en} → {name.en}", f"{here.path.zh} → {step.zh}{metres}米 → {name.zh}"
    )
    # Along a stretch of sewer that is entered somewhere, the straight way is the least that lies between.
    distance_m = max(here.distance_m + contact.distance_m, _straight_m(graph, contact.asset, places))
    return _Reached(contact.asset, distance_m, here.steps + 1, path, contact.way.threat, goes_on=contact.way.goes_on)


def _drifted(graph: CityGraph, here: _Reached, below: str, length_m: float, places: Sequence[str]) -> _Reached:
    """Down a sewer. A manhole on the way is told, a stretch is not: nobody opens a stretch."""
    before, name = here.above or here.path, graph.assets[below].name
    path = Text(f"{before.en} → down the sewer → {name.en}", f"{before.zh} → 沿排水管向下游 → {name.zh}")
    along_m = 0.0 if here.is_entered else length_m
    distance_m = max(here.distance_m + along_m, _straight_m(graph, below, places))
    return _Reached(
        below,
        distance_m,
        max(here.steps, 1),
        path,
        above=before,
        is_entered=False,
        is_told=not graph.is_segment(below),
    )


def _straight_m(graph: CityGraph, asset: str, places: Sequence[str]) -> float:
    return min(graph.contacts.apart_m(place, asset) for place in places)


def _causes(graph: CityGraph, alert: Alert, places: Sequence[str]) -> list[dict[str, Any]]:
    """Assets of other lifelines from which the trouble may have come, with the weight of each."""
    signs = _SIGNS.get(alert.lifeline)
    media = frozenset(Medium) if signs is None else signs.get(alert.kind, frozenset())
    best: dict[str, tuple[float, str, Contact]] = {}
    for place in places:
        for contact in (each for medium in sorted(media) for each in graph.contacts.causes(place, medium)):
            weight = _weight(graph, contact)
            if graph.assets[contact.asset].lifeline is alert.lifeline:
                continue
            if contact.asset not in best or weight > best[contact.asset][0]:
                best[contact.asset] = (weight, place, contact)
    order = sorted(best, key=lambda asset: (-best[asset][0], asset))[:_MOST_CAUSES]
    return [_cause(graph, *best[asset]) for asset in order]


def _weight(graph: CityGraph, contact: Contact) -> float:
    """How likely a neighbour is to blame, against others: by its sort, age and material, and by how far off it is."""
    nearness = math.exp(-2.0 * contact.distance_m / contact.way.reach_m)
    return contact.way.share * failure_prior(graph.assets[contact.asset]) * nearness


def _cause(graph: CityGraph, weight: float, place: str, contact: Contact) -> dict[str, Any]:
    facts_en, facts_zh = register_facts(graph.assets[contact.asset])
    name, step, threat = graph.assets[place].name, contact.way.step, contact.way.threat
    metres = f"{contact.distance_m:.0f}"
    reason = Text(
        "; ".join(part for part in (f"{metres} m {step.en} from {name.en}", facts_en, threat.en) if part),
        "；".join(part for part in (f"{step.zh}距{name.zh}{metres}米", facts_zh, threat.zh) if part),
    )
    return {
        "asset": contact.asset,
        "part": contact.way.source,
        "distance_m": round(contact.distance_m, 1),
        "reason": reason.as_json(),
        "weight": round(weight, 4),
    }
