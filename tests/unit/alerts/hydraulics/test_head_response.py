"""Linear responses agree with what the solver says for small changes."""

import numpy as np
import pytest

from services.alerts.hydraulics.epanet_model import EpanetModel
from services.alerts.hydraulics.head_response import head_response, resistance_response
from services.alerts.hydraulics.pipe_distance import PipeDistances
from tests.unit.alerts.hydraulics.small_network import SENSORS, network_text


def test_water_fed_in_raises_heads_as_the_solver_says() -> None:
    model = EpanetModel(network_text())
    sensors = [model.node_index[name] for name in SENSORS]
    demand = model.demand_at(9 * 3600)
    state = model.solve(demand)
    response = head_response(model, state, sensors)
    for node in ("n1_3", "n4_4", "n3_1"):
        less, more = demand.copy(), demand.copy()
        less[model.node_index[node]] -= 0.5
        more[model.node_index[node]] += 0.5
        difference = (model.solve(less).head_m - model.solve(more).head_m)[sensors]
        assert response[:, model.node_index[node]] == pytest.approx(difference, rel=0.05, abs=2e-3)
    assert not response[:, model.node_index["source"]].any()


def test_a_rougher_pipe_lowers_heads_as_the_solver_says() -> None:
    model = EpanetModel(network_text())
    sensors = [model.node_index[name] for name in SENSORS]
    demand = model.demand_at(9 * 3600)
    state = model.solve(demand)
    link = model.link_index["south0_0"]
    response = resistance_response(model, state, head_response(model, state, sensors))[:, link]
    line = "south0_0 n0_0 n1_0 180 100 115 0 Open"
    other = f"south0_0 n0_0 n1_0 180 100 {115 * 1.05 ** (-1 / 1.852)} 0 Open"
    rougher = EpanetModel(network_text().replace(line, other))
    difference = (rougher.solve(demand).head_m - state.head_m)[sensors] / np.log(1.05)
    assert response == pytest.approx(difference, rel=0.05, abs=3e-3)


def test_distances_run_along_the_pipes_between_their_middles() -> None:
    model = EpanetModel(network_text())
    away_m = PipeDistances(model).of(model.link_index["east0_0"])
    assert away_m[model.link_index["east0_0"]] == 0
    assert away_m[model.link_index["east0_1"]] == pytest.approx(200)
    assert away_m[model.link_index["south0_1"]] == pytest.approx(190)
    assert away_m[model.link_index["east1_0"]] == pytest.approx(100 + 180 + 100)
