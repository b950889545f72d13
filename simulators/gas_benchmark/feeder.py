"""A drawn feeder between two metering stations, three days of it second by second, and what happens to it."""

from dataclasses import dataclass
from itertools import islice

import numpy as np

from simulators.gas_benchmark.pressures import demand_pattern
from simulators.noise import Vector, wandering
from simulators.physics.gas_transient import ATMOSPHERE_PA, STANDARD_KG_M3, LongMain, run_main

DAYS, LEARNT_DAYS = 3, 1
SECONDS = DAYS * 86_400
FLOW_S = 10
BURST, SEEP, DRIFT, SWITCH = "burst", "seep", "meter-drift", "demand-switch"
LEAKS = (BURST, SEEP)
_SLOT_S = 12 * 3600
_LASTS_S = 5 * 3600
_BEGINS_S = (3600, 4 * 3600)
_STEPS = 4
"""Steps of the physics in a second."""
_GAUGE_KPA, _GAUGE_WANDERS_KPA = 0.15, 0.2
_METER, _METER_OFF, _METER_WANDERS = 0.003, 0.003, 0.0007
_HOURLY_S = 3600


@dataclass(frozen=True, slots=True)
class FeederCase:
    """What happens: ``size`` is the hole in mm, or the share by which a meter or the demand changes."""

    kind: str
    begins_s: int
    ends_s: int
    size: float
    grows_s: float
    node: int
    """Of the main's nodes, where the hole is."""

    def share(self, seconds: Vector) -> Vector:
        """How much of it there is, 0 to 1."""
        running = (seconds >= self.begins_s) & (seconds < self.ends_s)
        grown: Vector = np.where(running, np.clip((seconds - self.begins_s + 1) / max(self.grows_s, 1.0), 0, 1), 0.0)
        return grown


@dataclass(frozen=True, slots=True)
class DrawnFeeder:
    """A main in four parts; ``valves`` are the nodes between the parts, with a pressure gauge each."""

    main: LongMain
    valves: tuple[int, ...]
    inlet_kpa: float
    flow_m3h: float
    cases: tuple[FeederCase, ...]

    @property
    def gauges(self) -> tuple[int, ...]:
        """The nodes with a pressure gauge, both ends included."""
        return (0, *self.valves, self.main.cells)

    def part_of(self, node: int) -> int:
        """The part in which a hole at a node lies."""
        return sum(node >= valve for valve in self.valves)


@dataclass(frozen=True, slots=True)
class FeederRun:
    """Gauge pressures (kPa) by second and gauge; metered flows (m3/h) in and out by ten seconds."""

    pressures_kpa: Vector
    inflow_m3h: Vector
    outflow_m3h: Vector


def draw_feeder(rng: np.random.Generator) -> DrawnFeeder:
    """A feeder of 6 to 12 km at 1.0 to 1.6 MPa, and four cases in random order, one every twelve hours."""
    sound_m_s = float(rng.uniform(350, 385))
    cells = round(float(rng.uniform(6000, 12_000)) / sound_m_s * _STEPS)
    diameter_m = float(rng.choice([0.25, 0.3, 0.4]))
    main = LongMain(cells, 1 / _STEPS, sound_m_s, diameter_m, float(rng.uniform(0.010, 0.016)))
    valves = tuple(round(cells * (part + float(rng.uniform(-0.06, 0.06))) / 4) for part in (1, 2, 3))
    inlet_kpa = float(rng.uniform(1000, 1600))
    falls_pa = inlet_kpa * 1000 * float(rng.uniform(0.03, 0.08))
    flow_kg_s = float(np.sqrt(falls_pa * (inlet_kpa * 1000) / (main.resistance * cells)))
    kinds = [BURST, SEEP, DRIFT, SWITCH]
    rng.shuffle(kinds)
    cases = tuple(_case(kind, slot, main, rng) for slot, kind in enumerate(kinds))
    return DrawnFeeder(main, valves, inlet_kpa, flow_kg_s / STANDARD_KG_M3 * 3600, cases)


def _case(kind: str, slot: int, main: LongMain, rng: np.random.Generator) -> FeederCase:
    begins_s = LEARNT_DAYS * 86_400 + slot * _SLOT_S + int(rng.integers(*_BEGINS_S))
    size, grows_s = {
        BURST: (float(rng.uniform(8, 30)), 0.0),
        SEEP: (float(rng.uniform(3, 7)), float(rng.uniform(0, 1800))),
        DRIFT: (float(rng.uniform(0.006, 0.02)) * (1 if rng.random() < 0.5 else -1), float(rng.uniform(600, 7200))),  # noqa: PLR2004 - either way
        SWITCH: (float(rng.uniform(0.15, 0.35)) * (1 if rng.random() < 0.5 else -1), 0.0),  # noqa: PLR2004 - either way
    }[kind]
    return FeederCase(kind, begins_s, begins_s + _LASTS_S, size, grows_s, int(rng.integers(1, main.cells)))


