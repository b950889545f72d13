"""Sums of what blocks say about the model's doubts and about every place where water may leak."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from services.alerts.hydraulics.block import ActiveLeak
from services.alerts.hydraulics.block_evidence import Linear
from services.alerts.hydraulics.epanet_model import Array
from services.alerts.hydraulics.model_doubts import ModelDoubts


@dataclass(frozen=True, slots=True)
class Evidence:
    """The normal equations of some blocks: residual = doubts x their responses + leak x its response + noise.

    ``doubts`` and ``doubts_seen`` are the information about the doubts and what was seen of them, ``mixed`` couples
    them with a leak at each link, ``leak`` and ``leak_seen`` are the same for a leak of 1 m3/h at each link.
    ``beside`` holds, by active leak, what couples 1 m3/h of it with a leak at each link; ``carried`` and
    ``carried_doubts`` what its modelled flow takes out of ``leak_seen`` and ``doubts_seen``; ``flow_m3h`` that flow
    times the number of blocks. ``total`` is the weighted sum of squares, ``blocks`` and ``values`` what was summed.
    """

    doubts: Array
    doubts_seen: Array
    mixed: NDArray[Any]
    leak: Array
    leak_seen: Array
    total: float
    blocks: int
    values: int
    beside: Mapping[str, Array]
    carried: Mapping[str, Array]
    carried_doubts: Mapping[str, Array]
    flow_m3h: Mapping[str, float]

    def __add__(self, other: Evidence) -> Evidence:
        return Evidence(
            self.doubts + other.doubts,
            self.doubts_seen + other.doubts_seen,
            self.mixed + other.mixed,
            self.leak + other.leak,
            self.leak_seen + other.leak_seen,
            self.total + other.total,
            self.blocks + other.blocks,
            self.values + other.values,
            _joined(self.beside, other.beside),
            _joined(self.carried, other.carried),
            _joined(self.carried_doubts, other.carried_doubts),
            _joined(self.flow_m3h, other.flow_m3h),
        )


_Summand = TypeVar("_Summand", float, Array)


def _joined(one: Mapping[str, _Summand], other: Mapping[str, _Summand]) -> dict[str, _Summand]:
    result = dict(one)
    for key, value in other.items():
        result[key] = result[key] + value if key in result else value
    return result


def whitened(linear: Linear, doubts: ModelDoubts, muted: NDArray[np.bool_]) -> tuple[Array, Array, Array]:
    """Residuals, responses to doubts and responses to leaks, in standard deviations of independent noise."""
    rows = linear.heard & ~muted
    factor = np.linalg.cholesky(linear.noise[np.ix_(rows, rows)])
    stacked = np.hstack([linear.residual[rows, None], doubts.responses(linear)[rows], linear.leak[rows]])
    unfolded = solve_triangular(factor, np.eye(len(factor)), lower=True, check_finite=False)
    white: Array = unfolded @ stacked
    return white[:, 0], white[:, 1 : 1 + doubts.size], white[:, 1 + doubts.size :]


def evidence_of(
    linear: Linear,
    doubts: ModelDoubts,
    leaks: Sequence[ActiveLeak],
    link_index: Mapping[str, int],
    muted: NDArray[np.bool_],
) -> Evidence:
    """The evidence of one block; ``muted`` are the residuals that are not believed."""
    residual, doubting, leaking = whitened(linear, doubts, muted)
    active = [(each.key, each.flow_m3h, leaking[:, link_index[each.asset]]) for each in leaks]
    return Evidence(
        doubting.T @ doubting,
        doubting.T @ residual,
        (doubting.T @ leaking).astype(np.float32),
        np.einsum("ij,ij->j", leaking, leaking),
        leaking.T @ residual,
        float(residual @ residual),
        1,
        len(residual),
        {key: leaking.T @ response for key, _, response in active},
        {key: flow_m3h * (leaking.T @ response) for key, flow_m3h, response in active},
        {key: flow_m3h * (doubting.T @ response) for key, flow_m3h, response in active},
        {key: flow_m3h for key, flow_m3h, _ in active},
    )


def summed(parts: Iterable[Evidence]) -> Evidence:
    """The sum in the order given; at least one part."""
    result: Evidence | None = None
    for part in parts:
        result = part if result is None else result + part
    if result is None:
        message = "nothing to sum"
        raise ValueError(message)
    return result
