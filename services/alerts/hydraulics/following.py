"""What became of the leaks found: how much they lose now, and whether they were repaired."""

from dataclasses import replace

import numpy as np

from services.alerts.detectors.contract import Claim
from services.alerts.hydraulics.course import leaking
from services.alerts.hydraulics.evidence import summed
from services.alerts.hydraulics.followed import FollowedLeak, severity_of
from services.alerts.hydraulics.hypotheses import Scales
from services.alerts.hydraulics.leak_claims import clearest, leak_claim, suspects
from services.alerts.hydraulics.ledger import Entry
from services.alerts.hydraulics.locating import Found
from services.alerts.hydraulics.picture import Picture
from services.core.finding import FindingState

_REPAIR_BLOCKS = 3
_LOOKED_BACK_BLOCKS = 84
_REPAIRED = 0.3
_REPAIR_SURE = 8.0
"""A leak that for so many blocks lost less than this part of what was told is gone, if it is likelier by this log ratio
(four deviations) that it is gone than that it still runs."""
_APART_BLOCKS = 84
_MISPLACED = 2.0
"""Squares of what is left over, beside those of noise, from which a leak was not where it was taken to be."""
_SLOWEST_FALL = 0.95
_FOLLOW_EVERY = 3


def followed_leak(picture: Picture, key: str, found: Found, number: int) -> FollowedLeak:
    """A leak that is followed from the block of this number on, in which it was found."""
    ledger = picture.ledger
    return FollowedLeak(
        key=key,
        asset=found.asset,
        flow_m3h=found.flow_m3h,
        flow_deviation_m3h=found.flow_deviation_m3h,
        onset=found.onset,
        raised=number,
        since_s=ledger.entry(max(found.onset, ledger.first)).block.start_s,
        ratio=found.ratio,
        suspects=suspects(picture, found.likely),
        columns=clearest(picture, found.asset),
        told_flow_m3h=found.flow_m3h,
        told_severity=severity_of(found.flow_m3h),
        located=number,
    )


def follow(picture: Picture, number: int) -> list[Claim]:
    """Look after every leak found in the block of this number; what is to be told."""
    told = [claim for key in list(picture.leaks) if (claim := _repaired(picture, key)) is not None]
    if number % _FOLLOW_EVERY == 0:
        told += _flows_adjusted(picture, number)
    return told


def _repaired(picture: Picture, key: str) -> Claim | None:
    """Clear a leak that is gone, from the block on in which it went."""
    scales = _scales_apart_from(picture, key)
    gone = _gone_since(picture, scales, key)
    if gone is None:
        return None
    begin, flow_m3h = gone
    window = summed(part.evidence for part in picture.ledger.since(begin) if part.evidence)
    weighed = scales.weigh(window, picture.active(without=key), picture.maker.doubts.offsets).leaks
    link = picture.link_index[picture.leaks[key].asset]
    size_m3h, variance = float(weighed.size[link]), float(weighed.deviation[link]) ** 2
    repair = -flow_m3h * (size_m3h + flow_m3h / 2) / variance
    # A burst that was not found yet, or has grown, changes pressures as well: where that says more it is no repair.
    burst = float(np.where(picture.prior > 0, weighed.ratio, 0.0).max())
    if repair < max(_REPAIR_SURE, burst) or flow_m3h + size_m3h > _REPAIRED * flow_m3h:
        return None
    leak = picture.leaks.pop(key)
    change = leaking(key, leak.asset, None)
    picture.ledger.rewrite(begin, change, picture.ledger.rewritten(begin, change, picture.maker.evidences))
    picture.repaired = max(begin, picture.repaired)
    _forget_if_misplaced(picture, scales, leak.onset, begin)
    return leak_claim(picture, replace(leak, flow_m3h=0.0), FindingState.CLEARED)


def _scales_apart_from(picture: Picture, key: str) -> Scales:
    """The scales of the time without a leak: doubts that were learnt while it ran know how far it is from its place."""
    apart = [part for part in picture.ledger.parts if part.evidence and key not in part.evidence.beside]
    return picture.scales(apart if sum(part.end - part.first for part in apart) >= _APART_BLOCKS else None)


def _forget_if_misplaced(picture: Picture, scales: Scales, onset: int, end: int) -> None:
    """Forget what was seen while a leak ran that was not where it was taken to be: it would teach false doubts."""
    ledger = picture.ledger
    begin, doubts = ledger.begin_of(max(onset, ledger.first)), scales.doubts
    said = [part.evidence for part in ledger.parts if part.evidence and part.first >= begin and part.end <= end]
    squares = sum(each.total - 2 * doubts @ each.doubts_seen + doubts @ each.doubts @ doubts for each in said)
    if squares <= _MISPLACED * picture.inflation * sum(each.values for each in said):
        return
    everything = tuple(range(len(picture.maker.noise)))

    def change(number: int, entry: Entry) -> Entry:
        return replace(entry, muted=everything) if number < end else entry

    ledger.rewrite(begin, change, ledger.rewritten(begin, change, picture.maker.evidences))


def _gone_since(picture: Picture, scales: Scales, key: str) -> tuple[int, float] | None:
    """Since which block a leak seems to be gone, if it does, and its mean flow in the model since then, m3/h.

    That flow is taken as it is, so nothing is fitted but the moment, and its place is not in question.
    """
    leak = picture.leaks[key]
    link = picture.link_index[leak.asset]
    best: tuple[float, int, float] | None = None
    seen, felt, blocks, lost_m3h = 0.0, 0.0, 0, 0.0
    for part in reversed(picture.ledger.since(max(leak.onset, picture.ledger.end - _LOOKED_BACK_BLOCKS))):
        evidence = part.evidence
        if evidence is None or key not in evidence.beside:
            continue
        flow_m3h = evidence.flow_m3h[key] / evidence.blocks
        surplus = float(evidence.leak_seen[link]) - float(evidence.mixed[:, link] @ scales.doubts)
        seen += flow_m3h * surplus / picture.inflation
        felt += flow_m3h**2 * float(evidence.beside[key][link]) / picture.inflation
        blocks += evidence.blocks
        lost_m3h += evidence.flow_m3h[key]
        if blocks < _REPAIR_BLOCKS or felt <= 0:
            continue
        ratio = -seen - felt / 2
        if 1 + seen / felt > _REPAIRED and best is None:
            return None
        if ratio >= _REPAIR_SURE and (best is None or ratio > best[0]):
            best = (ratio, part.first, lost_m3h / blocks)
    return None if best is None else best[1:]


def _flows_adjusted(picture: Picture, number: int) -> list[Claim]:
    window = [part.evidence for part in picture.ledger.since(number + 1 - _FOLLOW_EVERY) if part.evidence is not None]
    if not window or not picture.leaks:
        return []
    told = []
    for key, (more_m3h, deviation) in picture.scales().flows(summed(window), picture.active()).items():
        leak = picture.leaks[key]
        variance = leak.flow_deviation_m3h**2 + (0.03 * leak.flow_m3h + 0.1) ** 2
        gain = variance / (variance + deviation**2)
        # Leaks do not heal: less at once is a repair, which is looked for by itself.
        flow_m3h = max(leak.flow_m3h + gain * more_m3h, _SLOWEST_FALL * leak.flow_m3h, 0.05)
        leak = replace(leak, flow_m3h=flow_m3h, flow_deviation_m3h=float(np.sqrt((1 - gain) * variance)))
        if leak.changed:
            leak = leak.told()
            told.append(leak_claim(picture, leak, FindingState.CHANGED))
        picture.leaks[key] = leak
    return told
