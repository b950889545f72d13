"""What a trouble does next: where water comes from, and what floods when if it goes on as now. Pure."""

from typing import Any, NamedTuple

from services.alerts.sewers.sewer_network import SewerNetwork
from services.alerts.sewers.traces import minutes_above, minutes_below
from services.alerts.sewers.trial import Trial

_WITHIN_MIN, _LOOK_MIN = 90.0, 60.0
_MOST = 12
_RISES_M_S = 1e-5


class Ahead(NamedTuple):
    """Assets with minutes.

    Water takes so long from those ``above`` to the place and from there to those ``below``; ``floods`` fill up in so
    long.
    """

    above: list[tuple[str, float]]
    below: list[tuple[str, float]]
    floods: list[tuple[str, float]]

    def seen(self) -> dict[str, Any]:
        """As evidence."""
        return {
            "upstream_min": [[name, round(minutes, 1)] for name, minutes in self.above],
            "downstream_min": [[name, round(minutes, 1)] for name, minutes in self.below],
            "floods_next_min": [[name, round(minutes, 1)] for name, minutes in self.floods],
        }


def ahead_of(network: SewerNetwork, trial: Trial, column: int, asset: str) -> Ahead:
    """The traces from an asset, and the nodes that fill to the street under the suspicion of a column."""
    start, end = network.link_ends.get(asset, (asset, asset))
    above = list(minutes_above(network, start, _WITHIN_MIN))[:_MOST] if start in network.nodes else []
    below = list(minutes_below(network, end, _WITHIN_MIN))[:_MOST] if end in network.nodes else []
    return Ahead(above, below, _floods(network, trial, column))


def _floods(network: SewerNetwork, trial: Trial, column: int) -> list[tuple[str, float]]:
    depth, rose = trial.depth_m(column), trial.rose_m[:, column]
    found = []
    for k, node in enumerate(network.nodes.values()):
        if node.outfall_m is not None:
            continue
        street_m = 0.0 if node.is_basin and not _is_shaft(network, node.id) else node.depth_m
        left_m = street_m + 0.01 - depth[k]
        if left_m <= 0:
            found.append((node.id, 0.0))
        elif rose[k] > _RISES_M_S and left_m / rose[k] <= 60 * _LOOK_MIN:
            found.append((node.id, float(left_m / rose[k] / 60)))
    return sorted(found, key=lambda each: (each[1], each[0]))[:_MOST]


def _is_shaft(network: SewerNetwork, node: str) -> bool:
    """A basin that sewers run into is a wet well; one that only drains through inlets is a low point of the road."""
    return any(link in network.travel_min and network.travel_min[link] > 0 for link, _ in network.above[node])
