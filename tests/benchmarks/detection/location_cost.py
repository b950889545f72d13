"""What it costs to find and place one leak with the model of L-Town; the readings are made here.

A week of two-hourly blocks is learnt, then a leak opens in one pipe. Rows come every half an hour, from the model
itself with draws that vary from node to node, so the cost is that of a search and its accuracy says nothing.
"""

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import numpy as np

from services.alerts.hydraulics.epanet_model import Array, EpanetModel, HydraulicState
from services.alerts.hydraulics.leak_search import LEAK, LeakSearch
from services.alerts.hydraulics.pipe_distance import PipeDistances
from services.core.finding import FindingState
from services.core.recording import read_recording

RECORDING = "ltown-2018"
_STEP_S = 1800.0
_BLOCK_S = 7200.0
_BEGIN_S = datetime(2018, 1, 1, tzinfo=UTC).timestamp()
_LEARN_S = 7 * 86400.0
_LEAK_S = _LEARN_S + 86400.0
_LONGEST_S = _LEAK_S + 2 * 86400.0
_LEAK_M3H = 15.0
_PIPE = "p523"
_SEED = 5
_PRESSURE_NOISE_M = 0.03
_FLOW_NOISE = 0.005
"""Standard deviations of the instruments: 0.1 % of 30 m, half a percent of a flow."""
_LOW_M, _HIGH_M = 2.0, 4.0
"""Levels of the tank between which its pump rests or runs."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of processor time: to learn, by quiet block, and of all blocks from the leak's begin until it was told.

    ``told_s`` is ``None`` where it was not told; ``distance_m`` says how far off the first suspect was.
    """

    learning_s: float
    quiet_s: list[float]
    told_s: float | None
    delay_h: float | None
    distance_m: float | None


def report(folder: Path) -> Iterator[str]:
    """The lines of the table; one line where the network is not there."""
    path = folder / RECORDING
    if not path.is_dir():
        yield f"{RECORDING}: not in {folder}, seconds for one location left out"
        return
    cost = measure(path)
    yield f"One leak in L-Town ({_LEAK_M3H:g} m3/h in {_PIPE}, our own readings): seconds of one processor core"
    yield "| what | s |"
    yield "| --- | --- |"
    yield f"| a week learnt | {cost.learning_s:.1f} |"
    yield f"| two hours without news, median of {len(cost.quiet_s)} | {median(cost.quiet_s):.3f} |"
    if cost.told_s is None:
        yield "| found, placed and told | not found |"
    else:
        when = f"{cost.delay_h:.0f} h after its begin, {cost.distance_m:.0f} m off"
        yield f"| found, placed and told, {when} | {cost.told_s:.2f} |"


def measure(path: Path) -> Cost:
    """Make readings, let the search follow them, and look at the clock at every block."""
    recording = read_recording(path)
    if recording.network is None:
        raise ValueError(f"{path}: has no network")
    text = recording.network.read_text("utf-8")
    channels = [(each.sensor, each.quantity, each.asset, each.unit) for each in recording.sensors.values()]
    search = LeakSearch(text, channels, _BEGIN_S + _LEARN_S)
    learning_s = leaking_s = 0.0
    quiet_s: list[float] = []
    for second, row in _rows(EpanetModel(text), channels):
        began = time.process_time()
        search.score(_BEGIN_S + second, row)
        spent_s = time.process_time() - began
        if second <= _LEARN_S:
            learning_s += spent_s
            continue
        if second < _LEAK_S:
            quiet_s += [spent_s] if second % _BLOCK_S == 0 else []
            continue
        leaking_s += spent_s
        raised = [each for each in search.claims() if each.outcome == LEAK and each.state is FindingState.RAISED]
        if raised:
            model = EpanetModel(text)
            away_m = PipeDistances(model).of(model.link_index[_PIPE])
            off_m = float(away_m[model.link_index[raised[0].suspects[0].asset]])
            return Cost(learning_s, quiet_s, leaking_s, (second - _LEAK_S) / 3600, off_m)
    return Cost(learning_s, quiet_s, None, None, None)


def _rows(model: EpanetModel, channels: Sequence[tuple[str, str, str, str]]) -> Iterator[tuple[float, list[float]]]:
    generator = np.random.default_rng(_SEED)
    levels_m = {model.nodes[tank]: (_LOW_M + _HIGH_M) / 2 for tank in np.flatnonzero(model.is_tank)}
    pumps = tuple(model.links[pump] for pump in np.flatnonzero(model.is_pump))
    resting = False
    for step in range(int(_LONGEST_S / _STEP_S) + 1):
        second = step * _STEP_S
        demand = model.demand_at(second) * np.clip(generator.normal(1, 0.1, len(model.nodes)), 0.5, 1.5)
        drawn = model.with_leak(demand, _PIPE, _LEAK_M3H) if second >= _LEAK_S else demand
        heads_m = {tank: float(model.elevation_m[model.node_index[tank]]) + level for tank, level in levels_m.items()}
        resting = _rests(levels_m.values(), resting=resting)
        state = model.solve(drawn, heads_m=heads_m, closed=pumps if resting else ())
        shown = [_value(model, state, demand, levels_m, channel) for channel in channels]
        yield second, [_measured(value, channel[1], generator) for value, channel in zip(shown, channels, strict=True)]
        for tank, level_m in levels_m.items():
            position = model.node_index[tank]
            risen_m = float(state.outflow_m3h[position] / model.tank_area_m2[position]) * _STEP_S / 3600
            levels_m[tank] = float(np.clip(level_m + risen_m, _LOW_M / 2, _HIGH_M * 1.5))


def _measured(value: float, quantity: str, generator: np.random.Generator) -> float:
    error = float(generator.normal())
    if quantity == "pressure":
        return round(value + _PRESSURE_NOISE_M * error, 2)
    return value * (1 + _FLOW_NOISE * error) if quantity == "flow" else value


def _rests(levels_m: Collection[float], *, resting: bool) -> bool:
    highest, lowest = max(levels_m, default=0.0), min(levels_m, default=0.0)
    return highest > _HIGH_M or (resting and lowest > _LOW_M)


def _value(
    model: EpanetModel,
    state: HydraulicState,
    demand_m3h: Array,
    levels_m: dict[str, float],
    channel: tuple[str, str, str, str],
) -> float:
    """What a sensor shows, in the units of this recording: m, m3/h, and L/h at customers."""
    _, quantity, asset, _ = channel
    if quantity == "flow":
        return float(state.flow_m3h[model.link_index[asset]])
    if quantity == "level":
        return levels_m[asset]
    node = model.node_index[asset]
    return float(demand_m3h[node] * 1000) if quantity == "demand" else float(state.pressure_m[node])
