"""Pipes along streets: which way they flow, how wide they are, where valves sit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simulators.city import Fact, Words
from simulators.demo_city.draft import Draft, Numbering, Place
from simulators.demo_city.streets import Crossing, Street
from simulators.geometry import between, distance


@dataclass(frozen=True, slots=True)
class Inline:
    """A node along a street's pipe, at a fraction of its length in flow direction."""

    fraction: float
    kind: str
    ident: str
    name: Words
    facts: Mapping[str, Fact]


@dataclass(frozen=True, slots=True)
class Laid:
    """One street's chain: node and pipe ids in flow direction."""

    nodes: tuple[str, ...]
    pipes: tuple[str, ...]


def nominal_flow(
    streets: Sequence[Street],
    conductance: Sequence[float],
    demand: Mapping[Crossing, float],
    sources: Sequence[Crossing],
) -> list[float]:
    """Flow along each street, positive from its first to its second crossing, in the demand's unit.

    A linear network: it serves to choose directions and diameters, not to compute pressures.
    """
    index = {crossing: i for i, crossing in enumerate(demand)}
    matrix = np.zeros((len(index), len(index)))
    for (a, b), g in zip(streets, conductance, strict=True):
        i, j = index[a], index[b]
        matrix[[i, j], [i, j]] += g
        matrix[[i, j], [j, i]] -= g
    drawn = -np.array([demand[crossing] for crossing in index])
    for source in sources:
        i = index[source]
        matrix[i, :] = 0.0
        matrix[i, i] = 1.0
        drawn[i] = 0.0
    potential = np.linalg.solve(matrix, drawn)
    return [
        float(g * (potential[index[a]] - potential[index[b]])) for (a, b), g in zip(streets, conductance, strict=True)
    ]


def sized_flow(
    streets: Sequence[Street],
    lengths_m: Sequence[float],
    demand: Mapping[Crossing, float],
    sources: Sequence[Crossing],
    diameter_mm: Callable[[float], int],
) -> list[tuple[Street, float, int]]:
    """Streets turned into flow direction, with the nominal flow and the diameter it needs."""
    first = nominal_flow(streets, [1 / length for length in lengths_m], demand, sources)
    diameters = [diameter_mm(abs(q)) for q in first]
    wide = [(d / 100) ** 2.5 / length for d, length in zip(diameters, lengths_m, strict=True)]
    final = nominal_flow(streets, wide, demand, sources)
    return [((a, b) if q >= 0 else (b, a), abs(q), d) for (a, b), q, d in zip(streets, final, diameters, strict=True)]


def lay_street(
    draft: Draft,
    place: Place,
    ends: tuple[str, str],
    inline: Sequence[Inline],
    *,
    pipe_ids: Sequence[str],
    name: Words,
    facts: Mapping[str, Fact],
) -> Laid:
    """Add a chain of pipes and in-line nodes between two existing nodes; households are shared by length."""
    start, end = draft.points[ends[0]][0], draft.points[ends[1]][0]
    nodes = [ends[0]]
    for item in inline:
        point = between(start, end, item.fraction)
        nodes.append(draft.add(place, item.ident, item.kind, item.name, points=(point,), facts=item.facts))
    nodes.append(ends[1])
    total_m = distance(start, end)
    households = float(facts.get("households", 0))
    for ident, source, target in zip(pipe_ids, nodes[:-1], nodes[1:], strict=True):
        share = distance(draft.points[source][0], draft.points[target][0]) / total_m
        draft.pipe(place, ident, name, (source, target), {**facts, "households": round(households * share)})
    return Laid(tuple(nodes), tuple(pipe_ids))


def first_unused(numbering: Numbering, count: int, fixed: Mapping[int, int]) -> list[str]:
    """Ids for a chain of ``count`` parts; ``fixed`` gives a part (by position) a number of its own."""
    return [numbering.of(fixed[i]) if i in fixed else numbering.new() for i in range(count)]
