"""Pressures and flows of a drawn town's mains, minute by minute, with what breaks them."""

import math
from dataclasses import dataclass, replace

import numpy as np

from simulators.gas_benchmark.case import Case
from simulators.gas_benchmark.scene import Scene
from simulators.gas_benchmark.town import Town
from simulators.geometry import distance
from simulators.noise import Vector, wandering
from simulators.physics.daily import GAS
from simulators.physics.gas_hydraulics import (
    ATMOSPHERE_KPA,
    GasPipes,
    GasState,
    broken,
    line_volume_m3,
    resistance,
    steady,
)
from simulators.physics.gas_release import into_soil_m3h, orifice_m3h

_REGULATOR_KPA2 = 0.03
"""What a sound regulator's outlet falls by in squared kPa for one (m3/h)^1.82: some 4 kPa at 500 m3/h; assumed."""
_CLOGGED, _SHUT = 40.0, 1e7
_PROFILE = 0.10
"""A profiled outlet is raised by so much of itself when demand is highest."""
_TRANSIENT_S = 10.0
_HUNTS_MIN = 8.0
_AFTERWARDS_MIN = 20
_PEAK_SPREADS_M = 250.0
"""A peak of demand concerns the neighbourhood: a third of it is left so far away."""


@dataclass(frozen=True, slots=True)
class NetworkRun:
    """By minute: gauge pressures of the nodes, flows of the regulators, and whether their cut-off valves are open.

    ``leak_m3h`` is what each leak lets into the soil, by step of the spaces.
    """

    pressures_kpa: Vector
    supplied_m3h: Vector
    is_open: Vector
    leak_m3h: tuple[Vector, ...]


def gas_pipes(town: Town) -> GasPipes:
    """The town's mains, and before each regulator's node one that is held at its set point."""
    count, sources = len(town.nodes), len(town.regulators)
    volumes = np.zeros(count + sources)
    for main in town.mains:
        volumes[list(main.ends)] += line_volume_m3(main.diameter_mm, main.length_m) / 2
    near = [m.ends[0] for m in town.mains] + list(range(count, count + sources))
    far = [m.ends[1] for m in town.mains] + list(town.regulators)
    resistances = [resistance(m.diameter_mm, m.length_m) for m in town.mains] + [_REGULATOR_KPA2] * sources
    return GasPipes(
        np.array(near), np.array(far), np.array(resistances), volumes, np.arange(count, count + sources, dtype=np.intp)
    )


def run_network(scene: Scene, rng: np.random.Generator) -> NetworkRun:
    """Solve a state for each step, for each minute where something quick happens, and every ten seconds of a break."""
    town, hours = scene.town, scene.hours
    drawn = _drawn(scene, rng)
    pipes = gas_pipes(town)
    held = _set_points(scene)
    calm = _supplied(pipes, held, drawn).pressures_kpa
    leaks = tuple(_leak_m3h(case, town, calm, hours) for case in scene.of_kind("gas-leak"))
    for case, rate in zip(scene.of_kind("gas-leak"), leaks, strict=True):
        drawn[:, _node(case, town)] += rate
    minutes = np.arange(round(len(hours) * scene.step_h * 60))
    state = _supplied(pipes, held, drawn)
    run = _Minutes(
        np.stack([np.interp(minutes / 60, hours, p) for p in state.pressures_kpa.T], axis=1),
        np.stack([np.interp(minutes / 60, hours, q) for q in state.flows_m3h.T], axis=1),
    )
    by_minute = np.stack([np.interp(minutes / 60, hours, d) for d in drawn.T], axis=1)
    for case in scene.of_kind("regulator-fault"):
        _fail(run, pipes, town, case, by_minute)
    for case in scene.of_kind("main-break"):
        _break(run, pipes, town, case, by_minute)
    is_open = np.ones((len(minutes), len(town.regulators)))
    for case in scene.of_kind("regulator-fault"):
        if case.mode == "cut-off":
            is_open[case.running(minutes / 60), case.number] = 0.0
    gauge = run.pressures_kpa[:, : len(town.nodes)] - ATMOSPHERE_KPA
    return NetworkRun(gauge, run.flows_m3h[:, len(town.mains) :], is_open, leaks)


@dataclass(frozen=True, slots=True)
class _Minutes:
    pressures_kpa: Vector
    flows_m3h: Vector


def demand_pattern(hours: Vector) -> Vector:
    """What customers draw over the day relative to its mean, eight hours ahead of UTC."""
    hourly = np.array(GAS) / np.mean(GAS)
    pattern: Vector = np.interp((hours + 8) % 24, np.arange(25), np.append(hourly, hourly[0]))
    return pattern


def _drawn(scene: Scene, rng: np.random.Generator) -> Vector:
    """Demand of every node: the day's pattern, more in the cold, restless, and now and then a peak."""
    town, hours, steps = scene.town, scene.hours, len(scene.hours)
    heating = 1 + 0.03 * np.clip(15 - scene.weather.below_c, 0, 15)
    common = 1 + 0.05 * wandering(steps, 36, rng)
    drawn = np.zeros((steps, len(town.nodes) + len(town.regulators)))
    for node, mean in enumerate(town.demand_m3h):
        own = 1 + 0.06 * wandering(steps, 12, rng) + 0.05 * wandering(steps, 2, rng)
        drawn[:, node] = mean * demand_pattern(hours) * heating * np.clip(common * own, 0.3, 2.0)
    for case in scene.of_kind("demand-peak"):
        risen = np.clip((hours - case.begins_h) / 0.5, 0, 1) * np.clip((case.ends_h - hours) / 0.5, 0, 1)
        near = [math.exp(-distance(place, town.nodes[case.number]) / _PEAK_SPREADS_M) for place in town.nodes]
        drawn[:, : len(near)] *= 1 + (case.size - 1) * risen[:, None] * np.array(near)
    return drawn


