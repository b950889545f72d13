"""How well a leak explains the head losses of a span of rows, beside changed customers and shifted loggers."""

from typing import NamedTuple

import numpy as np

from services.alerts.detectors.inlet_demand import Inflow
from services.alerts.detectors.inlet_history import Sums
from services.alerts.detectors.inlet_shares import Shares
from services.alerts.detectors.running_covariance import Array

_TURNS = 3
_SMALL = 1e-8


class Scan(NamedTuple):
    """What a leak at each place would explain of each span.

    ``evidence`` is how many times likelier a leak makes the span (logarithm), with the sign of its ``flow``;
    ``precision`` is how well the span tells the flow (1 / variance).
    ``shifted`` is the evidence for a shift of each logger, by span and logger. ``misfit`` is the variance which no leak
    explains, as a multiple of the usual, and ``shift_misfit`` that which the likeliest shift leaves.
    """

    evidence: Array
    flow: Array
    precision: Array
    shifted: Array
    misfit: Array
    shift_misfit: Array


class Fit(NamedTuple):
    """A leak at each place fitted to one span: evidence, flow, change of the shares, and what the leak leaves."""

    evidence: Array
    flow: Array
    shares: Array
    trace: Array


def scan(spans: Sums, shares: Shares, places: Array, loggers: Array) -> Scan:
    """Try a leak at each of ``places`` (whitened loss at the mean flow per unit of flow) in each of several spans.

    The change of the shares is integrated out; ``loggers`` are the whitened shifts of single loggers.
    """
    size = len(shares.mean)
    moment_0 = spans.moment_0 - spans.weight_02 * shares.mean
    moment_1 = spans.moment_1 - spans.weight_12 * shares.mean
    moment_2 = spans.moment_2 - spans.weight_22 * shares.mean
    square = spans.square - 2 * spans.moment_2 @ shares.mean + spans.weight_22 @ shares.mean**2
    shared = np.linalg.inv(shares.covariance) + spans.weight_22[:, :, None] * np.eye(size)
    inverse = np.linalg.inv(shared).astype(np.float64)
    change = (inverse @ moment_2[:, :, None])[:, :, 0]
    evidence, flow, precision = _single((spans.weight_11, spans.weight_12, moment_1), inverse, change, places)
    shifted, _, _ = _single((spans.weight_00, spans.weight_02, moment_0), inverse, change, loggers)
    shifted = np.abs(shifted)
    left = square - (moment_2 * change).sum(axis=1)
    misfit = (left - 2 * np.maximum(evidence.max(axis=1), 0.0)) / (size * spans.rows)
    shift_misfit = (left - 2 * shifted.max(axis=1)) / (size * spans.rows)
    return Scan(evidence, flow, precision, shifted, misfit, shift_misfit)


def with_inflow(found: Scan, misfit: Array, inflow: Inflow) -> tuple[Array, Array]:
    """Evidence and flow of a leak at each place in each span when the inlet's flow is heard beside the pressures.

    The leak's flow is the one that suits both, unless the customers have changed and the pressures do better alone.
    """
    alone = found.evidence / misfit[:, None]
    losing = found.flow > 0
    apart = alone + np.where(losing, inflow.evidence(found.flow), 0.0)
    precision = found.precision / misfit[:, None]
    flow = (precision * found.flow + inflow.moment[:, None]) / (precision + inflow.precision[:, None])
    together = precision * flow * (found.flow - flow / 2) + inflow.evidence(flow)
    better = losing & (flow > 0) & (together > apart)
    return np.where(better, together, apart), np.where(better, flow, found.flow)


def _single(
    sums_of_effect: tuple[Array, Array, Array], inverse: Array, change: Array, shapes: Array
) -> tuple[Array, Array, Array]:
    """Evidence (with the size's sign), best size and its precision, of one more effect with each of several shapes.

    ``sums_of_effect`` are its own weight, its weight together with the shares, and its moment.
    """
    own, cross, moment = sums_of_effect
    coupling = cross[:, None, :] * shapes[None]
    precision = own @ (shapes**2).T - ((coupling @ inverse) * coupling).sum(axis=2)
    precision = np.maximum(precision, _SMALL)
    seen = moment @ shapes.T - (coupling @ change[:, :, None])[:, :, 0]
    return seen * np.abs(seen) / (2 * precision), seen / precision, precision


def fit(span: Sums, shares: Shares, places: Array, doubt: Array) -> Fit:
    """A leak at each place in one span, where what it leaves may differ from what the place promises.

    ``doubt`` has for each place the whitened covariance of that difference for a leak of flow 1: the pipes and the
    customers of the model are not the real ones. Flow and doubt are found in turns, because the doubt grows with the
    flow. What even the best place does not explain (a leak that grew meanwhile, say) makes all evidence weaker by as
    much.
    """
    size, count = len(shares.mean), len(places)
    moment_1 = span.moment_1 - span.weight_12 * shares.mean
    moment = np.concatenate([span.moment_2 - span.weight_22 * shares.mean, moment_1])
    square = span.square - 2 * span.moment_2 @ shares.mean + span.weight_22 @ shares.mean**2
    inner = np.zeros((count, 2 * size, 2 * size))
    inner[:, :size, :size] = np.linalg.inv(shares.covariance) + np.diag(span.weight_22)
    inner[:, :size, size:] = inner[:, size:, :size] = np.diag(span.weight_12)
    coupling = np.concatenate([span.weight_12 * places, span.weight_11 * places], axis=1)
    small = np.eye(size) * _SMALL
    difference = np.broadcast_to(small, (count, size, size))
    flow = np.zeros(count)
    for _ in range(_TURNS):
        stiffness = np.linalg.inv(difference)
        inner[:, size:, size:] = np.diag(span.weight_11) + stiffness
        inverse = np.linalg.inv(inner)
        free = inverse @ moment
        precision = (places**2) @ span.weight_11 - ((coupling[:, None] @ inverse)[:, 0] * coupling).sum(axis=1)
        precision = np.maximum(precision, _SMALL)
        seen = places @ moment_1 - (coupling * free).sum(axis=1)
        flow = seen / precision
        determinant = np.linalg.slogdet(inner)[1] - np.linalg.slogdet(stiffness)[1]
        difference = flow[:, None, None] ** 2 * doubt + small
    explained = free @ moment + seen * np.abs(seen) / precision
    misfit = max(1.0, float((square - explained.max()) / (size * span.rows)))
    alone = inner[0, :size, :size]
    nothing = moment[:size] @ np.linalg.solve(alone, moment[:size]) / misfit - np.linalg.slogdet(alone)[1]
    effect = (inverse @ (moment - coupling * flow[:, None])[:, :, None])[:, :, 0]
    evidence = (explained / misfit - determinant - nothing) / 2
    return Fit(evidence, flow, shares.mean + effect[:, :size], effect[:, size:] + flow[:, None] * places)
