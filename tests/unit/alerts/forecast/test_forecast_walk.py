"""What is forecast over a history depends on what had been read by then alone."""

from services.alerts.forecast.forecast_lessons import lessons_of
from services.alerts.forecast.forecast_walk import walk
from services.alerts.forecast.outlook import Basis
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
