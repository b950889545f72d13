"""Pressures that the model cannot agree with: not believed while they are off, and told as such."""

from math import isfinite, sqrt

from services.alerts.detectors.contract import Claim
from services.alerts.hydraulics.block_evidence import Linear
from services.alerts.hydraulics.course import disbelieving
from services.alerts.hydraulics.evidence import summed
from services.alerts.hydraulics.hypotheses import Scales
from services.alerts.hydraulics.leak_claims import off_claim
from services.alerts.hydraulics.locating import RELOCATED_BLOCKS
from services.alerts.hydraulics.picture import Picture
from services.core.finding import FindingState

LEAST_OFFSET_M = 0.08
"""A pressure transmitter of 0.1 % of 80 m is no better than this."""
_DAY_BLOCKS = 12
_PLAIN = 6.0
"""Log ratio by which one explanation has to be better than another to be preferred."""
_STEADY_BLOCKS = 12
"""Blocks over which the gap of a sensor that is not believed is averaged."""


def is_off_now(picture: Picture, scales: Scales, position: int) -> bool:
    """Whether a pressure was off during the last day by itself; a longer window may straddle a repair."""
    parts = picture.ledger.since(picture.ledger.end - _DAY_BLOCKS)
    said = [part.evidence for part in parts if part.evidence is not None]
    if not said:
        return False
    offsets = scales.weigh(summed(said), picture.active(), picture.maker.doubts.offsets).offsets
    return abs(float(offsets.size[position])) >= LEAST_OFFSET_M and float(offsets.ratio[position]) >= _PLAIN


def disbelieve(picture: Picture, ratio: float, position: int, begin: int) -> Claim:
    """Believe a pressure no longer, and not what it said lately either."""
    ledger = picture.ledger
    sensor = picture.columns[picture.maker.metering.pressure[position]]
    picture.muted[sensor] = [ratio, ledger.entry(begin).block.start_s, 0.0, 0.0]
    first = max(begin, ledger.begin_of(max(ledger.end - RELOCATED_BLOCKS, ledger.first)))
    change = disbelieving(position)
    ledger.rewrite(first, change, ledger.rewritten(first, change, picture.maker.evidences))
    return off_claim(picture, sensor, FindingState.RAISED)


def follow_disbelieved(picture: Picture, linear: Linear | None) -> list[Claim]:
    """Look after the sensors that are not believed in the block that was linearised last; what is to be told."""
    told: list[Claim] = []
    if not picture.muted or linear is None:
        return told
    expected = picture.maker.doubts.responses(linear) @ picture.scales().doubts
    for position in picture.muted_positions():
        sensor = picture.columns[picture.maker.metering.pressure[position]]
        gap = float(linear.residual[position] - expected[position])
        if not isfinite(gap):
            continue
        memory = picture.muted[sensor]
        memory[2] += (gap - memory[2]) / min(memory[3] + 1, _STEADY_BLOCKS)
        memory[3] += 1
        noise_m = sqrt(linear.noise[position, position])
        if memory[3] >= _STEADY_BLOCKS and abs(memory[2]) < 3 * noise_m / 2:
            told.append(off_claim(picture, sensor, FindingState.CLEARED))
            del picture.muted[sensor]
    return told
