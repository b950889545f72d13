"""A small town's water network with meters, and what its sensors say while it leaks."""

from collections.abc import Mapping
from math import pi, sin

import numpy as np

from services.alerts.hydraulics.epanet_model import EpanetModel
from services.alerts.hydraulics.pipe_distance import PipeDistances

SIDE = 5
SENSORS = ("n0_4", "n1_1", "n2_3", "n3_0", "n4_2", "n4_4")
METERED = ("n0_0",)
CHANNELS = (
    *((f"D.{node}", "demand", node, "L/h") for node in METERED),
    *((f"P.{node}", "pressure", node, "kPa") for node in SENSORS),
    ("Q.inlet", "flow", "inlet", "L/s"),
)
"""Sensor, quantity, asset and unit, in alphabetical order."""
ROW_S = 1800.0
WEEK_S = 7 * 86400.0
MONDAY_S = 4 * 86400.0


def network_text(units: str = "CMH") -> str:
    """A grid of streets fed from one corner, in cubic metres an hour or (the same network) in litres a second."""
    scale = {"CMH": 1.0, "LPS": 1 / 3.6}[units]
    names = [f"n{row}_{column}" for row in range(SIDE) for column in range(SIDE)]
    lines = ["[JUNCTIONS]", *(f"{name} 10 {(1 + k % 3) * scale:.9f} day" for k, name in enumerate(names))]
    lines += ["[RESERVOIRS]", "source 60", "[PIPES]", "inlet source n0_0 50 300 120 0 Open"]
    for row in range(SIDE):
        for column in range(SIDE):
            here = f"n{row}_{column}"
            if column + 1 < SIDE:
                lines.append(f"east{row}_{column} {here} n{row}_{column + 1} 200 {105 - 5 * row} 110 0 Open")
            if row + 1 < SIDE:
                lines.append(f"south{row}_{column} {here} n{row + 1}_{column} 180 {100 - 4 * column} 115 0 Open")
    pattern = " ".join(f"{1 + 0.5 * sin(2 * pi * (hour - 8) / 24):.4f}" for hour in range(24))
    lines += ["[PATTERNS]", f"day {pattern}", "[TIMES]", "PATTERN TIMESTEP 1:00", "DURATION 24:00"]
    lines += ["[OPTIONS]", f"UNITS {units}", "HEADLOSS H-W", "ACCURACY 0.001", "EMITTER EXPONENT 0.5", "[END]"]
    return "\n".join(lines) + "\n"


def rows(
    days: float,
    leaks: Mapping[str, tuple[float, float, float]],
    *,
    seed: int = 1,
    off_kpa: Mapping[str, tuple[float, float]] | None = None,
) -> list[tuple[float, list[float]]]:
    """Rows of the channels; ``leaks`` has by link its flow (m3/h) and the days from and until which it runs.

    ``off_kpa`` has by sensor how much too high it reads, and from which day.
    """
    model = EpanetModel(network_text())
    generator = np.random.default_rng(seed)
    told = []
    for step in range(int(days * 86400 / ROW_S)):
        second = step * ROW_S
        demand = model.demand_at(second % WEEK_S) * generator.normal(0.95, 0.1, len(model.nodes))
        drawn = demand.copy()
        for link, (flow_m3h, first, last) in leaks.items():
            if first <= second / 86400 < last:
                drawn = model.with_leak(drawn, link, flow_m3h)
        state = model.solve(drawn)
        row = [demand[model.node_index[node]] * 1000 for node in METERED]
        for node in SENSORS:
            kpa = state.pressure_m[model.node_index[node]] * 9.80665 + generator.normal(0, 0.05)
            shift, since = (off_kpa or {}).get(f"P.{node}", (0.0, 0.0))
            row.append(kpa + (shift if second / 86400 >= since else 0.0))
        row.append(state.flow_m3h[model.link_index["inlet"]] / 3.6)
        told.append((MONDAY_S + second, [float(value) for value in row]))
    return told


def distance_m(model: EpanetModel, one: str, other: str) -> float:
    """Between the middles of two links, along the links."""
    return float(PipeDistances(model).of(model.link_index[one])[model.link_index[other]])
