"""A network model as wrong as models are: pipes rougher and narrower than drawn, valves that do not stand so, drift."""

from collections.abc import Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from services.alerts.hydraulics.epanet_model import EpanetModel

ROUGHNESS = 0.20
DIAMETER = 0.05
VALVES_WRONG = 0.05
_PIPES_A_VALVE = 10
"""Networks whose models list no isolating valves are taken to have one on every tenth pipe."""
_FIELDS = 8
DRIFTING = 0.1
DRIFT_M_A_YEAR = 0.5
"""A tenth of the pressures drift by half a percent of a span of 100 m a year, as transmitters without care do."""


def drifts_m_a_year(sensors: Sequence[str], seed: int) -> dict[str, float]:
    """By sensor that drifts how much more it shows every year, metres, up or down."""
    generator = np.random.default_rng(seed)
    chosen = generator.choice(sorted(sensors), max(round(DRIFTING * len(sensors)), 1), replace=False)
    return {str(sensor): DRIFT_M_A_YEAR * float(generator.choice((-1.0, 1.0))) for sensor in chosen}


def degraded(text: str, seed: int) -> str:
    """A copy of an EPANET text with every pipe's roughness and diameter drawn anew, evenly about what they were.

    One isolating valve in twenty is shut in the model, none of them so that anything would be cut off.
    """
    generator = np.random.default_rng(seed)
    shut = _shut(EpanetModel(text), generator)
    lines = []
    section = ""
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("["):
            section = stripped.upper()
        elif section == "[PIPES]" and stripped and not stripped.startswith(";"):
            lines.append(_worse(stripped, shut, generator))
            continue
        lines.append(line)
    return "\n".join(lines) + "\n"


def _worse(line: str, shut: set[str], generator: np.random.Generator) -> str:
    fields = line.split(";", maxsplit=1)[0].split()
    diameter, roughness = float(fields[4]), float(fields[5])
    fields[4] = f"{diameter * generator.uniform(1 - DIAMETER, 1 + DIAMETER):.3f}"
    fields[5] = f"{roughness * generator.uniform(1 - ROUGHNESS, 1 + ROUGHNESS):.3f}"
    if fields[0] in shut:
        fields = [*fields[:6], fields[6] if len(fields) > 6 else "0", "Closed"][:_FIELDS]  # the minor loss
    return " " + " ".join(fields)


def _shut(model: EpanetModel, generator: np.random.Generator) -> set[str]:
    pipes = np.flatnonzero(model.is_pipe)
    valves = generator.permutation(pipes)[: max(len(pipes) // _PIPES_A_VALVE, 1)]
    wanted = round(len(valves) * VALVES_WRONG)
    closed: list[int] = []
    for pipe in valves:
        if len(closed) == wanted:
            break
        if _parts(model, [*closed, int(pipe)]) == _parts(model, []):
            closed.append(int(pipe))
    return {model.links[pipe] for pipe in closed}


def _parts(model: EpanetModel, without: list[int]) -> int:
    ends = np.delete(model.ends, without, axis=0)
    size = len(model.nodes)
    graph = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(size, size))
    return int(connected_components(graph, directed=False)[0])
