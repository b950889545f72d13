"""A bridge deck as a beam of finite elements: how it bends and at which frequencies it swings.

Euler-Bernoulli elements on springs: stiff ones where piers stand, soft ones where stay cables hold the deck. Reduced to
vertical bending, which is what a few gauges on a deck tell of it.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.linalg import eigh

from simulators.noise import Vector

_GRAVITY_M_S2 = 9.81
_ELEMENTS_PER_SPAN = 8


@dataclass(frozen=True, slots=True)
class StayCable:
    """A cable that holds the deck at ``at_m`` from the south end.

    ``stiffness_n_m`` is what it opposes to a sinking deck, ``dead_force_n`` its pull under the deck's own weight.
    """

    at_m: float
    stiffness_n_m: float
    dead_force_n: float


@dataclass(frozen=True, slots=True)
class DeckDesign:
    """A deck of one cross-section: EI in N·m², kg/m, and the section's height in m.

    ``span_stiffness`` and ``pier_stiffness`` are shares of the intact bending stiffness of each span and of the
    intact ``pier_stiffness_n_m`` of each support; 1 where nothing is damaged.
    """

    spans_m: tuple[float, ...]
    bending_stiffness_n_m2: float
    mass_kg_m: float
    height_m: float
    pier_stiffness_n_m: float
    cables: tuple[StayCable, ...] = ()
    span_stiffness: tuple[float, ...] = ()
    pier_stiffness: tuple[float, ...] = ()

    @property
    def length_m(self) -> float:
        """From one abutment to the other."""
        return sum(self.spans_m)

    def with_stiffness_loss(self, span: int, share: float) -> "DeckDesign":
        """The same after one span has lost a ``share`` of its bending stiffness."""
        kept = [*(self.span_stiffness or (1.0,) * len(self.spans_m))]
        kept[span] *= 1 - share
        return replace(self, span_stiffness=tuple(kept))

    def with_scour(self, pier: int, share: float) -> "DeckDesign":
        """The same after the ground under a pier has lost a ``share`` of its stiffness."""
        kept = [*(self.pier_stiffness or (1.0,) * (len(self.spans_m) + 1))]
        kept[pier] *= 1 - share
        return replace(self, pier_stiffness=tuple(kept))

    def without_cable(self, cable: int) -> "DeckDesign":
        """The same after a cable has gone; its pull is lost, not its place in the row."""
        lost = replace(self.cables[cable], stiffness_n_m=0.0, dead_force_n=0.0)
        return replace(self, cables=tuple(lost if i == cable else each for i, each in enumerate(self.cables)))


class DeckModel:
    """The finite elements of a design. Displacements are metres, up; rotations radians."""

    def __init__(self, design: DeckDesign) -> None:
        self.design = design
        lengths = np.repeat(np.array(design.spans_m) / _ELEMENTS_PER_SPAN, _ELEMENTS_PER_SPAN)
        self.nodes_m: Vector = np.concatenate(([0.0], np.cumsum(lengths)))
        kept = np.array(design.span_stiffness or (1.0,) * len(design.spans_m))
        self._bending = design.bending_stiffness_n_m2 * np.repeat(kept, _ELEMENTS_PER_SPAN)
        size = 2 * len(self.nodes_m)
        self._stiffness = np.zeros((size, size))
        self._mass = np.zeros((size, size))
        for element, length_m in enumerate(lengths):
            part = slice(2 * element, 2 * element + 4)
            self._stiffness[part, part] += self._bending[element] * _unit_stiffness(float(length_m))
            self._mass[part, part] += design.mass_kg_m * _unit_mass(float(length_m))
        self._piers_n_m = design.pier_stiffness_n_m * np.array(design.pier_stiffness or (1.0,) * len(self.piers))
        for pier, spring in zip(self.piers, self._piers_n_m, strict=True):
            self._stiffness[2 * pier, 2 * pier] += spring
        for cable in design.cables:
            place = 2 * self.node_at(cable.at_m)
            self._stiffness[place, place] += cable.stiffness_n_m

    @property
    def piers(self) -> tuple[int, ...]:
        """The nodes that stand on a pier or an abutment."""
        return tuple(range(0, len(self.nodes_m), _ELEMENTS_PER_SPAN))

    @property
    def middles(self) -> tuple[int, ...]:
        """The node in the middle of each span."""
        return tuple(pier + _ELEMENTS_PER_SPAN // 2 for pier in self.piers[:-1])

    def node_at(self, at_m: float) -> int:
        """The node nearest to a place."""
        return int(np.argmin(np.abs(self.nodes_m - at_m)))

    @cached_property
    def frequencies_hz(self) -> Vector:
        """All natural frequencies, lowest first."""
        squares = eigh(self._stiffness, self._mass, eigvals_only=True)
        frequencies: Vector = np.sqrt(np.maximum(squares, 0.0)) / (2 * np.pi)
        return frequencies

    def swinging(self, count: int) -> tuple[Vector, Vector]:
        """The lowest natural frequencies (Hz) and, a column for each, how far every node goes up, mass-normalised."""
        squares, shapes = eigh(self._stiffness, self._mass, subset_by_index=(0, count - 1))
        frequencies: Vector = np.sqrt(np.maximum(squares, 0.0)) / (2 * np.pi)
        return frequencies, np.asarray(shapes[0::2], dtype=np.float64)

    def under_own_weight(self) -> Vector:
        """How the deck lies under its own weight; the pull of the cables carries its part."""
        load = np.zeros(len(self._mass))
        load[0::2] = -_GRAVITY_M_S2
        forces = self._mass @ load
        for cable in self.design.cables:
            forces[2 * self.node_at(cable.at_m)] += cable.dead_force_n
        return self._solve(forces)

    def under_settlement(self, pier: int, settled_m: float) -> Vector:
        """How it follows a pier that goes down."""
        forces = np.zeros(len(self._mass))
        forces[2 * self.piers[pier]] = -self._piers_n_m[pier] * settled_m
        return self._solve(forces)

    def under_curvature(self, curvature_1_m: float) -> Vector:
        """How it moves when it wants to bend evenly, as it does with the sun on its top (positive: a sag)."""
        forces = np.zeros(len(self._mass))
        for element, bending in enumerate(self._bending):
            forces[2 * element + 1] -= bending * curvature_1_m
            forces[2 * element + 3] += bending * curvature_1_m
        return self._solve(forces)

    def under_load(self, at_m: float, force_n: float) -> Vector:
        """How it bends under one load."""
        forces = np.zeros(len(self._mass))
        forces[2 * self.node_at(at_m)] = -force_n
        return self._solve(forces)

    def curvature_at(self, moved: Vector, node: int) -> float:
        """The curvature (1/m) at a node from the rotations beside it."""
        before, after = max(node - 1, 0), min(node + 1, len(self.nodes_m) - 1)
        across_m = float(self.nodes_m[after] - self.nodes_m[before])
        return float(moved[2 * after + 1] - moved[2 * before + 1]) / across_m

    def _solve(self, forces: Vector) -> Vector:
        return np.asarray(np.linalg.solve(self._stiffness, forces), dtype=np.float64)


def _unit_stiffness(length_m: float) -> Vector:
    """Stiffness of a beam element with EI of 1 N·m² (Hermite cubics)."""
    a, b = 6 * length_m, length_m * length_m
    rows = [[12, a, -12, a], [a, 4 * b, -a, 2 * b], [-12, -a, 12, -a], [a, 2 * b, -a, 4 * b]]
    return np.array(rows, dtype=np.float64) / length_m**3


def _unit_mass(length_m: float) -> Vector:
    """Consistent mass of a beam element with 1 kg/m."""
    a, b = 22 * length_m, 13 * length_m
    c, d = 4 * length_m**2, -3 * length_m**2
    rows: list[list[float]] = [[156, a, 54, -b], [a, c, b, d], [54, b, 156, -a], [-b, d, -a, c]]
    return np.array(rows, dtype=np.float64) * (length_m / 420)
