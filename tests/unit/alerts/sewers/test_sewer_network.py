"""Of a model of several sewer systems a search takes those in which it has sensors."""

from dataclasses import replace

import pytest

from services.alerts.sewers.sewer_network import SewerNetwork, part_around
from services.alerts.sewers.swmm_reader import read_swmm
from tests.unit.alerts.sewers.small_sewers import sewers


def _elsewhere(network: SewerNetwork) -> SewerNetwork:
    """The same sewers under other names."""
    return replace(
        network,
        nodes={f"X{name}": replace(node, id=f"X{name}") for name, node in network.nodes.items()},
        conduits=tuple(replace(c, id=f"X{c.id}", start=f"X{c.start}", end=f"X{c.end}") for c in network.conduits),
        devices=tuple(replace(d, id=f"X{d.id}", start=f"X{d.start}", end=f"X{d.end}") for d in network.devices),
        surfaces=tuple(replace(s, id=f"X{s.id}", node=f"X{s.node}") for s in network.surfaces),
    )


_HERE = read_swmm(sewers(pumped=True))
_OTHER = _elsewhere(_HERE)
_BOTH = SewerNetwork(
    {**_HERE.nodes, **_OTHER.nodes},
    (*_HERE.conduits, *_OTHER.conduits),
    (*_HERE.devices, *_OTHER.devices),
    (*_HERE.surfaces, *_OTHER.surfaces),
    _HERE.evaporates_mm_h,
)


@pytest.mark.parametrize("asset", ["M3", "C5", "PU1", "O1"])
def test_a_node_a_sewer_or_a_pump_is_enough_to_find_its_system(asset: str) -> None:
    assert part_around(_BOTH, {asset, "a gauge elsewhere"}) == _HERE
    assert part_around(_BOTH, {f"X{asset}"}) == _OTHER


def test_sensors_in_both_keep_both() -> None:
    assert part_around(_BOTH, {"M3", "XC5"}) is _BOTH


def test_without_a_sensor_at_any_of_it_nothing_is_left_out() -> None:
    assert part_around(_BOTH, {"a gauge elsewhere"}) is _BOTH
