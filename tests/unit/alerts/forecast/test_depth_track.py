"""Where a flooding begins, where it ends, and what is kept of it."""

from services.alerts.forecast.depth_track import DepthTrack


def track(*readings: tuple[float, float]) -> DepthTrack:
    followed = DepthTrack()
    for minute, depth_cm in readings:
        followed.observe(60 * minute, depth_cm)
    return followed


def test_a_flooding_begins_with_the_last_dry_reading() -> None:
    followed = track((0, 0), (5, 0), (6, 4), (7, 9))
    assert followed.is_open
    assert followed.start_s == 300
    assert followed.max_cm == 9


def test_a_flooding_ends_dry_and_keeps_its_peak() -> None:
    followed = track((0, 0), (6, 4), (12, 9), (13, 3), (20, 0))
    (past,) = followed.past
    assert not followed.is_open
    assert (past.start_s, past.peak_s, past.peak_cm) == (0, 720, 9)
    assert past.marks_cm == {5: 0, 10: 4}, "the depth at five and at ten minutes is the last one read before"


def test_silence_of_hours_parts_two_floodings() -> None:
    followed = track((0, 0), (5, 8), (5 + 181, 6))
    assert [past.peak_cm for past in followed.past] == [8]
    assert followed.is_open
    assert followed.max_cm == 6
    assert followed.start_s == 60 * 186


def test_a_late_reading_changes_nothing() -> None:
    followed = track((0, 0), (5, 8), (4, 30), (5, 30))
    assert followed.max_cm == 8


def test_the_begin_stays_known_when_its_reading_is_forgotten() -> None:
    followed = track((0, 0), *((minute, 5.0) for minute in range(1, 600)))
    assert followed.start_s == 0
    assert len(followed.readings[0]) == 256


def test_depth_between_two_readings_is_straight() -> None:
    followed = track((0, 0), (10, 5))
    assert followed.at(300) == 2.5
    assert followed.rise_cm(600, 5) == 2.5
