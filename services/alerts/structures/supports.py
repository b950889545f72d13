"""Which spans rest on which support, by where they stand, and what a trouble suspects. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from services.core.asset import Asset
from services.core.geometry import centre, distance_m
from services.core.text import Text

SPAN, SUPPORTS = "span", frozenset({"bearing", "pier", "abutment"})
_AS_NEAR = 1.5
"""A span whose middle is farther from a support than so many times the nearest one's does not rest on it."""
_NAMED = 3
_SHOWS_IT = Text("its gauges are farthest from what the weather explains", "其监测点偏离环境因素可解释范围最多")
_RESTS = Text("the spans that rest on it lie differently", "支承于其上的桥跨线形改变")


class Suspected(NamedTuple):
    """A part of the bridge, its share, and why."""

    asset: str
    share: float
    reason: Text


def spans_on(assets: Iterable[Asset]) -> dict[str, tuple[str, ...]]:
    """The spans on each support of a bridge, whose middles are nearest to it."""
    known = list(assets)
    spans = {each.id: centre(each.geometry) for each in known if each.kind == SPAN}
    found = {}
    for support in (each for each in known if each.kind in SUPPORTS):
        away_m = {span: distance_m(centre(support.geometry), middle) for span, middle in spans.items()}
        reach_m = _AS_NEAR * min(away_m.values(), default=0.0)
        found[support.id] = tuple(sorted(span for span, metres in away_m.items() if metres <= reach_m))
    return found


def suspected(moved: Sequence[str], supports: Mapping[str, Sequence[str]]) -> list[Suspected]:
    """What a trouble suspects where parts have ``moved``, clearest first.

    With ``supports`` (what rests on each) it is the support on which most rests that has moved and least that has not;
    without any, the parts themselves. Shares halve from one to the next: an order, no measured probability.
    """
    weights = {part: 0.5 ** (place + 1) for place, part in enumerate(moved)}
    untouched = 0.5 ** (len(moved) + 1)
    scores = {
        support: weights.get(support, 0.0) + sum(weights.get(part, -untouched) for part in resting)
        for support, resting in supports.items()
    }
    ranked = sorted((support for support in scores if scores[support] > 0), key=lambda each: (-scores[each], each))
    named, reason = (ranked, _RESTS) if ranked else (list(moved), _SHOWS_IT)
    return [Suspected(part, 0.5 ** (place + 1), reason) for place, part in enumerate(named[:_NAMED])]
