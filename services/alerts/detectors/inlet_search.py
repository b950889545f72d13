"""The likeliest leak in the last rows of a district that is not known to leak."""

from typing import NamedTuple

import numpy as np

from services.alerts.detectors.inlet_demand import InletDemand
from services.alerts.detectors.inlet_history import History, sums
from services.alerts.detectors.inlet_hypotheses import Scan, scan, with_inflow
from services.alerts.detectors.inlet_places import InletPlaces
from services.alerts.detectors.inlet_shares import Shares

_DAY_ROWS = 48
_WEEK_ROWS = 7 * _DAY_ROWS
_FREQUENT_SPANS = 7
"""The few shortest spans are tried at each row, all of them once in a while."""
_ORDINARY_MISFIT = 2.0
"""What a shifted logger leaves has about the usual variance: the other loggers know nothing of it."""


class Tried(NamedTuple):
    """What the likeliest leak of several spans comes to.

    ``likelihood`` (logarithm) is how many times likelier it is than none, and ``evidence`` by how much that is above
    what its span asks for, which began ``rows`` ago. ``negative`` is the evidence for water that is put into the
    network for half a day. ``span`` is the number among those ``found``.
    """

    likelihood: float
    evidence: float
    rows: int
    negative: float
    span: int
    found: Scan


def likeliest_leak(
    history: History, shares: Shares, demand: InletDemand, effects: InletPlaces, least_flow: float, *, thorough: bool
) -> Tried:
    """Try every span, or, unless ``thorough``, the shortest; a smaller flow than ``least_flow`` is none."""
    lengths, totals = history.since()
    spans = len(lengths) if thorough else min(len(lengths), _FREQUENT_SPANS)
    inflow = demand.inflow(lengths, sums(totals).inflow, spans, effects.mean_flow)
    lengths, totals = lengths[:spans], totals[:spans]
    found = scan(sums(totals), shares, effects.effects[0], effects.shifts)
    asked = np.log(np.maximum(_WEEK_ROWS / lengths, 1.0))
    misfit = np.maximum(found.misfit, 1.0)
    evidence, flow = with_inflow(found, misfit, inflow)
    best = np.where(flow > least_flow, evidence, 0.0).max(axis=1)
    span = int(np.argmax(best - asked))
    long = lengths >= _DAY_ROWS // 2
    negative = float((-found.evidence[long] / misfit[long, None]).max()) if long.any() else 0.0
    likelihood = float(best[span])
    return Tried(likelihood, likelihood - float(asked[span]), int(lengths[span]), negative, span, found)


def lead_of_shift(tried: Tried) -> tuple[float, int]:
    """By how much evidence a shifted logger explains a span better than a leak does, and which logger.

    A shift has to leave nothing at the other loggers: what it does not explain is no shift, since only a leak moves
    them all, and no leak does exactly what the model promises of it.
    """
    span, found = tried.span, tried.found
    logger = int(found.shifted[span].argmax())
    if found.shift_misfit[span] > _ORDINARY_MISFIT:
        return 0.0, logger
    misfit = max(1.0, float(found.misfit[span]))
    return float(found.shifted[span, logger]) / misfit - tried.likelihood, logger
