"""The numbers a duty officer wants beside a claim: how far, beside what the weather explains, and how sure."""

from collections.abc import Sequence

import numpy as np

from services.alerts.explanation import number
from services.alerts.structures.causes import order_of
from services.alerts.structures.compensation import Compensation
from services.alerts.structures.day_chart import Shift
from services.alerts.structures.day_record import Day
from services.alerts.structures.trouble import Evidence, Gauge
from services.alerts.structures.weather import Array
from services.core.text import Text

_SHOWN = 8
_NEVER = Text("No healthy hour so far has shown as much.", "此前健康时段从未出现如此变化。")
_SINCE_YESTERDAY = Text("a day at most", "至多一天")
"""A jump is one beside the last day: it came at once, or within hours."""


def day_evidence(
    gauges: Sequence[Gauge],
    position: int,
    day: Day,
    compensation: Compensation,
    *,
    shift: Shift | None,
    before: Array | None,
    between_days: float,
) -> Evidence:
    """Of a day that is over; ``before`` is the weather of some days ago, to tell what the weather has done since."""
    expected = compensation.expected(day.features)
    explained = expected - compensation.expected(before) if before is not None else np.zeros(len(gauges))
    value = float(day.means[position]) if np.isfinite(day.means[position]) else None
    seen: dict[str, object] = {
        "temperature_c": round(day.warm_c, 1),
        "explained_by_weather": round(float(explained[position]), 4),
        "days_between_false_alarms": between_days,
    }
    if shift is not None:
        shown = order_of(shift.means)[:_SHOWN]
        seen["window_days"] = shift.days
        seen["beside_limit"] = round(shift.ratio, 2)
        seen["gauges"] = [
            [
                gauges[each].id,
                round(float(day.means[each] - expected[each]), 4) if np.isfinite(day.means[each]) else None,
                gauges[each].unit,
                round(float(shift.means[each]), 1),
            ]
            for each in shown
        ]
    fields: dict[str, str | Text] = {"temperature": number(day.warm_c), "chance": _once_in(between_days)}
    return Evidence(value, float(expected[position]), seen, fields)


def jump_evidence(gauge: Gauge, value: float, left: float, warm_c: float) -> Evidence:
    """Of a jump within an hour or two, beside the day before."""
    expected = value - left if np.isfinite(left) else None
    jumped_by = round(left, 4) if np.isfinite(left) else None
    seen = {"gauge": gauge.id, "jumped_by": jumped_by, "unit": gauge.unit, "temperature_c": round(warm_c, 1)}
    return Evidence(
        value, expected, seen, {"temperature": number(warm_c), "lasting": _SINCE_YESTERDAY, "chance": _NEVER}
    )


def shock_evidence(gauge: Gauge, value: float, usual: float) -> Evidence:
    """Of a hit, beside the largest that traffic made."""
    seen = {"gauge": gauge.id, "largest_usual": round(usual, 4), "unit": gauge.unit}
    return Evidence(value, usual, seen, {})


def _once_in(days: float) -> Text:
    """The stated rate of false alarms of what is said by day."""
    return Text(
        f"By chance a healthy bridge shows as much on one day in {days:.0f}.",
        f"健康桥梁偶然出现如此变化约{days:.0f}天一次。",
    )
