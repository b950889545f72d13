"""Gas in one long main second by second: waves of pressure, friction, gas packed in it, and a hole.

Isothermal flow by the method of characteristics: along ``dx = +- a dt`` the pressure changes with the mass flow by
``dp +- a/A dm +- f a^2 m|m| dx / (2 D A^2 p) = 0`` (Wylie and Streeter, Fluid Transients in Systems), with the speed
of sound ``a``, the bore ``A``, the diameter ``D`` and Darcy's friction factor ``f``. Friction is taken at the
beginning of a step, which gains or loses some hundredths of what is being packed: steps of a quarter of a second keep
it below 4 %. Height is left out: gas is light.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from simulators.noise import Vector

ATMOSPHERE_PA = 101_325.0
STANDARD_KG_M3 = 0.74
"""A standard cubic metre of natural gas, at 0 degC as gas is sold by volume."""
_DISCHARGE, _HEAT_RATIO = 0.85, 1.3
_SETTLING_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class LongMain:
    """A main of one bore, cut into ``cells`` that a wave crosses in ``step_s`` each."""

    cells: int
    step_s: float
    sound_m_s: float
    diameter_m: float
    friction: float

    @property
    def cell_m(self) -> float:
        """Length of a cell."""
        return self.sound_m_s * self.step_s

    @property
    def bore_m2(self) -> float:
        """Cross section."""
        return math.pi / 4 * self.diameter_m**2

    @property
    def resistance(self) -> float:
        """What one cell takes of the pressure, in Pa2 for one (kg/s)^2."""
        return self.friction * self.sound_m_s**2 * self.cell_m / (2 * self.diameter_m * self.bore_m2**2)

    def hole_kg_s(self, pressure_pa: float, hole_mm: float) -> float:
        """What a round hole lets out: choked, as the pressure inside is far more than twice that outside."""
        area_m2 = math.pi / 4 * (hole_mm / 1000) ** 2
        choked = math.pow(2 / (_HEAT_RATIO + 1), (_HEAT_RATIO + 1) / (2 * (_HEAT_RATIO - 1)))
        return _DISCHARGE * area_m2 * pressure_pa * math.sqrt(_HEAT_RATIO) / self.sound_m_s * choked


@dataclass(frozen=True, slots=True)
class Moment:
    """Absolute pressures (Pa) at the ends of all cells, and what flows in and out (kg/s)."""

    pressures_pa: Vector
    inflow_kg_s: float
    outflow_kg_s: float


def steady_main(main: LongMain, inlet_pa: float, flow_kg_s: float) -> tuple[Vector, Vector]:
    """Pressures and mass flows when nothing has changed for long.

    Raises:
        ValueError: the main cannot carry so much.
    """
    squares = inlet_pa**2 - 2 * main.resistance * flow_kg_s * abs(flow_kg_s) * np.arange(main.cells + 1)
    if squares[-1] <= (2 * ATMOSPHERE_PA) ** 2:
        raise ValueError("the main cannot carry what is drawn from it")
    return np.sqrt(squares), np.full(main.cells + 1, flow_kg_s)


def run_main(main: LongMain, inlet_pa: Vector, drawn_kg_s: Vector, hole_mm: Vector, hole_at: int) -> Iterator[Moment]:
    """A moment for every step; the inlet's pressure is held, the outlet's flow drawn, the hole is at an inner node."""
    pressures, left = steady_main(main, float(inlet_pa[0]), float(drawn_kg_s[0]))
    right = left.copy()
    wave = main.sound_m_s / main.bore_m2
    for held, drawn, hole in zip(inlet_pa.tolist(), drawn_kg_s.tolist(), hole_mm.tolist(), strict=True):
        # ``right`` is what leaves a node downstream, ``left`` what comes into it: they differ only at the hole.
        # Both directions take the friction of a cell at the mean of its ends: otherwise steady flow would lose mass.
        mean = (pressures[:-1] + pressures[1:]) / 2
        forward = pressures[:-1] + wave * right[:-1] - main.resistance * right[:-1] * np.abs(right[:-1]) / mean
        backward = pressures[1:] - wave * left[1:] + main.resistance * left[1:] * np.abs(left[1:]) / mean
        after = np.empty_like(pressures)
        after[1:-1] = (forward[:-1] + backward[1:]) / 2
        if hole > 0:
            for _ in range(_SETTLING_ROUNDS):
                leaks = main.hole_kg_s(float(after[hole_at]), hole)
                after[hole_at] = (forward[hole_at - 1] + backward[hole_at] - wave * leaks) / 2
        after[0], after[-1] = held, forward[-1] - wave * drawn
        left, right = np.empty_like(after), np.empty_like(after)
        left[1:], right[:-1] = (forward - after[1:]) / wave, (after[:-1] - backward) / wave
        left[0], right[-1] = right[0], left[-1]
        pressures = after
        yield Moment(pressures, float(right[0]), float(left[-1]))
