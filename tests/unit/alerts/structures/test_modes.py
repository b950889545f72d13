"""The modes of a bridge in raw vibration, and the same modes again when the weather has moved them."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from services.alerts.structures.modal.identification import modes_in
from services.alerts.structures.modal.mode import FoundMode
from services.alerts.structures.modal.tracking import track
from services.core.bridge_mode import KnownMode
from simulators.bridge_benchmark.drawn_bridge import draw_bridge
from simulators.physics.bridge_model import DeckDesign, DeckModel
from simulators.physics.bridge_vibration import Shaking, accelerations

T0 = datetime(2026, 1, 1, tzinfo=UTC)
SENSORS = ("acc-1", "acc-2", "acc-3", "acc-4")
GIRDER = DeckDesign((40.0, 52.0, 45.0), 4.5e10, 12_000.0, 2.6, 5e9)
NODES = (3, 12, 14, 20)


def found(model: DeckModel, seed: int, shaking: Shaking | None = None) -> list[FoundMode]:
    rows = accelerations(model, NODES, shaking or Shaking(), np.random.default_rng(seed))
    return modes_in(rows, (shaking or Shaking()).rate_hz, SENSORS)


@pytest.mark.parametrize("seed", range(3))
def test_frequencies_and_shapes_are_those_of_the_model(seed: int) -> None:
    model = DeckModel(GIRDER)
    wanted_hz, shapes = model.swinging(3)
    modes = found(model, seed)
    for frequency_hz, shape in zip(wanted_hz, shapes.T, strict=True):
        nearest = min(modes, key=lambda mode: abs(mode.frequency_hz - frequency_hz))
        assert nearest.frequency_hz == pytest.approx(frequency_hz, rel=0.01), modes
        seen = np.array([nearest.shape[sensor] for sensor in SENSORS])
        there = shape[list(NODES)]
        assert (seen @ there) ** 2 / (seen @ seen * (there @ there)) > 0.95


def test_noise_alone_has_no_modes() -> None:
    rows = np.random.default_rng(5).standard_normal((4, 12_000))
    assert modes_in(rows, 20.0, SENSORS) == []


def test_a_channel_that_stands_still_takes_no_part() -> None:
    rows = accelerations(DeckModel(GIRDER), NODES, Shaking(), np.random.default_rng(1))
    rows[1] = 0.25
    modes = modes_in(rows, 20.0, SENSORS)
    assert modes
    assert all("acc-2" not in mode.shape for mode in modes)
    assert modes_in(np.zeros((4, 12_000)), 20.0, SENSORS) == []


def test_a_blow_shows_the_same_modes() -> None:
    model = DeckModel(GIRDER)
    struck = found(model, 2, Shaking(seconds=120, blow_ns=60_000, blow_node=11))
    lowest_hz = float(model.swinging(1)[0][0])
    assert min(abs(mode.frequency_hz / lowest_hz - 1) for mode in struck) < 0.02


def walked(windows: list[list[FoundMode]]) -> tuple[tuple[KnownMode, ...], list[list[int]], list[list[float]]]:
    known: tuple[KnownMode, ...] = ()
    numbers, frequencies = [], []
    for hour, modes in enumerate(windows):
        tracked = track(known, modes, T0 + timedelta(hours=hour))
        known = tracked.modes
        numbers.append([each.number for each in tracked.sightings])
        frequencies.append([each.frequency_hz for each in tracked.sightings])
    return known, numbers, frequencies


def test_modes_keep_their_numbers_while_frost_stiffens_the_bridge() -> None:
    model = DeckModel(GIRDER)
    softening = np.linspace(1.0, 1.06, 25)
    windows = [found(model, n, Shaking(seconds=300, softening=float(each))) for n, each in enumerate(softening)]
    known, numbers, _ = walked(windows)
    first = next(mode for mode in known if mode.number == 1)
    lowest_hz = float(model.swinging(1)[0][0])
    assert first.is_confirmed
    assert first.sightings >= 20
    assert first.frequency_hz == pytest.approx(1.045 * lowest_hz, rel=0.02)
    assert numbers[0] == numbers[1] == []
    assert 1 in numbers[-1]


def test_modes_that_change_places_are_told_apart_by_their_shapes() -> None:
    straight = {"acc-1": 1.0, "acc-2": 0.9, "acc-3": 0.8}
    twisted = {"acc-1": 1.0, "acc-2": -0.9, "acc-3": 0.7}
    windows = [[FoundMode(2.00 + 0.01 * hour, straight), FoundMode(2.10 - 0.01 * hour, twisted)] for hour in range(12)]
    known, _, _ = walked(windows)
    by_number = {mode.number: mode for mode in known}
    assert set(by_number) == {1, 2}
    assert by_number[1].shape["acc-2"] > 0 > by_number[2].shape["acc-2"]
    assert by_number[1].sightings == by_number[2].sightings == 12


def test_what_is_seen_upside_down_is_the_same_mode() -> None:
    shape = {"acc-1": 1.0, "acc-2": 0.5}
    turned = {"acc-1": -1.0, "acc-2": -0.5}
    known, _, _ = walked([[FoundMode(2.0, shape if hour % 2 else turned)] for hour in range(6)])
    assert [mode.number for mode in known] == [1]
    assert abs(known[0].shape["acc-2"]) == pytest.approx(0.5)


def test_what_was_seen_once_is_forgotten_and_a_known_mode_is_not() -> None:
    steady, passing = FoundMode(2.0, {"a": 1.0, "b": 0.5}), FoundMode(4.4, {"a": 1.0, "b": -1.0})
    known, _, _ = walked([[steady, passing], *[[steady]] * 5, *[[]] * 30])
    assert [(mode.number, mode.missed) for mode in known] == [(1, 30)]


def test_a_peak_that_is_split_in_two_is_no_second_mode() -> None:
    shape = dict(zip(SENSORS, (1.0, -0.5, 0.5, 0.2), strict=True))
    whole, split = FoundMode(3.0, shape), FoundMode(3.2, shape)
    known, _, _ = walked([[whole], [whole], *[[whole, split]] * 8])
    assert [mode.number for mode in known] == [1]


def test_a_peak_that_comes_by_chance_now_and_then_is_never_confirmed() -> None:
    steady = FoundMode(3.0, dict(zip(SENSORS, (1.0, -0.5, 0.5, 0.2), strict=True)))
    stray = FoundMode(4.6, dict(zip(SENSORS, (0.2, 1.0, 0.9, -0.6), strict=True)))
    known, _, _ = walked([[steady, stray] if window % 8 == 0 else [steady] for window in range(60)])
    assert [mode.number for mode in known if mode.is_confirmed] == [1]


def test_memory_is_bounded_whatever_is_found() -> None:
    rng = np.random.default_rng(3)
    windows = [
        [FoundMode(float(f), {"a": 1.0, "b": float(rng.normal())}) for f in rng.uniform(1, 9, 8)] for _ in range(80)
    ]
    known, _, _ = walked(windows)
    assert len(known) <= 24


def test_a_drawn_bridge_is_tracked_by_what_its_span_accelerometers_record() -> None:
    bridge = draw_bridge("b", 2, 3600, np.random.default_rng(12), is_stayed=False)
    model = DeckModel(bridge.design)
    rows = accelerations(model, model.middles, Shaking(), np.random.default_rng(4))
    modes = modes_in(rows, 20.0, [f"S{k}" for k in range(len(model.middles))])
    lowest_hz = model.swinging(2)[0]
    assert min(abs(mode.frequency_hz / lowest_hz[0] - 1) for mode in modes) < 0.01
