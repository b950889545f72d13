"""EWMA, CUSUM and change point: what they make of noise, of shifts and of one wild value."""

from math import isnan

import numpy as np
import pytest

from services.alerts.detectors.change_point import ChangePoint
from services.alerts.detectors.contract import Detector
from services.alerts.detectors.cusum import Cusum
from services.alerts.detectors.ewma import Ewma
from tests.unit.alerts.detectors.streams import DAY, STEP_S, noise, scores, taught

CHARTS: list[Detector] = [Ewma(0.1, bins=1), Cusum(0.1, bins=1), ChangePoint(0.1, bins=1)]
BEGIN = 10 * DAY


def shifted(size: float, values: int = 60, seed: int = 5) -> list[tuple[float, float]]:
    """Twenty normal values, then ones that are ``size`` standard deviations off."""
    return [
        (time_s, value + (2 * size if step >= 20 else 0))
        for step, (time_s, value) in enumerate(noise(values, seed, begin=BEGIN))
    ]


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
@pytest.mark.parametrize("size", [1.5, -1.5])
def test_a_lasting_shift_shows_with_its_direction(chart: Detector, size: float) -> None:
    chart.reset()
    told = scores(taught(chart), shifted(size))
    normal = max(abs(each.value) for each in told[:20])
    assert told[-1].value * size > 0
    assert abs(told[-1].value) > 2 * normal
    assert told[-1].expected == pytest.approx(100, abs=0.5)


def test_the_weighted_mean_has_unit_variance_on_independent_noise() -> None:
    """Its limits are only worth something if the score is what it claims: a standard normal."""
    values = np.array([each.value for each in scores(taught(Ewma(0.1, bins=1), 40), noise(4000, 9, begin=40 * DAY))])
    assert values.std() == pytest.approx(1.0, abs=0.12)
    assert abs(values.mean()) < 0.25


@pytest.mark.parametrize("size", [2.0, -2.0])
@pytest.mark.parametrize("kind", [Cusum, ChangePoint])
def test_the_onset_is_estimated(kind: type[Cusum | ChangePoint], size: float) -> None:
    told = scores(taught(kind(0.1, bins=1)), shifted(size))
    truth_s = (BEGIN + 20) * STEP_S
    for each in told[30:]:
        assert each.since_s is not None
        assert abs(each.since_s - truth_s) <= 6 * STEP_S


def test_the_size_of_the_shift_is_estimated() -> None:
    told = scores(taught(ChangePoint(0.1, bins=1)), shifted(2.5))
    assert told[-1].seen is not None
    assert told[-1].seen["shift"] == pytest.approx(2.5, abs=0.5)


def test_a_sum_of_likelihood_ratios_is_pages() -> None:
    """The recursion written out by hand, for the shift and the deviations that the chart itself reports."""
    chart = Cusum(0.1, shift=1.0, bins=1)
    rise = fall = 0.0
    for each in scores(taught(chart), shifted(0.7)):
        assert each.seen is not None
        deviation = each.seen["last_deviation"]
        rise, fall = max(0.0, rise + deviation - 0.5), max(0.0, fall - deviation - 0.5)
        assert each.value == pytest.approx(rise if rise >= fall else -fall)


def test_a_sum_ends_soon_after_the_shift() -> None:
    chart = taught(Cusum(0.1, ceiling=30.0, bins=1))
    told = scores(chart, shifted(3, values=300))
    assert max(each.value for each in told) == 30
    back = scores(chart, noise(40, 6, begin=BEGIN + 300))
    assert abs(back[-1].value) < 10


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_one_wild_value_counts_no_more_than_the_clip(chart: Detector) -> None:
    chart.reset()
    taught(chart)
    first = chart.score(BEGIN * STEP_S, 1e9).value
    chart.reset()
    taught(chart)
    assert chart.score(BEGIN * STEP_S, 100 + 2 * 9).value == pytest.approx(first)


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_nothing_is_said_on_the_first_day(chart: Detector) -> None:
    chart.reset()
    for time_s, value in noise(DAY):
        assert isnan(chart.score(time_s, value).value)
        chart.learn(time_s, value)


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_a_reset_accepts_the_new_level_as_normal(chart: Detector) -> None:
    chart.reset()
    taught(chart)
    raised = [(time_s, value + 50) for time_s, value in noise(6 * DAY, 8, begin=BEGIN)]
    assert scores(chart, raised[:DAY])[-1].value > 10
    chart.reset()
    for time_s, value in raised[DAY : 5 * DAY]:
        chart.learn(time_s, value)
    assert np.mean([abs(each.value) for each in scores(chart, raised[5 * DAY :])]) < 5
