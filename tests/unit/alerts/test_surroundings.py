"""What stands around the sensors of a zone."""

from services.alerts.surroundings import by_zone
from services.core.asset import Asset, Link, LinkKind
from services.core.lifeline import Lifeline
from services.core.text import Text


def _asset(ident: str, zone: str, lifeline: Lifeline = Lifeline.GAS) -> Asset:
    return Asset(ident, lifeline, "pipe", zone, Text(ident, ident), {"type": "Point", "coordinates": [0.0, 0.0]})


def test_a_zone_knows_its_assets_and_those_of_others_that_touch_them() -> None:
    assets = [_asset("main", "G1"), _asset("manhole", "D1", Lifeline.DRAINAGE), _asset("far", "D1", Lifeline.DRAINAGE)]
    links = [Link("main", "manhole", LinkKind.ADJACENT, 6.0)]
    around = by_zone(assets, links, ["G1", "D1", "empty"])
    assert set(around["G1"].assets) == {"main", "manhole"}, "what a gas main can leak into belongs to its surroundings"
    assert set(around["D1"].assets) == {"main", "manhole", "far"}
    assert around["G1"].links == around["D1"].links == (links[0],)
    assert around["empty"].assets == {}, "a zone without assets is not an error"


def test_surroundings_do_not_depend_on_the_order_of_the_register() -> None:
    assets = [_asset(ident, "G1") for ident in ("b", "a", "c")]
    links = [Link("b", "c", LinkKind.FLOW, 1.0), Link("a", "b", LinkKind.FLOW, 1.0)]
    forwards, backwards = by_zone(assets, links, ["G1"]), by_zone(assets[::-1], links[::-1], ["G1"])
    assert list(forwards["G1"].assets) == list(backwards["G1"].assets)
    assert forwards["G1"].links == backwards["G1"].links