def run_feeder(feeder: DrawnFeeder, rng: np.random.Generator) -> FeederRun:
    """What the gauges and meters of a feeder report."""
    seconds = np.arange(SECONDS, dtype=np.float64)
    drawn = _drawn(feeder, seconds, rng)
    inlet_kpa = feeder.inlet_kpa + 4 * np.interp(
        seconds, np.arange(0, SECONDS + 1, _HOURLY_S), wandering(DAYS * 24 + 1, 6, rng)
    )
    for at_s in rng.integers(0, SECONDS, size=3 * DAYS):
        # The station upstream changes over or is set anew.
        inlet_kpa[at_s:] += float(rng.normal(0, 3))
    leak = next((case for case in feeder.cases if case.kind in LEAKS), None)
    assert leak is not None  # noqa: S101 - every feeder has one
    pressures = np.empty((SECONDS, len(feeder.gauges)))
    inflow, outflow = np.empty(SECONDS), np.empty(SECONDS)
    done = 0
    for begin, end, hole_mm, node in _parts(feeder, seconds):
        inlet_pa = inlet_kpa[begin:end] * 1000 + ATMOSPHERE_PA
        held, leaving, hole = (np.repeat(each, _STEPS) for each in (inlet_pa, drawn[begin:end], hole_mm))
        moments = run_main(feeder.main, held, leaving, hole, node)
        for second, moment in enumerate(islice(moments, _STEPS - 1, None, _STEPS), start=begin):
            pressures[second] = (moment.pressures_pa[list(feeder.gauges)] - ATMOSPHERE_PA) / 1000
            inflow[second], outflow[second] = moment.inflow_kg_s, moment.outflow_kg_s
        done = end
    assert done == SECONDS  # noqa: S101 - the parts cover all days
    return FeederRun(_gauged(pressures, rng), *_metered(feeder, inflow, outflow, rng))


def _parts(feeder: DrawnFeeder, seconds: Vector) -> list[tuple[int, int, Vector, int]]:
    """Stretches of time with at most one hole, joined in the quiet hours between cases, where all is nearly steady."""
    leaks = [case for case in feeder.cases if case.kind in LEAKS]
    starts = [0, *(leak.begins_s - _BEGINS_S[0] // 2 for leak in leaks[1:])]
    ends = [*starts[1:], SECONDS]
    return [
        (begin, end, leak.size * np.sqrt(leak.share(seconds[begin:end])), leak.node)
        for begin, end, leak in zip(starts, ends, leaks, strict=True)
    ]


def _drawn(feeder: DrawnFeeder, seconds: Vector, rng: np.random.Generator) -> Vector:
    """Mass flow that leaves: the day's pattern, restless, with customers that switch at once many times a day."""
    hours = np.arange(0, DAYS * 24 + 1.0)
    factor = np.interp(
        seconds / 3600, hours, 0.75 + 0.25 * demand_pattern(hours) + 0.02 * wandering(len(hours), 4, rng)
    )
    for at_s in rng.integers(0, SECONDS, size=12 * DAYS):
        lasts_s = int(rng.integers(600, 7200))
        factor[at_s : at_s + lasts_s] += float(rng.normal(0, 0.04))
    for case in feeder.cases:
        if case.kind == SWITCH:
            factor += case.size * case.share(seconds)
    drawn: Vector = feeder.flow_m3h * STANDARD_KG_M3 / 3600 * np.clip(factor, 0.2, 1.6)
    return drawn


def _gauged(pressures_kpa: Vector, rng: np.random.Generator) -> Vector:
    steps = np.arange(0, SECONDS + 1, _HOURLY_S)
    seconds = np.arange(SECONDS)
    drifts = [np.interp(seconds, steps, wandering(len(steps), 8, rng)) for _ in range(pressures_kpa.shape[1])]
    off = rng.normal(0, 1.0, size=pressures_kpa.shape[1])
    noise = _GAUGE_KPA * rng.standard_normal(pressures_kpa.shape)
    gauged: Vector = np.round(pressures_kpa + off + _GAUGE_WANDERS_KPA * np.stack(drifts, axis=1) + noise, 2)
    return gauged


def _metered(feeder: DrawnFeeder, inflow: Vector, outflow: Vector, rng: np.random.Generator) -> tuple[Vector, Vector]:
    steps = np.arange(0, SECONDS + 1, _HOURLY_S)
    seconds = np.arange(0, SECONDS, FLOW_S, dtype=np.float64)
    found = []
    for which, flow_kg_s in enumerate((inflow, outflow)):
        mean = flow_kg_s.reshape(-1, FLOW_S).mean(axis=1) / STANDARD_KG_M3 * 3600
        error = (
            1 + rng.normal(0, _METER_OFF) + _METER_WANDERS * np.interp(seconds, steps, wandering(len(steps), 8, rng))
        )
        for case in feeder.cases:
            if case.kind == DRIFT and (case.node % 2 == which):
                error = error + case.size * case.share(seconds)
        found.append(np.round(mean * error * (1 + _METER * rng.standard_normal(len(mean))), 1))
    return found[0], found[1]
