"""Flow of gas in a pressurised network: steady states of many moments at once, and what a broken main does in seconds.

The pressure drop follows Renouard's quadratic formula for medium pressure, as gas engineering handbooks give it for
natural gas: ``p1^2 - p2^2 = 48.6 s L Q^1.82 / D^4.82`` with absolute pressures in bar, s the density relative to air,
L in m, Q in m3/h at standard conditions and D in mm. The equations of all pipes and nodes are solved by Newton steps
on flows and squared pressures together, the way EPANET does it for water (the global gradient algorithm).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.noise import Vector

ATMOSPHERE_KPA = 101.325
RENOUARD, EXPONENT = 48.6, 1.82
RELATIVE_DENSITY = 0.6
_BAR2_IN_KPA2 = 10_000.0
_LEAST_FLOW_M3H = 0.01
"""Below it a pipe's law is taken as straight, so that still pipes have a slope."""
_MOST_ITERATIONS = 60
_SETTLED_M3H = 1e-7

Nodes = NDArray[np.intp]


def resistance(diameter_mm: float, length_m: float) -> float:
    """What a pipe takes of the squared pressure, in kPa2 for one (m3/h)^1.82."""
    return RENOUARD * RELATIVE_DENSITY * length_m / float(diameter_mm**4.82) * _BAR2_IN_KPA2


def line_volume_m3(diameter_mm: float, length_m: float) -> float:
    """The room inside a pipe."""
    return math.pi / 4 * (diameter_mm / 1000) ** 2 * length_m


@dataclass(frozen=True, slots=True)
class GasPipes:
    """Pipes between numbered nodes; the nodes in ``held`` keep the pressure they are given.

    ``near`` and ``far`` are the ends, ``resistances`` those of Renouard's law (one
    for each pipe, or a row of them for each moment), ``volumes_m3`` the room of each node:
    half of every pipe that ends in it.
    """

    near: Nodes
    far: Nodes
    resistances: Vector
    volumes_m3: Vector
    held: Nodes

    @property
    def nodes(self) -> int:
        """How many nodes there are."""
        return len(self.volumes_m3)

    def incidence(self) -> Vector:
        """Pipes by nodes: 1 where a pipe begins, -1 where it ends."""
        matrix = np.zeros((len(self.near), self.nodes))
        pipes = np.arange(len(self.near))
        matrix[pipes, self.near] = 1.0
        matrix[pipes, self.far] = -1.0
        return matrix


@dataclass(frozen=True, slots=True)
class GasState:
    """Absolute pressures of the nodes (kPa) and flows of the pipes (m3/h, from near to far), a row for each moment."""

    pressures_kpa: Vector
    flows_m3h: Vector


def steady(pipes: GasPipes, held_kpa: Vector, drawn_m3h: Vector) -> GasState:
    """The steady state of each moment.

    ``held_kpa`` (moments by held nodes) are absolute pressures, ``drawn_m3h`` (moments by nodes) is what leaves.

    Raises:
        ValueError: the network cannot carry what is drawn; a pressure would fall below that of the air.
    """
    still = np.zeros((len(drawn_m3h), pipes.nodes))
    first = GasState(still, np.ones((len(drawn_m3h), len(pipes.near))))
    state = _solved(pipes, held_kpa, drawn_m3h, still, first)
    if float(state.pressures_kpa.min()) < ATMOSPHERE_KPA:
        raise ValueError("the network cannot carry what is drawn from it")
    return state


def broken(
    pipes: GasPipes, held_kpa: Vector, drawn_m3h: Vector, before: GasState, hole: Vector, *, step_s: float
) -> Iterator[GasState]:
    """The states after a main has broken, one every ``step_s``, without end.

    ``hole`` says for each node how much leaves it for a kPa of absolute pressure (m3/h): a wide hole is choked, so that
    what it lets out grows with the pressure alone. Gas packed in the pipes comes out first: an implicit Euler step for
    each node's mass, at 15 °C. Friction is that of steady flow and waves are not followed: they cross a town within
    seconds, and a gauge that reports by the minute does not see them.
    """
    # Standard cubic metres for each kPa in a node's room, spread over a step, as m3/h.
    stored = pipes.volumes_m3 / ATMOSPHERE_KPA * 3600 / step_s
    state = before
    while True:
        flows = np.where(np.abs(state.flows_m3h) < _LEAST_FLOW_M3H, _LEAST_FLOW_M3H, state.flows_m3h)
        given_back = stored * state.pressures_kpa
        guess = GasState(state.pressures_kpa, flows)
        state = _solved(pipes, held_kpa, drawn_m3h - given_back, (hole + stored)[None, :], guess)
        yield state


def _solved(pipes: GasPipes, held_kpa: Vector, drawn_m3h: Vector, per_kpa: Vector, guess: GasState) -> GasState:
    """Newton steps until the flows stand still; ``per_kpa`` is what more leaves a node for a kPa of its pressure."""
    incidence = pipes.incidence()
    free = np.setdiff1d(np.arange(pipes.nodes), pipes.held)
    moments, flows = len(drawn_m3h), guess.flows_m3h
    squares = np.maximum(guess.pressures_kpa, 1.0) ** 2 * np.ones((moments, 1))
    squares[:, pipes.held] = held_kpa**2
    for _ in range(_MOST_ITERATIONS):
        slope = 1 / (EXPONENT * pipes.resistances * np.maximum(np.abs(flows), _LEAST_FLOW_M3H) ** (EXPONENT - 1))
        kept = (1 - 1 / EXPONENT) * np.where(np.abs(flows) > _LEAST_FLOW_M3H, flows, 0.0)
        matrix = np.einsum("kn,tk,km->tnm", incidence, slope, incidence, optimize=True)
        pressures = np.sqrt(np.maximum(squares, 1.0))
        steepness = per_kpa / (2 * pressures)
        wanted = -(kept @ incidence) - drawn_m3h - per_kpa * pressures / 2
        wanted = wanted - np.einsum("tnm,tm->tn", matrix[:, :, pipes.held], squares[:, pipes.held])
        matrix = matrix[:, free[:, None], free[None, :]]
        matrix[:, np.arange(len(free)), np.arange(len(free))] += steepness[:, free]
        squares[:, free] = np.linalg.solve(matrix, wanted[:, free, None])[:, :, 0]
        moved = kept + slope * (squares @ incidence.T)
        change = float(np.abs(moved - flows).max())
        flows = moved
        if change < _SETTLED_M3H * max(1.0, float(np.abs(flows).max())):
            break
    return GasState(np.sqrt(np.maximum(squares, 0.0)), flows)
