"""What is forecast over a history depends on what had been read by then alone, and is written as published."""

import csv
import io

import pytest

from services.alerts.forecast.forecast_file import write_forecast
from services.alerts.forecast.forecast_lessons import lessons_of
from services.alerts.forecast.forecast_walk import walk
from services.alerts.forecast.outlook import Basis, Outlook, Spread
from tests.unit.alerts.forecast.small_city import DAY_S, START_S, city, history


def test_a_shorter_history_gives_the_begin_of_what_a_longer_one_gives() -> None:
    readings = history(60)
    cut_s = START_S + 14 * DAY_S + 3000
    from_s = START_S + 13.5 * DAY_S
    shorter = list(walk(city(), [each for each in readings if each.time_s <= cut_s], from_s=from_s, every_s=600))
    longer = list(walk(city(), readings, from_s=from_s, every_s=600))
    assert Basis.FOREST in {each.basis for each in shorter}, "nothing was learnt from fifty floodings"
    assert longer[: len(shorter)] == shorter
    assert len(longer) > len(shorter)


def test_lessons_know_nothing_of_later_readings() -> None:
    readings = history(16)
    cut_s = START_S + 2 * DAY_S
    whole = lessons_of(city(), readings).before(cut_s)
    part = lessons_of(city(), [each for each in readings if each.time_s < cut_s])
    assert whole.floodings == part.before(cut_s).floodings
    assert repr(whole.rows) == repr(part.before(cut_s).rows)
    assert len(set(whole.floodings)) == 8


def test_rows_have_the_published_format() -> None:
    told = Outlook(
        point="A",
        issued_s=START_S,
        depth_cm=5.0,
        ahead={15: Spread(6, 7.51, 9), 30: Spread(5, 8, 12)},
        peak=Spread(8, 9, 20),
        peak_s=START_S + 1200,
        passing={15.0: 0.2},
        basis=Basis.FOREST,
    )
    file = io.StringIO()
    assert write_forecast(file, [told], "mm") == 3
    rows = list(csv.DictReader(io.StringIO(file.getvalue())))
    assert rows[0] == {
        "issued_at": "2023-11-14T22:13:20Z",
        "target_time": "2023-11-14T22:28:20Z",
        "sensor": "A",
        "value": "75.1",
        "low": "60",
        "high": "90",
    }
    assert [row["value"] for row in rows] == ["75.1", "90", "80"], "the peak stands at its time"


def test_an_unknown_unit_is_refused() -> None:
    with pytest.raises(ValueError, match="furlong"):
        write_forecast(io.StringIO(), [], "furlong")
