"""The parts into which flow meters divide a network, and what is measured of each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from services.alerts.hydraulics.epanet_model import Array, EpanetModel
from services.alerts.hydraulics.metering import Metering


@dataclass(frozen=True, slots=True)
class Part:
    """What lies between meters.

    ``pipes`` are the links that may leak; ``measured`` the positions of what is measured in it or at its border, among
    all pressures first and all flows after them; ``draw_m3h`` is, by node of the network, what its nodes usually draw.
    """

    pipes: NDArray[np.intp]
    measured: NDArray[np.intp]
    draw_m3h: Array


def parts_of(model: EpanetModel, metering: Metering) -> tuple[Part, ...]:
    """The connected parts that are left when metered links are cut; parts of which nothing is measured are left out.

    A metered pipe belongs to the part that it leads to.
    """
    meters = list(metering.flow)
    inside = np.setdiff1d(np.arange(len(model.links)), meters)
    size = len(model.nodes)
    graph = coo_array((np.ones(len(inside)), (model.ends[inside, 0], model.ends[inside, 1])), shape=(size, size))
    count, label = connected_components(graph, directed=False)
    pressures = np.array(metering.pressure_node, dtype=np.intp)
    means = np.array([pattern.mean() for pattern in model.patterns])
    usual = np.where(model.is_junction, np.maximum(model.base_demand_m3h @ means, 0.0), 0.0)
    first, second = (label[model.ends[meters, side]] if meters else np.zeros(0, np.intp) for side in (0, 1))
    found = []
    for number in range(count):
        measured = np.concatenate([label[pressures] == number, (first == number) | (second == number)])
        if measured.any():
            pipes = np.flatnonzero(model.is_pipe & (label[model.ends[:, 1]] == number))
            found.append(Part(pipes, np.flatnonzero(measured), np.where(label == number, usual, 0.0)))
    return tuple(found)
