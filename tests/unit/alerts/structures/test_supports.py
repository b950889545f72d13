"""Which support is named when spans lie differently."""

import pytest

from services.alerts.structures.supports import spans_on, suspected
from services.core.asset import Asset
from services.core.lifeline import Lifeline
from services.core.text import Text

NAME = Text("", "")
THREE_SPANS = {"E1": ("S1",), "E2": ("S1", "S2"), "E3": ("S2", "S3"), "E4": ("S3",)}


def part(ident: str, kind: str, along_m: float) -> Asset:
    geometry = {"type": "Point", "coordinates": [117.0, 31.0 + along_m / 111_320.0]}
    return Asset(ident, Lifeline.BRIDGE, kind, "B1", NAME, geometry)


def test_a_span_rests_on_the_supports_at_both_of_its_ends() -> None:
    spans = [part(f"S{k + 1}", "span", 60.0 * k + 30.0) for k in range(3)]
    bearings = [part(f"E{k + 1}", "bearing", 60.0 * k) for k in range(4)]
    assert spans_on([*spans, *bearings, part("BR", "bridge", 90.0)]) == THREE_SPANS


def test_a_bridge_without_spans_in_the_register_has_supports_on_which_nothing_rests() -> None:
    assert spans_on([part("E1", "bearing", 0.0)]) == {"E1": ()}


@pytest.mark.parametrize(
    ("moved", "named"),
    [
        (["S1", "S2"], "E2"),
        (["S2", "S1", "S3"], "E2"),
        (["S2", "S3", "S1"], "E3"),
        (["S3"], "E4"),
        (["E3", "S2"], "E3"),
    ],
)
def test_the_support_between_what_moved_is_suspected_first(moved: list[str], named: str) -> None:
    first, *others = suspected(moved, THREE_SPANS)
    assert first.asset == named
    assert all(first.share > other.share for other in others)
    assert "rest on it" in first.reason.en


def test_without_supports_the_parts_that_moved_are_suspected_in_their_order() -> None:
    assert [each.asset for each in suspected(["C4", "C5", "S2", "S1"], {})] == ["C4", "C5", "S2"]
