"""How much gas a hole lets out: an orifice, and the soil around it that has to take the gas."""

import math

import numpy as np

from simulators.noise import Vector
from simulators.physics.gas_hydraulics import ATMOSPHERE_KPA

_RATIO_OF_HEATS = 1.31
_GAS_CONSTANT = 518.3
"""Of methane, J/(kg K)."""
_GROUND_K = 285.0
_STANDARD_KG_M3 = 0.678
"""Methane at 15 °C and 101.325 kPa."""
_DISCHARGE = 0.65
"""Of a sharp-edged hole; 0.6 to 0.85 are in use."""
_CRITICAL = (2 / (_RATIO_OF_HEATS + 1)) ** (_RATIO_OF_HEATS / (_RATIO_OF_HEATS - 1))
_PERMEABILITY_M2 = {"sand": 2e-11, "fill": 5e-12, "clay": 1e-13}
"""Of the trench around a main; orders of magnitude of soil mechanics, assumed."""
_CAVITY_M = 0.05
"""The room that the jet keeps open in front of the hole; assumed."""
_VISCOSITY_PA_S = 1.1e-5
ETHANE_SHARE = (0.01, 0.05)
"""Ethane in natural gas, by volume; sewer gas has none."""


def orifice_m3h(gauge_kpa: Vector, hole_mm: float) -> Vector:
    """Standard m3/h through a round hole into the air, choked or not (the isentropic orifice equation)."""
    inside_pa = (gauge_kpa + ATMOSPHERE_KPA) * 1000
    ratio = np.clip(ATMOSPHERE_KPA * 1000 / inside_pa, _CRITICAL, 1.0)
    k = _RATIO_OF_HEATS
    flux = np.sqrt(2 * k / ((k - 1) * _GAS_CONSTANT * _GROUND_K) * (ratio ** (2 / k) - ratio ** ((k + 1) / k)))
    area_m2 = math.pi / 4 * (hole_mm / 1000) ** 2
    released: Vector = _DISCHARGE * area_m2 * inside_pa * flux / _STANDARD_KG_M3 * 3600
    return released


def into_soil_m3h(gauge_kpa: Vector, hole_mm: float, soil: str) -> Vector:
    """Standard m3/h through a hole in a buried main.

    What the ground lets through from a small cavity (Darcy's law for a half-space) stands behind the orifice; the
    smaller of the two decides, and in between both count, taken as conductances in series.
    """
    inside_pa, air_pa = (gauge_kpa + ATMOSPHERE_KPA) * 1000, ATMOSPHERE_KPA * 1000
    seeping = 2 * math.pi * _CAVITY_M * _PERMEABILITY_M2[soil] * (inside_pa**2 - air_pa**2) / (_VISCOSITY_PA_S * air_pa)
    free = np.maximum(orifice_m3h(gauge_kpa, hole_mm), 1e-9)
    taken: Vector = 1 / (1 / free + 1 / np.maximum(seeping * 3600, 1e-9))
    return taken
