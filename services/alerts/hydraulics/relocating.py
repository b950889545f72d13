"""Whether what looks like a new leak is one found before that lies elsewhere than it was taken to."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from services.alerts.hydraulics.course import moved
from services.alerts.hydraulics.hypotheses import Weighed, probabilities, shaped, without
from services.alerts.hydraulics.leak_claims import suspects
from services.alerts.hydraulics.ledger import Part
from services.alerts.hydraulics.locating import RELOCATED_BLOCKS
from services.alerts.hydraulics.picture import Picture

_REST_BLOCKS = 12
"""A leak that was put somewhere stays there for a day before it is put elsewhere."""
_MOST_DOUBLINGS = 4
"""Each time that it was tried elsewhere in vain it is left alone for twice as long, up to this often."""
_SAME_FLOW = 1.6
"""A leak that is put elsewhere loses about what it lost; if it would not, it is not that leak."""
_ELSEWHERE = 0.6
_ONE_FEWER = 15.0
"""A found leak is moved if that explains so much of what a new one would explain, and no more is left than this log
ratio, by which one leak is likelier than two: what a second leak explains beyond it is a second leak."""


def better_elsewhere(picture: Picture, ratio: float) -> tuple[str, int, int] | None:
    """The leak that explains what a new one would explain (``ratio``) if it is moved: its key, the link, since when."""
    ledger = picture.ledger
    heat = 1 + 2 * picture.doubt() ** 2 * ratio
    for key, leak in picture.leaks.items():
        parts = [part for part in ledger.since(leak.onset) if part.evidence and key in part.evidence.beside]
        if not parts or ledger.end - leak.located < _REST_BLOCKS * 2 ** min(leak.stayed, _MOST_DOUBLINGS):
            continue
        weighed = _weighed_with_flows(picture, key, ledger.parts, parts[0].first, picture.active(without=key))
        places = np.where(picture.prior > 0, weighed.ratio, 0.0)
        gain = float(places.max()) - float(places[picture.link_index[leak.asset]])
        if gain > max(_ELSEWHERE * ratio, ratio - _ONE_FEWER * heat):
            return key, int(places.argmax()), parts[0].first
    return None


def move(picture: Picture, key: str, place: int, begin: int) -> bool:
    """Put a found leak elsewhere, with the flows that it has in the model; whether it went to another pipe."""
    ledger, weigher = picture.ledger, picture.maker.evidences
    leak = replace(picture.leaks[key], located=ledger.end, stayed=picture.leaks[key].stayed + 1)
    picture.leaks[key] = leak
    active = picture.active(without=key)
    first = ledger.begin_of(max(begin, ledger.end - RELOCATED_BLOCKS))
    for _ in range(2):
        parts = ledger.rewritten(first, moved(key, picture.links[place], 1.0), weigher)
        weighed = _weighed_with_flows(picture, key, parts, begin, active)
        ratio = np.where(picture.prior > 0, weighed.ratio, 0.0)
        before, place = place, int(ratio.argmax())
        if place == before:
            break
    flows = _flows_of(key, ledger.since(begin))
    factor = float(weighed.size[place]) / max(float(np.mean(flows)), 1e-6)
    if not 1 / _SAME_FLOW <= factor <= _SAME_FLOW:
        return False
    change = moved(key, picture.links[place], factor)
    parts = ledger.rewritten(begin, change, weigher)
    if picture.misfit(parts, begin) > picture.misfit(ledger.parts, begin):
        return False
    ledger.rewrite(begin, change, parts)
    likely = probabilities(ratio, picture.prior, picture.doubt())
    picture.leaks[key] = replace(
        leak,
        asset=picture.links[place],
        flow_m3h=max(leak.flow_m3h * factor, 0.05),
        ratio=float(ratio[place]),
        suspects=suspects(picture, likely),
        stayed=0 if picture.links[place] != leak.asset else leak.stayed,
    )
    return picture.links[place] != leak.asset


def _flows_of(key: str, parts: Sequence[Part]) -> list[float]:
    said = [part.evidence for part in parts if part.evidence is not None]
    return [evidence.flow_m3h.get(key, 0.0) / max(evidence.blocks, 1) for evidence in said]


def _weighed_with_flows(
    picture: Picture, key: str, parts: Sequence[Part], begin: int, active: Mapping[str, tuple[int, float]]
) -> Weighed:
    """All links weighed as the place of a found leak whose flow went as it does in the model."""
    since = [part for part in parts if part.first >= begin and part.evidence is not None]
    flows = _flows_of(key, since)
    mean_m3h = max(float(np.mean(flows)), 1e-6)
    bare = [replace(part, evidence=without(part.evidence, key)) for part in parts if part.evidence is not None]
    evidences = [part.evidence for part in bare if part.first >= begin and part.evidence is not None]
    window = shaped(evidences, [flow_m3h / mean_m3h for flow_m3h in flows])
    return picture.scales(bare).weigh(window, active, picture.maker.doubts.offsets).leaks
