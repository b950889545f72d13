"""Where along the pipes a loss is, by the model solved with a loss at every likely place."""

from collections.abc import Iterator
from math import floor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.alerts.bursts.departure_fit import DepartureFit
from services.alerts.bursts.supply_state import SupplyState
from services.alerts.detectors.contract import Suspect

_TRIED = 30
"""How many pipes are tried with the full model, the likeliest by the linear one."""
_POSITIONS = ((0.0, 0.125), (0.25, 0.25), (0.5, 0.25), (0.75, 0.25), (1.0, 0.125))
"""Places along a pipe, as shares of its length, and the part of it for which each stands; joints leak at its ends."""
_SUSPECTS = 10
_PARTS = 10_000
"""Shares are told in such parts, rounded down so that they add up to no more than one."""
_LEAST_SHARE = 0.0005


class Located(NamedTuple):
    """The pipes that may lose the water, likeliest first, and how much of it.

    ``misfit`` is the mean squared deviation of the instruments from the best of them, in deviations, and
    ``log_likelihood`` how well that one explains what they show.
    """

    suspects: tuple[Suspect, ...]
    flow_m3h: float
    misfit: float
    log_likelihood: float


def locate(fit: DepartureFit, supply: SupplyState, pipes: NDArray[np.intp]) -> Located | None:
    """Share the suspicion of a loss among ``pipes``; ``None`` where the model has no solution with one.

    A loss is tried in five places along each of the pipes that the linear model finds likeliest, with the flow that
    fits best; a metre of pipe is as likely to fail as any other.
    """
    likely = fit.likeliest(pipes)[:_TRIED]
    by_pipe = {pipe: [fit.tried(points, flow) for points in _points(supply, pipe)] for pipe, flow in likely}
    tried = [each for found in by_pipe.values() for each in found if each is not None]
    if not tried:
        return None
    likeliest = max(tried, key=lambda each: each.log_likelihood)
    best = likeliest.log_likelihood
    weights: dict[int, float] = {}
    flow_m3h = 0.0
    for pipe, found in by_pipe.items():
        length_m = float(supply.model.length_m[pipe])
        shares = [0.0 if each is None else length_m * float(np.exp(each.log_likelihood - best)) for each in found]
        weights[pipe] = sum(shares)
        flow_m3h += sum(share * each.flow_m3h for share, each in zip(shares, found, strict=True) if each is not None)
    total = sum(weights.values())
    order = sorted(weights, key=lambda pipe: (-weights[pipe], pipe))[:_SUSPECTS]
    suspects = [Suspect(supply.model.links[pipe], floor(weights[pipe] / total * _PARTS) / _PARTS) for pipe in order]
    kept = tuple(suspect for suspect in suspects if suspect.probability >= _LEAST_SHARE)
    return Located(kept, flow_m3h / total, likeliest.misfit, best)


def _points(supply: SupplyState, pipe: int) -> Iterator[tuple[tuple[int, float], ...]]:
    """The nodes that give the water lost at each position of a pipe, with their shares.

    A loss along a pipe is drawn from its ends by the lever rule, exactly so for the heads beyond them if it is small.
    """
    first, second = (int(node) for node in supply.model.ends[pipe])
    for position, _ in _POSITIONS:
        yield (first, 1 - position), (second, position)
