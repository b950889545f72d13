"""How numbers and durations are written."""

from math import inf, nan

import pytest

from services.alerts.explanation import duration, fill, number
from services.core.text import Text


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (26.0, "26"),
        (0.125, "0.12"),
        (12.34, "12.3"),
        (1234.5, "1234"),
        (-0.001, "0"),
        (100.0, "100"),
        (nan, "–"),
        (inf, "–"),
    ],
)
def test_numbers_have_about_three_digits(value: float, written: str) -> None:
    assert number(value) == written


def test_no_value_is_a_dash() -> None:
    assert number(None) == "–"


@pytest.mark.parametrize(
    ("span_s", "english", "chinese"),
    [
        (20, "less than a minute", "不到1分钟"),
        (900, "15 min", "15分钟"),
        (3 * 3600, "3 h", "3小时"),
        (9 * 86400, "9 days", "9天"),
    ],
)
def test_durations_are_said_in_words(span_s: float, english: str, chinese: str) -> None:
    assert duration(span_s) == Text(english, chinese)


def test_a_sentence_is_filled_in_both_languages() -> None:
    sentence = Text("{label} at {asset}", "{asset}的{label}")
    assert fill(sentence, {"label": Text("gas", "燃气"), "asset": "M-1"}) == Text("gas at M-1", "M-1的燃气")


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(KeyError):
        fill(Text("{nothing}", "{nothing}"), {})
