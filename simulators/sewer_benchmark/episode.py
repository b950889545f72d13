"""One storm over one drawn network: what falls where, and what is out of order meanwhile."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from simulators.geometry import Point, between
from simulators.noise import Vector
from simulators.physics.sewer_model import SewerModel
from simulators.physics.storms import SHAPES, StormCell, StormFormula, chicago_mm_h, observed_like_mm_h

Cause = Literal["sewer-blockage", "pump-trip", "river-rise", "gate-shut", "foreign-inflow", "sewer-infiltration"]

_RARE_YEARS = 50.0
_CALM_MIN = 90
"""Dry minutes before the rain."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something out of order; ``size`` in ``unit``.

    It is there from before the rain to the end, or begins after ``begins_min`` and grows over ``grows_min``.
    """

    cause: Cause
    asset: str
    size: float
    unit: str
    begins_min: int = 0
    grows_min: int = 0


@dataclass(frozen=True, slots=True)
class Episode:
    """Rain of each minute by zone in mm/h, from ``begins_min`` to ``ends_min``, and the faults under it."""

    kind: str
    return_years: float
    begins_min: int
    ends_min: int
    rain_mm_h: dict[str, Vector]
    faults: tuple[Fault, ...]


def draw_episode(
    gauges: dict[str, Point], model: SewerModel, minutes: int, rng: np.random.Generator, *, broken: bool
) -> Episode:
    """A storm, and when ``broken`` a fault or two with it; the same generator state gives the same."""
    years = math.exp(float(rng.uniform(0, math.log(_RARE_YEARS))))
    duration_min = int(rng.integers(40, 180))
    begins_min = _CALM_MIN + int(rng.integers(0, 60))
    kind = ("moving", *SHAPES)[int(rng.integers(0, len(SHAPES) + 1))]
    if kind == "moving":
        rain = _moving(gauges, years, duration_min, rng)
    else:
        rain = _widespread(gauges, kind, years, duration_min, rng)
    placed = {zone: np.zeros(minutes) for zone in gauges}
    for zone, intensity in rain.items():
        placed[zone][begins_min : begins_min + len(intensity)] = intensity[: minutes - begins_min]
    faults = _draw_faults(model, rng) if broken else ()
    return Episode(kind, years, begins_min, min(minutes, begins_min + duration_min), placed, faults)


def draw_dry_spell(
    gauges: dict[str, Point], model: SewerModel, minutes: int, rng: np.random.Generator, *, broken: bool
) -> Episode:
    """Hours without rain, and when ``broken`` water that has no business in the sewers: at once, or seeping in."""
    shafts = [manhole.id for manhole in model.manholes if not manhole.id.endswith(".chamber")]
    asset, flow_l_s = shafts[int(rng.integers(len(shafts)))], round(float(rng.uniform(15, 60)), 1)
    seeps, begins_min = bool(rng.random() < 0.5), int(rng.integers(60, 180))  # noqa: PLR2004 - as often as not
    cause: Cause = "sewer-infiltration" if seeps else "foreign-inflow"
    grows_min = int(rng.integers(240, 480)) if seeps else 0
    faults = (Fault(cause, asset, flow_l_s, "L/s", begins_min, grows_min),) if broken else ()
    return Episode("dry", 0.0, 0, minutes, {zone: np.zeros(minutes) for zone in gauges}, faults)


def apply_faults(model: SewerModel, faults: tuple[Fault, ...]) -> SewerModel:
    """The network as it is with them; a river that rises is not part of it."""
    silted = {f.asset: f.size / 100 for f in faults if f.cause == "sewer-blockage"}
    tripped = frozenset(f.asset for f in faults if f.cause == "pump-trip")
    shut = {f.asset: 0.0 for f in faults if f.cause == "gate-shut"}
    return model.silted(silted).tripped(tripped).gated(shut)


def _widespread(
    gauges: dict[str, Point], kind: str, years: float, duration_min: int, rng: np.random.Generator
) -> dict[str, Vector]:
    formula = StormFormula()
    shape = next(shape for shape in SHAPES if shape == kind)
    if shape == "chicago":
        base = chicago_mm_h(formula, years, duration_min, float(rng.uniform(0.25, 0.6)))
    else:
        base = observed_like_mm_h(shape, formula.depth_mm(years, duration_min), duration_min, rng)
    return {zone: base * float(np.exp(0.12 * rng.standard_normal())) for zone in gauges}


def _moving(gauges: dict[str, Point], years: float, duration_min: int, rng: np.random.Generator) -> dict[str, Vector]:
    places = np.array(list(gauges.values()))
    middle = between(
        (float(places[:, 0].min()), float(places[:, 1].min())),
        (float(places[:, 0].max()), float(places[:, 1].max())),
        float(rng.uniform(0.2, 0.8)),
    )
    cell = StormCell(
        # The harder half hour of such a storm, where the cell passes.
        peak_mm_h=2 * StormFormula().depth_mm(years, 30) * float(rng.uniform(0.9, 1.4)),
        radius_m=float(rng.uniform(800, 3000)),
        speed_m_min=float(rng.uniform(30, 400)),
        heading_deg=float(rng.uniform(0, 360)),
        middle=middle,
        passes_min=duration_min * float(rng.uniform(0.35, 0.65)),
        lasts_min=duration_min,
    )
    return {
        zone: np.array([cell.mm_h(place, minute + 0.5) for minute in range(duration_min)])
        for zone, place in gauges.items()
    }


def _draw_faults(model: SewerModel, rng: np.random.Generator) -> tuple[Fault, ...]:
    """Mostly a silted sewer that drains something, sometimes the station or the river."""
    chance = float(rng.random())
    if model.pumps and chance < 0.15:  # noqa: PLR2004 - shares of the causes
        return tuple(Fault("pump-trip", pump.id, 1.0, "") for pump in model.pumps)
    if model.gates and chance < 0.2:  # noqa: PLR2004
        return (Fault("gate-shut", model.gates[0].id, 1.0, ""),)
    if chance < 0.3:  # noqa: PLR2004
        return (Fault("river-rise", model.outfalls[0].id, round(float(rng.uniform(2.0, 4.5)), 2), "m"),)
    heads = {c.start for c in model.conduits} - {c.end for c in model.conduits}
    inner = [c for c in model.conduits if c.start not in heads and not c.id.startswith("OF")]
    count = 1 + int(rng.random() < 0.25)  # noqa: PLR2004
    chosen = [inner[int(k)] for k in rng.permutation(len(inner))[:count]]
    return tuple(Fault("sewer-blockage", c.id, round(float(rng.uniform(60, 93))), "%") for c in chosen)
