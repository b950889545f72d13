"""Adjacencies from geometry: where the register is silent, and never against it."""

from services.core.adjacency import apart_m, to_line_m, with_adjacencies
from services.core.asset import Asset, Link, LinkKind
from services.core.lifeline import Lifeline
from services.core.text import Text

METRE = 1 / 111_320.0


def _at(ident: str, kind: str, *places: tuple[float, float], **facts: object) -> Asset:
    points = [[117.2 + x * METRE / 0.85, 31.8 + y * METRE] for x, y in places]
    geometry = (
        {"type": "Point", "coordinates": points[0]}
        if len(points) == 1
        else {"type": "LineString", "coordinates": points}
    )
    return Asset(ident, Lifeline.GAS, kind, "G1", Text(ident, ident), geometry, None, facts)


MAIN = _at("P", "pipe", (0, 0), (100, 0))
SPACES = [
    _at("S1", "underground-space", (20, 6), space="sewer-manhole"),
    _at("S2", "underground-space", (60, 6), space="sewer-manhole"),
    _at("T1", "underground-space", (50, 300), space="telecom-manhole"),
]
HOUSE = _at("B", "building", (50, 15))


def test_pipes_are_joined_to_what_gas_can_reach_and_manholes_of_a_sewer_to_each_other() -> None:
    found = {(link.source, link.target): link for link in with_adjacencies([MAIN, *SPACES, HOUSE], [])}
    assert set(found) == {("P", "S1"), ("P", "S2"), ("P", "B"), ("S1", "S2")}
    assert abs(found["P", "S1"].length_m - 6) < 0.2
    assert all(link.kind is LinkKind.ADJACENT for link in found.values())


def test_a_register_that_declares_adjacencies_is_not_added_to() -> None:
    declared = [Link("P", "S1", LinkKind.ADJACENT, 9.0)]
    assert with_adjacencies([MAIN, *SPACES, HOUSE], declared) == declared


def test_without_gas_mains_or_spaces_nothing_is_made() -> None:
    assert with_adjacencies(SPACES, []) == []
    assert with_adjacencies([MAIN, HOUSE], []) == []


def test_distances_are_in_metres() -> None:
    line = [(117.2, 31.8), (117.2, 31.801)]
    assert abs(apart_m(*line) - 111.3) < 0.1
    assert abs(to_line_m((117.2 + 10 * METRE / 0.85, 31.8005), line) - 10) < 0.1
