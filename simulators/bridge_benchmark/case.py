"""What happens to a drawn bridge: damage of several kinds and sizes, and sensors that lie."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from simulators.bridge_benchmark.drawn_bridge import DrawnBridge
from simulators.noise import Vector
from simulators.physics.bridge_response import Damage, DamageKind

FaultKind = Literal["drift", "offset", "stuck", "noise"]
FAULTS: tuple[FaultKind, ...] = ("drift", "offset", "stuck", "noise")

_RAMP_H = 24.0
_STIFFNESS_PERCENT, _SETTLED_MM = (2.0, 5.0, 10.0), (5.0, 10.0, 20.0)
_SCOURED_PERCENT, _COLLISION_M_S2 = 40.0, 6.0
_NOISIER, _OFF_BY, _DRIFTS_BY = 6.0, 9.0, 3.0
"""How much a lying sensor adds, in standard deviations of its readings within a day; a drift each day."""
_LYING = ("strain", "deflection", "displacement", "tilt", "cable_force")


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that happens: to part ``index`` with ``size`` in ``unit``, or to ``sensor``; neither when healthy."""

    id: str
    kind: str
    index: int = 0
    size: float = 0.0
    unit: str = ""
    sensor: str = ""

    @property
    def asset(self) -> str:
        """The part of the bridge that is concerned."""
        letter = {"stiffness-loss": "S", "cable-loss": "C"}.get(self.kind, "E")
        return f"{letter}{self.index + 1:02d}" if letter == "C" else f"{letter}{self.index + 1}"


HEALTHY = Case("healthy", "healthy")


def draw_cases(bridge: DrawnBridge, rng: np.random.Generator) -> list[Case]:
    """One case of each kind and size, at parts drawn by chance."""
    span = int(rng.integers(0, len(bridge.design.spans_m)))
    pier = int(rng.integers(1, len(bridge.design.spans_m)))
    joint = int(rng.choice([0, len(bridge.design.spans_m)]))
    cases = [Case(f"stiffness-{percent:g}", "stiffness-loss", span, percent, "%") for percent in _STIFFNESS_PERCENT]
    cases += [Case(f"settlement-{mm:g}", "settlement", pier, mm, "mm") for mm in _SETTLED_MM]
    if bridge.design.cables:
        cases.append(Case("cable-loss", "cable-loss", int(rng.integers(0, len(bridge.design.cables))), 100.0, "%"))
    cases.append(Case("collision", "collision", 1, _COLLISION_M_S2, "m/s2"))
    cases.append(Case("bearing-stuck", "bearing-stuck", joint, 1.0))
    cases.append(Case("scour", "scour", 1, _SCOURED_PERCENT, "%"))
    lying = [gauge.id for gauge in bridge.gauges if gauge.quantity in _LYING]
    cases += [Case(f"fault-{fault}", f"sensor-{fault}", sensor=str(rng.choice(lying))) for fault in FAULTS]
    return cases


def readings_of(bridge: DrawnBridge, case: Case, onset: int, hours: Vector) -> dict[str, Vector]:
    """What the gauges show when the case begins at row ``onset``; before it nothing differs from the healthy bridge."""
    since_h = np.maximum(hours - hours[onset], 0.0)
    begun = (np.arange(len(hours)) >= onset).astype(float)
    if case.sensor:
        return _faulty(bridge.response.readings(), case, onset, hours)
    damages: Sequence[Damage] = ()
    if case.kind != "healthy":
        kind: DamageKind = next(each for each in _DAMAGES if each == case.kind)
        course = begun
        if kind in {"stiffness-loss", "settlement", "scour"}:
            course = np.minimum(since_h / _RAMP_H, 1.0)
        if kind == "collision":
            course = (np.arange(len(hours)) == onset).astype(float)
        # The gauges number the joints 0 and 1, the piers count on.
        index = min(case.index, 1) if kind == "bearing-stuck" else case.index
        damages = (Damage(kind, index, case.size, course),)
    return bridge.response.readings(damages)


_DAMAGES: tuple[DamageKind, ...] = (
    "stiffness-loss",
    "settlement",
    "cable-loss",
    "bearing-stuck",
    "scour",
    "collision",
)


def _faulty(healthy: Mapping[str, Vector], case: Case, onset: int, hours: Vector) -> dict[str, Vector]:
    readings = dict(healthy)
    values = readings[case.sensor].copy()
    a_day = max(2, round(24 / float(hours[1] - hours[0])))
    swing = float(np.std(np.diff(values[:onset])[-30 * a_day :])) / np.sqrt(2)
    rng = np.random.default_rng([len(values), onset])
    if case.kind == "sensor-drift":
        values[onset:] += _DRIFTS_BY * swing * (hours[onset:] - hours[onset]) / 24
    elif case.kind == "sensor-offset":
        values[onset:] += _OFF_BY * swing
    elif case.kind == "sensor-stuck":
        values[onset:] = values[onset]
    else:
        values[onset:] += _NOISIER * swing * rng.standard_normal(len(values) - onset)
    readings[case.sensor] = values
    return readings
