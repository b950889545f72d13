"""Gas: how methane rings, and how it does not."""

from services.core.reading import Quality
from services.core.severity import Severity
from tests.unit.alerts.stream import at, judged, reading, sensor, series, told

MANHOLE = sensor("m1")


def test_one_sniff_of_six_percent_does_not_ring() -> None:
    assert judged([MANHOLE], series("m1", [0.1, 0.1, 6.0, 0.2, 0.1])) == []


def test_a_minor_level_has_to_last_two_minutes() -> None:
    found = judged([MANHOLE], series("m1", [0.1, 6.0, 6.1, 6.0, 6.2]))
    assert told(found, "methane-high") == [("raised", 1, 3)]
    assert found[0].started_at == at(1)


def test_ten_percent_rings_after_a_minute() -> None:
    assert told(judged([MANHOLE], series("m1", [0.1, 11.0, 11.0])), "methane-high") == [("raised", 2, 2)]


def test_twenty_percent_rings_at_once_with_everything_a_person_needs() -> None:
    [finding] = judged([MANHOLE], series("m1", [0.1, 0.2, 26.0]))
    assert (finding.severity, finding.time, finding.started_at) == (Severity.MAJOR, at(2), at(2))
    assert (finding.value, finding.threshold) == (26.0, 20)
    assert finding.explanation.en.startswith("Methane 26 %LEL at asset-of-m1 (limit 20 %LEL")
    assert "甲烷浓度26 %LEL" in finding.explanation.zh
    assert finding.evidence["threshold"]["source"].startswith("default: ")
    assert finding.evidence["values"]["m1"][-1] == [at(2).isoformat(), 26.0]
    assert len(finding.evidence["configuration"]) == 16


def test_skipped_levels_stay_on_record() -> None:
    [finding] = judged([MANHOLE], series("m1", [0.1, 70.0]))
    assert finding.severity is Severity.CRITICAL
    assert [each["raise_at"] for each in finding.evidence["reached"]] == [20, 50]


def test_a_steep_rise_is_worse_than_its_level() -> None:
    found = judged([MANHOLE], series("m1", [0, 0, 3, 6, 9, 12, 15, 18]))
    [rising] = [each for each in found if each.rule == "gas-methane-rising"]
    assert rising.severity is Severity.MAJOR
    assert rising.value is not None
    assert rising.value < 20
    assert "%LEL/min" in rising.explanation.en


def test_an_episode_goes_up_and_down_and_ends() -> None:
    values = [0.1, 25.0, 60.0, *[30.0] * 12, *[0.5] * 24]
    found = [each for each in judged([MANHOLE], series("m1", values)) if each.rule == "gas-methane-level"]
    assert [(str(each.state), int(each.severity)) for each in found] == [
        ("raised", 3),
        ("changed", 4),
        ("changed", 3),
        ("cleared", 0),
    ]
    assert len({each.started_at for each in found}) == 1
    assert len({each.id for each in found}) == 4


def test_bad_readings_say_nothing_about_gas_and_suspect_ones_do() -> None:
    assert judged([MANHOLE], [reading("m1", 0, 30.0, Quality.BAD)]) == []
    [finding] = judged([MANHOLE], [reading("m1", 0, 30.0, Quality.SUSPECT)])
    assert finding.kind == "methane-high"


def test_no_methane_for_weeks_is_no_fault() -> None:
    assert judged([MANHOLE], series("m1", [0.0] * 3000)) == []
