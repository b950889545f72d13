"""Sentences with the numbers filled in, and how numbers and durations are written."""

from collections.abc import Mapping
from math import isfinite

from services.core.text import Text

FIELDS = (
    "sensor",
    "asset",
    "label",
    "value",
    "unit",
    "score",
    "score_unit",
    "limit",
    "expected",
    "difference",
    "lasting",
    "gateway",
    "count",
    "low",
    "high",
)
"""What a rule's sentences may mention in braces."""

_HUNDRED = 100
_TEN = 10
_HOUR_MINUTES = 60
_DAY_MINUTES = 48 * 60


def number(value: float | None) -> str:
    """Three or so significant digits, never an exponent."""
    if value is None or not isfinite(value):
        return "–"
    size = abs(value)
    digits = 0 if size >= _HUNDRED else 1 if size >= _TEN else 2
    text = f"{value:.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def duration(span_s: float) -> Text:
    """Seconds as minutes, hours or days, in words."""
    minutes = round(span_s / 60)
    if minutes < 1:
        return Text("less than a minute", "不到1分钟")
    if minutes < 2 * _HOUR_MINUTES:
        return Text(f"{minutes} min", f"{minutes}分钟")
    if minutes < _DAY_MINUTES:
        hours = number(minutes / _HOUR_MINUTES)
        return Text(f"{hours} h", f"{hours}小时")
    days = number(minutes / _HOUR_MINUTES / 24)
    return Text(f"{days} days", f"{days}天")


def fill(sentence: Text, fields: Mapping[str, str | Text]) -> Text:
    """The sentence in both languages; a field that is a ``Text`` is said in the sentence's language.

    Raises:
        KeyError: the sentence mentions a field that is not given.
    """
    english = {name: value.en if isinstance(value, Text) else value for name, value in fields.items()}
    chinese = {name: value.zh if isinstance(value, Text) else value for name, value in fields.items()}
    return Text(sentence.en.format_map(english), sentence.zh.format_map(chinese))
