"""The profile of the day that seasonal detectors and control charts share."""

import numpy as np
import pytest

from services.alerts.detectors.day_profile import DayProfile
from tests.unit.alerts.detectors.streams import DAY, STEP_S, noise


def test_scale_is_right_after_the_warm_up() -> None:
    """The first value of a bin has nothing to deviate from and must not widen the scale."""
    profile = DayProfile(bins=24, floor=0.01, memory_days=14, warm_up_days=2)
    for time_s, value in noise(3 * DAY):
        profile.learn(time_s, value)
    found = [profile.usual(hour * 3600.0) for hour in range(24)]
    assert np.mean([usual[0] for usual in found if usual]) == pytest.approx(100, abs=0.5)
    assert np.mean([usual[1] for usual in found if usual]) == pytest.approx(2.2, abs=0.6)


def test_outliers_move_it_little() -> None:
    profile = DayProfile(bins=1, floor=0.01, memory_days=14, warm_up_days=2)
    for step, (time_s, value) in enumerate(noise(14 * DAY)):
        profile.learn(time_s, 1e6 if step > 2 * DAY and step % 20 == 19 else value)
    usual = profile.usual(0.0)
    assert usual is not None
    assert usual[0] == pytest.approx(100, abs=1.5)
    assert usual[1] < 4


def test_old_days_fade() -> None:
    profile = DayProfile(bins=1, floor=0.01, memory_days=5, warm_up_days=2)
    for time_s, value in noise(20 * DAY):
        profile.learn(time_s, value)
    for time_s, value in noise(20 * DAY, begin=20 * DAY):
        profile.learn(time_s, value + 4)
    usual = profile.usual(40 * DAY * STEP_S)
    assert usual is not None
    assert usual[0] == pytest.approx(104, abs=0.5)
