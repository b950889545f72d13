"""What is likeliest to be new since any of some moments: a leak somewhere, or a pressure that is off."""

from dataclasses import dataclass

import numpy as np

from services.alerts.hydraulics.evidence import summed
from services.alerts.hydraulics.hypotheses import Scales
from services.alerts.hydraulics.picture import Picture

_WINDOWS: tuple[tuple[int, tuple[int, ...]], ...] = ((1, (2, 5)), (2, (12,)), (6, (24, 48)), (12, (96, 192, 360)))
"""Every so many blocks, windows of so many blocks are searched."""


@dataclass(frozen=True, slots=True)
class Likely:
    """What is likeliest to be new: its ratio, its link or residual, the block since which it shows, m3/h or m."""

    ratio: float
    place: int
    begin: int
    size: float


def likeliest_news(picture: Picture, scales: Scales, number: int, *, whole: bool) -> tuple[Likely, Likely] | None:
    """The likeliest new leak and the likeliest pressure that is off, in the windows that are due (or in all).

    Nothing where nothing was heard.
    """
    ledger = picture.ledger
    lengths = {length for every, group in _WINDOWS if whole or number % every == 0 for length in group}
    leak: Likely | None = None
    off: Likely | None = None
    oldest = ledger.first if whole else max(ledger.first, picture.learnt)
    begins = {ledger.begin_of(max(number + 1 - length, oldest)) for length in lengths}
    for begin in sorted(begin for begin in begins if begin >= oldest):
        window = [part.evidence for part in ledger.since(begin) if part.evidence is not None]
        if not window:
            continue
        verdict = scales.weigh(summed(window), picture.active(), picture.maker.doubts.offsets)
        ratio = np.where(picture.prior > 0, verdict.leaks.ratio, 0.0)
        place = int(ratio.argmax())
        if leak is None or ratio[place] > leak.ratio:
            leak = Likely(float(ratio[place]), place, begin, float(verdict.leaks.size[place]))
        offset = verdict.offsets.ratio.copy()
        offset[picture.muted_positions()] = 0.0
        if off is None or offset.max() > off.ratio:
            position = int(offset.argmax())
            off = Likely(float(offset[position]), position, begin, abs(float(verdict.offsets.size[position])))
    return None if leak is None or off is None else (leak, off)