def _set_points(scene: Scene) -> Vector:
    """Absolute set points of the regulators; a creeping one lets pressure up when little is drawn."""
    town, hours = scene.town, scene.hours
    pattern = demand_pattern(hours)
    raised = _PROFILE * (pattern - 1).clip(0, 1) if town.has_profile else np.zeros(len(hours))
    held = np.repeat((town.outlet_kpa * (1 + raised))[:, None], len(town.regulators), axis=1)
    # No two regulators are set alike: the first leads, the others help it out.
    held = held * (1 - 0.004 * np.arange(len(town.regulators)))
    for case in scene.of_kind("regulator-fault"):
        if case.mode == "creep":
            grown = np.clip((hours - case.begins_h) / 2, 0, 1) * (hours < case.ends_h)
            held[:, case.number] *= 1 + case.size / 100 * grown * (1.4 - pattern).clip(0.2, 1)
    absolute: Vector = held + ATMOSPHERE_KPA
    return absolute


def _leak_m3h(case: Case, town: Town, absolute_kpa: Vector, hours: Vector) -> Vector:
    """What a leak lets out: the pressure where it is, and its hole, whose area may still grow."""
    main = town.mains[case.number]
    one, other = main.ends
    inside_kpa = absolute_kpa[:, one] * (1 - case.share) + absolute_kpa[:, other] * case.share - ATMOSPHERE_KPA
    grown = np.clip((hours - case.begins_h) / max(case.growth_h, 1e-6), 0, 1)
    rate = into_soil_m3h(np.maximum(inside_kpa, 0.0), case.size, main.ground.soil)
    leaking: Vector = np.where(case.running(hours), rate * grown, 0.0)
    return leaking


def _node(case: Case, town: Town) -> int:
    return town.mains[case.number].ends[round(case.share)]


def _supplied(pipes: GasPipes, held_kpa: Vector, drawn_m3h: Vector) -> GasState:
    """The steady states with regulators that let nothing back: one whose outlet stands above its set point shuts."""
    state = steady(pipes, held_kpa, drawn_m3h)
    sources = np.arange(len(pipes.near) - len(pipes.held), len(pipes.near))
    shut = np.any(state.flows_m3h[:, sources] < 0, axis=1)
    if shut.any():
        worse = np.tile(pipes.resistances, (int(shut.sum()), 1))
        worse[:, sources] *= np.where(state.flows_m3h[shut][:, sources] < 0, _SHUT, 1.0)
        again = steady(replace(pipes, resistances=worse), held_kpa[shut], drawn_m3h[shut])
        state.pressures_kpa[shut], state.flows_m3h[shut] = again.pressures_kpa, again.flows_m3h
    return state


def _fail(run: _Minutes, pipes: GasPipes, town: Town, case: Case, drawn: Vector) -> None:
    """A regulator clogs, hunts or is cut off: its minutes are solved again."""
    if case.mode == "creep":
        return
    begin, end = round(case.begins_h * 60), min(len(drawn), round(case.ends_h * 60))
    minutes = np.arange(begin, end)
    source = len(town.mains) + case.number
    held = run.pressures_kpa[begin:end][:, pipes.held].copy()
    worse = pipes.resistances.copy()
    if case.mode == "hunting":
        swing = np.sin(2 * math.pi * minutes / _HUNTS_MIN)
        held[:, case.number] += case.size / 200 * (held[:, case.number] - ATMOSPHERE_KPA) * swing
    else:
        worse[source] *= _SHUT if case.mode == "cut-off" else _CLOGGED
    state = _supplied(replace(pipes, resistances=worse), held, drawn[begin:end])
    run.pressures_kpa[begin:end] = state.pressures_kpa
    run.flows_m3h[begin:end] = state.flows_m3h


def _break(run: _Minutes, pipes: GasPipes, town: Town, case: Case, drawn: Vector) -> None:
    """A main breaks and is shut off later: ten seconds at a time, the pressures packed in the pipes included."""
    begin, end = round(case.begins_h * 60), min(len(drawn), round(case.ends_h * 60))
    until = min(len(drawn), end + _AFTERWARDS_MIN)
    state = GasState(run.pressures_kpa[begin][None, :], run.flows_m3h[begin][None, :])
    held = run.pressures_kpa[begin][None, pipes.held]
    leaves = np.zeros(pipes.nodes)
    at_kpa = np.array([town.outlet_kpa])
    # A broken main lets gas into the open: the ground above it is torn.
    leaves[_node(case, town)] = float(orifice_m3h(at_kpa, case.size)[0]) / (town.outlet_kpa + ATMOSPHERE_KPA)
    for first, last, hole in ((begin, end, leaves), (end, until, np.zeros(pipes.nodes))):
        for minute in range(first, last):
            states = broken(pipes, held, drawn[minute][None, :], state, hole, step_s=_TRANSIENT_S)
            for _ in range(round(60 / _TRANSIENT_S)):
                state = next(states)
            run.pressures_kpa[minute] = np.maximum(state.pressures_kpa[0], ATMOSPHERE_KPA)
            run.flows_m3h[minute] = state.flows_m3h[0]
