"""The model: what is asked is solved, whatever the text's units, and nothing lingers."""

import pickle

import numpy as np
import pytest

from services.alerts.hydraulics.epanet_model import EpanetModel, NetworkUnreadableError
from tests.unit.alerts.hydraulics.small_network import network_text


def test_the_units_of_the_text_do_not_matter() -> None:
    cubic, litres = EpanetModel(network_text("CMH")), EpanetModel(network_text("LPS"))
    demand = cubic.demand_at(9 * 3600)
    assert np.allclose(demand, litres.demand_at(9 * 3600))
    one, other = cubic.solve(demand, emitters={"n2_2": 1.0}), litres.solve(demand, emitters={"n2_2": 1.0})
    assert np.allclose(one.head_m, other.head_m, atol=1e-3)
    assert np.allclose(one.flow_m3h, other.flow_m3h, atol=1e-2)


def test_patterns_repeat_and_the_source_gives_what_is_drawn() -> None:
    model = EpanetModel(network_text())
    demand = model.demand_at(3 * 3600)
    assert np.allclose(demand, model.demand_at(27 * 3600))
    state = model.solve(demand)
    assert state.flow_m3h[model.link_index["inlet"]] == pytest.approx(demand.sum(), rel=1e-4)


def test_an_emitter_loses_by_the_root_of_its_pressure() -> None:
    model = EpanetModel(network_text())
    demand = model.demand_at(0)
    state = model.solve(demand, emitters={"n3_3": 2.0})
    node = model.node_index["n3_3"]
    assert state.outflow_m3h[node] - demand[node] == pytest.approx(2.0 * state.pressure_m[node] ** 0.5, rel=1e-3)


def test_what_was_set_once_does_not_linger() -> None:
    model = EpanetModel(network_text())
    demand = model.demand_at(0)
    before = model.solve(demand)
    model.solve(demand, emitters={"east1_1": 3.0}, heads_m={"source": 40.0}, closed=["south0_0"])
    after = model.solve(demand)
    assert np.array_equal(before.head_m, after.head_m)
    assert np.array_equal(before.flow_m3h, after.flow_m3h)


def test_a_held_head_and_a_closed_link_are_solved_so() -> None:
    model = EpanetModel(network_text())
    state = model.solve(model.demand_at(0), heads_m={"source": 45.0}, closed=["south0_0"])
    assert state.head_m[model.node_index["source"]] == pytest.approx(45.0)
    assert state.flow_m3h[model.link_index["south0_0"]] == pytest.approx(0.0, abs=1e-6)
    assert not state.open_link[model.link_index["south0_0"]]


def test_a_leak_in_a_pipe_is_drawn_at_both_of_its_ends() -> None:
    model = EpanetModel(network_text())
    leak = model.with_leak(np.zeros(len(model.nodes)), "east2_1", 6.0)
    assert leak[model.node_index["n2_1"]] == leak[model.node_index["n2_2"]] == pytest.approx(3.0)
    with pytest.raises(KeyError):
        model.with_leak(leak, "nowhere", 1.0)


def test_another_process_gets_the_same_model() -> None:
    model = EpanetModel(network_text())
    demand = model.demand_at(7200)
    copy = pickle.loads(pickle.dumps(model))  # noqa: S301  # its own making
    assert np.array_equal(copy.solve(demand).head_m, model.solve(demand).head_m)


def test_a_text_that_is_no_network_is_refused() -> None:
    with pytest.raises(NetworkUnreadableError):
        EpanetModel("[PIPES]\np1 here there 10\n[END]\n")
