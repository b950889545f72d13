"""Storms over a made-up zone with two low points and a gauge, as stored readings would tell them."""

from datetime import UTC, datetime, timedelta
from random import Random

import numpy as np

from services.alerts.models.past import Series
from services.core.lifeline import Lifeline
from tests.unit.alerts.forecast.small_city import depth_cm
from tests.unit.alerts.stream import sensor

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
STEP_MIN = 2
SENSORS = [
    sensor("road-a", Lifeline.DRAINAGE, "road_depth", interval=STEP_MIN * MINUTE),
    sensor("road-b", Lifeline.DRAINAGE, "road_depth", interval=STEP_MIN * MINUTE),
    sensor("rain", Lifeline.DRAINAGE, "rain_intensity", interval=STEP_MIN * MINUTE),
]


def readings(storms: int, seed: int = 1) -> dict[str, Series]:
    """One storm of four hours in two days; water rises without much regard to the rain, which a default cannot know."""
    draw = Random(seed)  # noqa: S311  # made-up floods, not secrets
    times_s: list[float] = []
    values: dict[str, list[float]] = {each.id: [] for each in SENSORS}
    for number in range(storms):
        begin_s = (BEGIN + number * timedelta(days=2)).timestamp()
        size, rise_min = draw.uniform(0.4, 2.5), draw.uniform(50, 70)
        for minute in range(0, 240, STEP_MIN):
            times_s.append(begin_s + 60 * minute)
            values["rain"].append(8 * size if 20 <= minute < 60 else 0.0)
            values["road-a"].append(depth_cm(minute - 30, 14 * size, rise_min))
            values["road-b"].append(depth_cm(minute - 40, 20 * size, rise_min))
    return {name: (np.array(times_s), np.array(told)) for name, told in values.items()}
