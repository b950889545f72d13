"""Gauges of a bridge that have no limits of their own get them from what the bridge was designed for."""

from dataclasses import dataclass

import pytest

from services.core.asset import Asset, Link, LinkKind
from services.core.design_limits import limits_by_design
from services.core.lifeline import Lifeline
from services.core.severity import Scheme, Severity, label
from services.core.text import Text

NAME = Text("", "")
POINT = {"type": "Point", "coordinates": [117.0, 31.0]}


@dataclass(frozen=True)
class Row:
    sensor: str
    quantity: str
    unit: str
    asset: str


def part(ident: str, **facts: object) -> Asset:
    return Asset(ident, Lifeline.BRIDGE, "span", "B1", NAME, POINT, None, facts)


BRIDGE = [part("BR", design_strain_ue=180.0, design_deflection_mm=32), part("S1"), part("S2", design_strain_ue=200)]
LINKS = [Link("S1", "BR", LinkKind.PART_OF, 0.0), Link("S2", "BR", LinkKind.PART_OF, 0.0)]


def raised_at(row: Row) -> list[float]:
    found = limits_by_design([row], BRIDGE, LINKS).get(row.sensor, [])
    assert all("default" in each.source for each in found)
    return [each.raise_at for each in found]


@pytest.mark.parametrize(
    ("row", "limits"),
    [
        (Row("g", "strain", "µε", "S1"), [144.0, 180.0, 216.0]),
        (Row("g", "strain", "µε", "S2"), [160.0, 200.0, 240.0]),
        (Row("g", "deflection", "mm", "BR"), [25.6, 32.0, 38.4]),
        (Row("g", "deflection", "cm", "S1"), []),
        (Row("g", "tilt", "deg", "S1"), []),
    ],
)
def test_the_nearest_design_value_gives_the_limits_in_its_own_unit_alone(row: Row, limits: list[float]) -> None:
    assert raised_at(row) == pytest.approx(limits)


def test_the_lowest_limit_is_the_first_level_of_a_bridge() -> None:
    lowest = limits_by_design([Row("g", "strain", "µε", "S1")], BRIDGE, LINKS)["g"][0]
    assert lowest.severity is Severity.MODERATE
    assert label(lowest.severity, Scheme.BRIDGE).zh == "桥梁一级"
