"""A regulator that hunts, one that no longer opens, and sound ones that only look like them."""

import numpy as np
import pytest

from services.alerts.gas.regulator_signs import ROWS_HUNTING, hunting, is_starved

WOBBLE, USUAL = np.array([0.3, 0.3]), np.array([200.0, 200.0])
KNOWN = np.ones(2, dtype=bool)
ROWS = np.arange(ROWS_HUNTING, dtype=np.float64)


def _outlets(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    noise = 0.2 * np.random.default_rng(3).standard_normal((ROWS_HUNTING, 2))
    return 200 + np.stack([first, second], axis=1) + noise


def test_of_two_outlets_that_swing_together_the_one_that_swings_more_hunts() -> None:
    swing = np.sin(2 * np.pi * ROWS / 8)
    assert hunting(_outlets(3 * swing, 8 * swing), [0, 1], WOBBLE, USUAL, KNOWN) == 1


@pytest.mark.parametrize("shape", [np.where(ROWS > 12, -20.0, 0.0), -0.8 * ROWS, 0.0 * ROWS])
def test_a_fall_a_slope_and_noise_are_no_hunting(shape: np.ndarray) -> None:
    assert hunting(_outlets(shape, shape), [0, 1], WOBBLE, USUAL, KNOWN) is None


def test_too_few_rows_say_nothing() -> None:
    swing = 8 * np.sin(2 * np.pi * ROWS / 8)
    assert hunting(_outlets(swing, swing)[:-1], [0, 1], WOBBLE, USUAL, KNOWN) is None


@pytest.mark.parametrize(
    ("outlet_kpa", "flows_m3h", "is_faulty"),
    [
        (197.0, [480.0, 70.0], True),
        # The outlet is as usual or above: another regulator presses it shut.
        (200.5, [480.0, 70.0], False),
        # Less is drawn altogether.
        (197.0, [200.0, 70.0], False),
        # Its share has hardly changed.
        (197.0, [310.0, 240.0], False),
    ],
)
def test_a_regulator_starves_when_its_outlet_is_low_and_others_carry_its_share(
    outlet_kpa: float, flows_m3h: list[float], *, is_faulty: bool
) -> None:
    assert is_starved(outlet_kpa, 200.0, 0.8, np.array(flows_m3h), np.array([300.0, 260.0])) is is_faulty
