"""In which directions a network model may be wrong for good, so that a leak is not confused with a poor model."""

from dataclasses import dataclass

import numpy as np

from services.alerts.hydraulics.block import Block, block_of
from services.alerts.hydraulics.block_evidence import Linear, linearised
from services.alerts.hydraulics.epanet_model import Array, EpanetModel
from services.alerts.hydraulics.metering import Metering

_WEEK_S = 7 * 86400
_MONDAY_S = 4 * 86400
_EVERY_S = 6 * 3600 + 1800
"""Moments of a week from which the directions are taken: every part of the day and every day."""
_RESISTANCES = 30
_DRAWS = 20
"""Directions kept for pipes and for draws; further ones move no sensor by a millimetre."""
_TOGETHER = 0.2
"""How much all pipes together may resist more or less than modelled (log): a network ages as one."""
_BORDER_METERS = 0.02
"""How far the meters at an area's borders may be off for good, relative to what usually passes: the error that meters
of class 2 may have (ISO 4064, OIML R 49). It looks like a leak at the source."""
_LEAST_METER_M3H = 0.1


@dataclass(frozen=True, slots=True)
class Beliefs:
    """How wrong the model is taken to be, as standard deviations."""

    resistance: float
    """Of a pipe's log resistance: twenty percent of roughness and five of diameter together make 0.25."""
    draw: float
    """Of a node's mean draw, relative to its part by the model."""
    offset_m: float
    """Of a pressure beside its node's elevation in the model."""
    surplus_m3h: float = 0.5
    """Of an accounted area's balance."""


class ModelDoubts:
    """The unknowns that stand for a wrong model: all pipes together, directions of pipes and draws, meters, offsets.

    A thousand pipes may each be wrong, but a few dozen sensors see only some mixtures of them: the leading right
    singular vectors of their responses over a week. Everything else leaves no trace, so it is left out.
    """

    def __init__(self, model: EpanetModel, metering: Metering) -> None:
        """Find the directions by solving the model for a week of its own patterns.

        Raises:
            ArithmeticError: the model has no solution at any moment of its week.
        """
        week = [typical_block(model, metering, second) for second in range(0, _WEEK_S, _EVERY_S)]
        linear = [each for block in week if (each := linearised(model, metering, block)) is not None]
        usual = np.mean([[abs(block.mean[area.columns]).sum() for area in metering.areas] for block in week], axis=0)
        self._meters_m3h: Array = np.maximum(_BORDER_METERS * usual, _LEAST_METER_M3H)
        if not linear:
            message = "the network model has no solution for its own patterns"
            raise ArithmeticError(message)
        self._resistances = _leading(np.vstack([each.resistance for each in linear]), _RESISTANCES)
        self._draws = _leading(np.vstack([each.draw for each in linear]), _DRAWS)
        self._sensors = len(linear[0].residual)
        self._pressures = len(metering.pressure)

    @property
    def size(self) -> int:
        """How many unknowns there are."""
        directions = int(self._resistances.shape[1] + self._draws.shape[1])
        return 1 + directions + len(self._meters_m3h) + self._sensors

    @property
    def offsets(self) -> slice:
        """Which unknowns are the offsets of the pressures."""
        first = self.size - self._sensors
        return slice(first, first + self._pressures)

    def responses(self, linear: Linear) -> Array:
        """What each unknown does to the residuals of a block."""
        together = linear.resistance.sum(axis=1, keepdims=True)
        directions = (linear.resistance @ self._resistances, linear.draw @ self._draws)
        return np.hstack([together, *directions, linear.meters, np.eye(self._sensors)])

    def precision(self, beliefs: Beliefs) -> Array:
        """By unknown, one over its variance before anything was measured."""
        deviations = [
            np.array([_TOGETHER]),
            np.full(self._resistances.shape[1], beliefs.resistance),
            np.full(self._draws.shape[1], beliefs.draw),
            self._meters_m3h,
            np.full(self._pressures, beliefs.offset_m),
            np.full(self._sensors - self._pressures, beliefs.surplus_m3h),
        ]
        precision: Array = np.concatenate(deviations) ** -2.0
        return precision


def typical_block(model: EpanetModel, metering: Metering, second: float) -> Block:
    """What the sensors would say ``second`` seconds into a Monday-to-Sunday week if the model were the truth."""
    demand = model.demand_at(second)
    state = model.solve(demand)
    row = np.full(len(metering.channels), np.nan)
    row[metering.pressure] = state.pressure_m[metering.pressure_node]
    for link, column in metering.flow.items():
        row[column] = state.flow_m3h[link]
    for node, column in metering.demand.items():
        row[column] = demand[node]
    before = row.copy()
    for node, column in metering.level.items():
        row[column] = state.head_m[node] - model.elevation_m[node]
        before[column] = row[column] - state.outflow_m3h[node] / max(float(model.tank_area_m2[node]), 1e-6)
    start_s = _MONDAY_S + second - 1800
    return block_of(metering, start_s, start_s + 3600, [row], before)


def _leading(response: Array, count: int) -> Array:
    """The ``count`` leading right singular vectors, each with its largest entry positive."""
    _, _, right = np.linalg.svd(response, full_matrices=False)
    kept = right[:count]
    signs = np.sign(kept[np.arange(len(kept)), np.abs(kept).argmax(axis=1)])
    vectors: Array = (kept * signs[:, None]).T
    return vectors
