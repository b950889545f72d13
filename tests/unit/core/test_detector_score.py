"""A detector is believed as far as people found it right, and nobody's word is taken for certain."""

import pytest

from services.core.detector_score import DetectorScore


def _score(true_alarms: int, false_alarms: int) -> DetectorScore:
    return DetectorScore("gas", "threshold", "methane-high", "G1", true_alarms, false_alarms)


def test_nothing_judged_is_even_chances_and_a_wide_span() -> None:
    nothing = _score(0, 0)
    assert nothing.precision == pytest.approx(0.5)
    assert (nothing.precision_low, nothing.precision_high) == pytest.approx((0.05, 0.95))


def test_three_of_twelve_is_four_of_fourteen() -> None:
    score = _score(3, 9)
    assert score.judged == 12
    assert score.precision == pytest.approx(4 / 14)
    assert 0.1 < score.precision_low < score.precision < score.precision_high < 0.55


def test_more_judgements_narrow_the_span_and_never_reach_certainty() -> None:
    few, many = _score(5, 0), _score(500, 0)
    assert few.precision < many.precision < 1
    assert many.precision_high - many.precision_low < few.precision_high - few.precision_low
