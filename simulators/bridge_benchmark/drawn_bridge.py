"""Draws a bridge, its place in the world and its gauges."""

from dataclasses import dataclass

import numpy as np

from simulators.noise import Vector
from simulators.physics.bridge_climate import Climate, draw_conditions, wandering
from simulators.physics.bridge_model import DeckDesign, StayCable
from simulators.physics.bridge_response import BridgeResponse, Gauge, Spread

_GRAVITY_M_S2 = 9.81
_MODES = 4
_WANDERS, _WANDERS_H = 0.3, 80.0


@dataclass(frozen=True, slots=True)
class DrawnBridge:
    """A bridge, its gauges and what they show when nothing happens to it; ``is_stayed`` where cables hold it."""

    name: str
    design: DeckDesign
    gauges: tuple[Gauge, ...]
    response: BridgeResponse
    is_stayed: bool


def draw_bridge(name: str, days: float, step_s: int, rng: np.random.Generator, *, is_stayed: bool) -> DrawnBridge:
    """A bridge with ``days`` of weather; the same generator state gives the same."""
    design = _stayed(rng) if is_stayed else _continuous(rng)
    gauges = _gauges(design)
    climate = Climate(float(rng.uniform(7, 19)), float(rng.uniform(8, 16)), float(rng.uniform(3, 6)))
    conditions = draw_conditions(climate, days, step_s, rng, float(rng.uniform(0, 365)))
    spread = Spread(
        gain={g.id: float(rng.uniform(0.92, 1.08)) if _stretches(g.quantity) else 1.0 for g in gauges},
        offset={g.id: float(rng.normal(0, _OFFSETS.get(g.quantity, 0.0))) for g in gauges},
        noise={g.id: _errors(len(conditions.hours), step_s, rng) for g in gauges},
        sun_share=rng.uniform(0.85, 1.15, 8),
    )
    return DrawnBridge(name, design, gauges, BridgeResponse(design, gauges, conditions, spread), is_stayed)


def _errors(count: int, step_s: int, rng: np.random.Generator) -> Vector:
    """What an instrument adds: chance in each reading, and an error that wanders over days."""
    errors: Vector = rng.standard_normal(count) + _WANDERS * wandering(count, _WANDERS_H * 3600 / step_s, rng)
    return errors


_OFFSETS = {"strain": 40.0, "deflection": 3.0, "displacement": 5.0, "tilt": 0.03, "cable_force": 60.0}


def _stretches(quantity: str) -> bool:
    return quantity in {"strain", "deflection", "displacement"}


def _continuous(rng: np.random.Generator) -> DeckDesign:
    """A girder over three or four spans; its lowest frequency is about 100 over the span in metres."""
    spans = tuple(float(s) for s in rng.uniform(32, 58, int(rng.integers(3, 5))))
    longest_m, mass_kg_m = max(spans), float(rng.uniform(10e3, 16e3))
    lowest_hz = float(rng.uniform(90, 115)) / longest_m
    return DeckDesign(
        spans_m=spans,
        bending_stiffness_n_m2=mass_kg_m * longest_m**4 * (2 * lowest_hz / np.pi) ** 2,
        mass_kg_m=mass_kg_m,
        height_m=longest_m / float(rng.uniform(17, 22)),
        pier_stiffness_n_m=float(rng.uniform(3e9, 6e9)),
    )


def _stayed(rng: np.random.Generator) -> DeckDesign:
    """A deck of three spans between two pylons; its cables hang at the eighths of the spans."""
    main_m = float(rng.uniform(110, 220))
    side_m = main_m * float(rng.uniform(0.4, 0.5))
    spans, mass_kg_m = (side_m, main_m, side_m), float(rng.uniform(14e3, 22e3))
    anchors = [side_m * k / 8 for k in (2, 4, 6)]
    anchors += [side_m + main_m * k / 8 for k in (1, 2, 3, 5, 6, 7)]
    anchors += [side_m + main_m + side_m * k / 8 for k in (2, 4, 6)]
    share_m = sum(spans) / (len(anchors) + 4)
    weight_n = mass_kg_m * _GRAVITY_M_S2 * share_m
    sinks_m = main_m / float(rng.uniform(700, 1000))
    cables = tuple(StayCable(at_m, weight_n / sinks_m, 0.9 * weight_n) for at_m in anchors)
    return DeckDesign(
        spans_m=spans,
        bending_stiffness_n_m2=float(rng.uniform(3e10, 8e10)) * (main_m / 150) ** 2,
        mass_kg_m=mass_kg_m,
        height_m=float(rng.uniform(2.0, 3.0)),
        pier_stiffness_n_m=float(rng.uniform(4e9, 8e9)),
        cables=cables,
    )


def _gauges(design: DeckDesign) -> tuple[Gauge, ...]:
    """What a monitored bridge of this size carries."""
    spans, piers = range(len(design.spans_m)), range(len(design.spans_m) + 1)
    found = [Gauge("air", "air_temperature", "degC", "deck", 0), Gauge("wind", "wind_speed", "m/s", "deck", 0)]
    found.append(Gauge("humidity", "humidity", "%", "deck", 0))
    found += [Gauge(f"deck-{k + 1}", "deck_temperature", "degC", f"S{k + 1}", k) for k in range(2)]
    found += [Gauge(f"strain-S{k + 1}", "strain", "µε", f"S{k + 1}", k) for k in spans]
    found += [Gauge(f"deflection-S{k + 1}", "deflection", "mm", f"S{k + 1}", k) for k in spans]
    found += [Gauge(f"tilt-E{k + 1}", "tilt", "deg", f"E{k + 1}", k) for k in piers]
    ends = (piers[0], piers[-1])
    found += [Gauge(f"joint-E{end + 1}", "displacement", "mm", f"E{end + 1}", k) for k, end in enumerate(ends)]
    found += [Gauge(f"cable-{k + 1:02d}", "cable_force", "kN", f"C{k + 1:02d}", k) for k in range(len(design.cables))]
    found += [Gauge(f"mode-{k + 1}", f"spectral_peak_{k + 1}", "Hz", "deck", k) for k in range(_MODES)]
    found += [Gauge("crack-S1", "crack_width", "mm", "S1", 0), Gauge("rms", "acceleration_rms", "m/s2", "deck", 0)]
    found += [Gauge("peak-E2", "acceleration_peak", "m/s2", "E2", 1), Gauge("scour-E2", "scour_depth", "m", "E2", 1)]
    return tuple(found)
