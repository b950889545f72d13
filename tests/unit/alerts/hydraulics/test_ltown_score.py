"""The euro rule counts what it should, and a degraded network is as wrong as it says."""

import numpy as np
import pytest

from services.alerts.hydraulics.epanet_model import EpanetModel
from tests.benchmarks.detection.degraded_network import degraded
from tests.benchmarks.detection.ltown_score import Detection, Leak, score
from tests.unit.alerts.hydraulics.small_network import network_text

HOUR_S = 3600.0
STEADY = Leak("steady", "east0_0", 0.0, 0.0, 100 * HOUR_S, 10.0, abrupt=True)
GROWING = Leak("growing", "south3_4", 0.0, 50 * HOUR_S, 100 * HOUR_S, 10.0, abrupt=False)
SCORED = (0.0, 200 * HOUR_S)


def test_a_leak_found_at_once_at_its_pipe_earns_all_that_it_would_lose() -> None:
    result = score(EpanetModel(network_text()), [STEADY], [Detection("east0_0", 0.0)], SCORED)
    assert result.euro == result.attainable_euro == pytest.approx(0.8 * 1000)
    assert (len(result.hits), result.false, result.repeats) == (1, 0, 0)


def test_lateness_distance_and_false_detections_cost() -> None:
    detections = [
        Detection("south3_4", 5 * HOUR_S),
        Detection("east0_1", 50 * HOUR_S),
        Detection("east0_0", 60 * HOUR_S),
        Detection(None, 70 * HOUR_S),
        Detection("east0_0", 150 * HOUR_S),
    ]
    result = score(EpanetModel(network_text()), [STEADY], detections, SCORED)
    assert result.euro == pytest.approx(0.8 * 500 - 500 * 200 / 300 - 3 * 500)
    assert (len(result.hits), result.false, result.repeats) == (1, 3, 1)
    assert result.hits[0].delay_h == pytest.approx(50)


def test_a_hole_that_widens_loses_with_the_square_of_the_time() -> None:
    assert GROWING.lost_m3(0.0) == pytest.approx(10 * 50 + 10 * 50 / 3)
    assert GROWING.lost_m3(0.0, 25 * HOUR_S) == pytest.approx(10 * 50 / 3 / 8)


def test_what_runs_before_the_scored_time_is_attainable_from_its_begin() -> None:
    result = score(EpanetModel(network_text()), [STEADY], [], (40 * HOUR_S, 200 * HOUR_S))
    assert result.attainable_euro == pytest.approx(0.8 * 600)
    assert result.summary()["found"] == 0


def test_a_degraded_network_differs_within_its_bounds_and_stays_whole() -> None:
    sound, worse = EpanetModel(network_text()), EpanetModel(degraded(network_text(), 3))
    assert worse.links == sound.links
    roughness = worse.roughness / sound.roughness
    assert np.abs(roughness - 1).max() <= 0.2
    assert np.std(roughness[sound.is_pipe]) > 0.05
    assert np.abs(worse.diameter_mm / sound.diameter_mm - 1).max() <= 0.05
    assert degraded(network_text(), 3) == degraded(network_text(), 3)
    worse.solve(worse.demand_at(0))
