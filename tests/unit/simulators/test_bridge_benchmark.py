"""Drawn bridges obey statics, and their recordings are repeatable."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from simulators.bridge_benchmark.case import HEALTHY, Case, readings_of
from simulators.bridge_benchmark.recording import Extent, bridge_of, record_bridge
from simulators.physics.bridge_model import DeckDesign, DeckModel, StayCable

_SPAN_M, _STIFFNESS, _MASS_KG_M = 40.0, 8.0e10, 12_000.0
_ONE_SPAN = DeckDesign((_SPAN_M,), _STIFFNESS, _MASS_KG_M, 2.2, 1e13)
_THREE_SPANS = replace(_ONE_SPAN, spans_m=(40.0, 50.0, 40.0))
_EXTENT = Extent(days=30, learnt_days=20)


def test_a_single_span_swings_and_sags_as_the_textbook_says() -> None:
    model = DeckModel(_ONE_SPAN)
    lowest_hz = np.pi / 2 * np.sqrt(_STIFFNESS / (_MASS_KG_M * _SPAN_M**4))
    assert model.frequencies_hz[0] == pytest.approx(lowest_hz, rel=1e-3)
    sag_m = 5 * _MASS_KG_M * 9.81 * _SPAN_M**4 / (384 * _STIFFNESS)
    assert -model.under_own_weight()[2 * model.middles[0]] == pytest.approx(sag_m, rel=5e-3)


def test_a_settled_support_bends_the_spans_beside_it_and_leaves_the_frequencies() -> None:
    model = DeckModel(_THREE_SPANS)
    moved_mm = 1000 * model.under_settlement(1, 0.010)[0::2]
    assert moved_mm[model.piers[1]] == pytest.approx(-10, abs=0.1)
    assert moved_mm[model.middles[0]] < -3
    assert moved_mm[model.middles[1]] < -3
    assert moved_mm[model.middles[2]] > 0


def test_lost_stiffness_lowers_frequencies_and_deepens_the_sag() -> None:
    intact, softened = DeckModel(_THREE_SPANS), DeckModel(_THREE_SPANS.with_stiffness_loss(1, 0.05))
    assert softened.frequencies_hz[0] < intact.frequencies_hz[0]
    middle = 2 * intact.middles[1]
    assert softened.under_own_weight()[middle] < intact.under_own_weight()[middle]


def test_a_lost_cable_lowers_the_deck_where_it_hung() -> None:
    stayed = replace(_THREE_SPANS, cables=tuple(StayCable(at_m, 2e7, 1e6) for at_m in (10, 20, 55, 65, 75, 110)))
    place = 2 * DeckModel(stayed).node_at(65)
    assert DeckModel(stayed.without_cable(3)).under_own_weight()[place] < DeckModel(stayed).under_own_weight()[place]


def test_before_a_case_begins_nothing_differs_from_the_healthy_bridge() -> None:
    bridge, cases = bridge_of(5, 2, _EXTENT)
    healthy = readings_of(bridge, HEALTHY, _EXTENT.onset, _EXTENT.hours)
    for case in cases:
        readings = readings_of(bridge, case, _EXTENT.onset, _EXTENT.hours)
        assert all(np.array_equal(readings[g][: _EXTENT.onset], healthy[g][: _EXTENT.onset]) for g in healthy), case.id
        assert any(not np.array_equal(readings[g], healthy[g]) for g in healthy), case.id


def test_a_stuck_joint_no_longer_follows_the_temperature() -> None:
    bridge, _ = bridge_of(5, 1, _EXTENT)
    stuck = readings_of(bridge, Case("x", "bearing-stuck", 0), _EXTENT.onset, _EXTENT.hours)["joint-E1"]
    free = readings_of(bridge, HEALTHY, _EXTENT.onset, _EXTENT.hours)["joint-E1"]
    assert np.ptp(stuck[_EXTENT.onset :]) < 0.6 * np.ptp(free[_EXTENT.onset :])


def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    short = Extent(days=8, learnt_days=4)
    names = record_bridge(tmp_path / "one", 3, 1, short)
    record_bridge(tmp_path / "two", 3, 1, short)
    for name in names:
        for file in ("recording.toml", "sensors.csv", "truth.csv", "network.geojson", "readings/all.csv.gz"):
            assert (tmp_path / "one" / name / file).read_bytes() == (tmp_path / "two" / name / file).read_bytes()
