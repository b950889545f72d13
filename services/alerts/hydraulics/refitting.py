"""How much the leaks found have lost since they began, estimated anew from all that was seen of them meanwhile."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from services.alerts.hydraulics.block import ActiveLeak
from services.alerts.hydraulics.course import Change
from services.alerts.hydraulics.epanet_model import Array
from services.alerts.hydraulics.ledger import Entry, Part
from services.alerts.hydraulics.locating import NEAR_M
from services.alerts.hydraulics.picture import Picture

_KNOWN = 0.3
_KNOWN_M3H = 1.0
"""How far a flow may be off in the model, relative and at least, before a part of a day is looked at by itself."""
_BETTER = 12.0
"""Log likelihood that other flows have to gain: many are fitted at once."""
_MUCH = 1.1
_REST_BLOCKS = 3
_MOST_DOUBLINGS = 5
"""A leak whose flows could not be bettered is left alone for that long, each time twice as long."""


def nearest_leak(picture: Picture, place: int) -> str | None:
    """The leak found before that is nearest to a link and not farther than a crew listens."""
    away_m = picture.distances.of(place)
    near = {key: float(away_m[picture.link_index[leak.asset]]) for key, leak in picture.leaks.items()}
    key = min(near, key=near.__getitem__, default=None)
    return key if key is not None and near[key] <= NEAR_M else None


def refitted(picture: Picture, key: str, begin: int) -> bool:
    """Give a leak the flows that fit best since a block; whether that explains more of what was seen.

    What leaks does not heal, so its flows are made to rise only.
    """
    ledger, leak = picture.ledger, picture.leaks[key]
    parts = [part for part in ledger.since(begin) if part.evidence and key in part.evidence.beside]
    rest_blocks = _REST_BLOCKS * 2 ** min(leak.kept, _MOST_DOUBLINGS)
    if not parts or ledger.end - max(leak.refitted, leak.raised) < rest_blocks:
        return False
    picture.leaks[key] = replace(leak, refitted=ledger.end, kept=leak.kept + 1)
    begin = parts[0].first
    scales = picture.scales()
    before, flows, weights, excess = [], [], [], []
    for part in parts:
        if part.evidence is None:
            continue
        more_m3h, deviation = scales.flows(part.evidence, picture.active())[key]
        flow_m3h = part.evidence.flow_m3h[key] / part.evidence.blocks
        variance = (_KNOWN * flow_m3h + _KNOWN_M3H) ** 2
        flows.append(flow_m3h + variance / (variance + deviation**2) * more_m3h)
        before.append(flow_m3h)
        weights.append(1 / deviation**2)
        excess.append(more_m3h)
    rising = np.maximum(_rising(np.array(flows), np.array(weights)), 0.05)
    more = rising - np.array(before)
    if float(np.array(weights) @ (more * np.array(excess) - more**2 / 2)) < _BETTER:
        return False
    change = _flowing(key, parts, rising)
    rewritten = ledger.rewritten(begin, change, picture.maker.evidences)
    if picture.misfit(ledger.parts, begin) - picture.misfit(rewritten, begin) < 2 * _BETTER:
        return False
    ledger.rewrite(begin, change, rewritten)
    flow_m3h = float(rising[-1])
    much = not 1 / _MUCH < flow_m3h / leak.flow_m3h < _MUCH
    picture.leaks[key] = replace(picture.leaks[key], flow_m3h=flow_m3h, kept=0 if much else leak.kept + 1)
    return True


def _flowing(key: str, parts: Sequence[Part], flows_m3h: Array) -> Change:
    """Lets a leak flow as told by part, between their middles evenly."""
    middles = [(part.first + part.end - 1) / 2 for part in parts]

    def change(number: int, entry: Entry) -> Entry:
        flow_m3h = float(np.interp(number, middles, flows_m3h))
        leaks = (ActiveLeak(key, leak.asset, flow_m3h) if leak.key == key else leak for leak in entry.leaks)
        return replace(entry, leaks=tuple(leaks))

    return change


def _rising(values: Array, weights: Array) -> Array:
    """The rising sequence nearest to the values by weighted squares (pool adjacent violators, Ayer et al. 1955)."""
    pools: list[tuple[float, float, int]] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        pools.append((value, weight, 1))
        while len(pools) > 1 and pools[-2][0] >= pools[-1][0]:
            later, earlier = pools.pop(), pools.pop()
            total = earlier[1] + later[1]
            pools.append(((earlier[0] * earlier[1] + later[0] * later[1]) / total, total, earlier[2] + later[2]))
    return np.concatenate([np.full(count, value) for value, _, count in pools])
