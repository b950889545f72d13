"""Severity has no direction; its labels have."""

import pytest

from services.core.severity import Scheme, Severity, label
from services.core.threshold import Side, Threshold


def test_a_higher_number_is_worse() -> None:
    assert list(Severity) == sorted(Severity)
    assert Severity.NORMAL < Severity.MINOR < Severity.MODERATE < Severity.MAJOR < Severity.CRITICAL


@pytest.mark.parametrize("scheme", list(Scheme))
@pytest.mark.parametrize("severity", list(Severity))
def test_every_severity_has_words_in_both_languages(scheme: Scheme, severity: Severity) -> None:
    words = label(severity, scheme)
    assert words.en
    assert words.zh
    assert (words.zh == "正常") == (severity is Severity.NORMAL)


def test_level_one_is_the_worst_of_emergencies_and_the_mildest_of_devices_and_bridges() -> None:
    assert label(Severity.CRITICAL, Scheme.EMERGENCY).zh == "一级（红色）"
    assert label(Severity.MINOR, Scheme.EMERGENCY).zh == "四级（蓝色）"
    assert label(Severity.MODERATE, Scheme.DEVICE).zh == "设备一级"
    assert label(Severity.MODERATE, Scheme.BRIDGE).zh == "桥梁一级"
    assert label(Severity.CRITICAL, Scheme.BRIDGE).zh == "桥梁三级"


@pytest.mark.parametrize(
    ("side", "value", "reached", "left"),
    [
        (Side.ABOVE, 10.1, True, False),
        (Side.ABOVE, 10.0, True, False),
        (Side.ABOVE, 9.0, False, False),
        (Side.ABOVE, 8.0, False, False),
        (Side.ABOVE, 7.9, False, True),
        (Side.BELOW, 7.9, True, False),
        (Side.BELOW, 8.0, True, False),
        (Side.BELOW, 9.0, False, False),
        (Side.BELOW, 10.0, False, False),
        (Side.BELOW, 10.1, False, True),
    ],
)
def test_a_limit_is_reached_at_its_value_and_left_behind_the_other(
    side: Side, value: float, reached: bool, left: bool
) -> None:
    raise_at, clear_at = (10.0, 8.0) if side is Side.ABOVE else (8.0, 10.0)
    threshold = Threshold(Severity.MINOR, side, raise_at=raise_at, clear_at=clear_at)
    assert (threshold.reached(value), threshold.left(value)) == (reached, left)


@pytest.mark.parametrize(("side", "raise_at", "clear_at"), [(Side.ABOVE, 5.0, 6.0), (Side.BELOW, 6.0, 5.0)])
def test_a_limit_that_clears_on_its_trouble_side_is_refused(side: Side, raise_at: float, clear_at: float) -> None:
    with pytest.raises(ValueError, match="trouble side"):
        Threshold(Severity.MINOR, side, raise_at=raise_at, clear_at=clear_at)


@pytest.mark.parametrize("side", list(Side))
def test_a_limit_without_hysteresis_is_never_reached_and_left_at_once(side: Side) -> None:
    threshold = Threshold(Severity.MINOR, side, raise_at=5.0, clear_at=5.0)
    assert threshold.reached(5.0)
    assert not threshold.left(5.0)
