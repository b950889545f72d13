"""Scenarios load, follow one another as told, and say what is wrong with them."""

from pathlib import Path

import pytest

from simulators.city import City
from simulators.scenario import ScenarioError, check_scenario, list_scenarios, load_scenario

_LEAK = """
id = "mine"
name_en = "Mine"
name_zh = "我的"
length_min = 60
[[injections]]
id = "leak"
kind = "water-leak"
asset = "WP-001"
flow_m3h = 50
start_min = 5
end_min = 30
"""


def _file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(text, "utf-8")
    return path


def test_the_expected_scenarios_exist_and_load() -> None:
    assert set(list_scenarios()) == {
        "normal-day",
        "water-main-leak",
        "gas-leak",
        "gas-under-pavement",
        "cloudburst",
        "overloaded-bridge",
        "settlement-over-cold-front",
        "failing-sensors",
        "drifting-sensor",
        "gateway-outage",
        "story",
        "slow-leak",
        "two-leaks-at-once",
        "firefighting",
        "pump-schedule-change",
        "valve-closed-by-mistake",
        "drifting-pressure-sensor",
        "burst-main",
        "design-storm",
        "moving-storm",
        "blocked-sewer",
        "pump-failure",
        "drowned-outfall",
        "foreign-water",
        "displaced-cover",
    }
    for name in list_scenarios():
        assert load_scenario(name).id == name


def test_the_story_begins_each_cause_when_it_should() -> None:
    starts = {i.id: i.start_min for i in load_scenario("story").injections}
    assert starts == {
        "water-main-leak-1": 15,
        "failing-sensors-stuck": 20,
        "failing-sensors-range": 20,
        "failing-sensors-spikes": 20,
        "gas-leak-1": 35,
        "overloaded-bridge-1": 60,
        "cloudburst-1": 75,
        "gateway-outage-1": 130,
    }
    assert all(i.end_min <= 200 for i in load_scenario("story").injections)


def test_a_scenario_can_come_from_a_file(tmp_path: Path) -> None:
    assert load_scenario(_file(tmp_path, _LEAK)).injections[0].id == "leak"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("flow_m3h = 50", "flow_m3h = -1", r"mine\.toml: injections\.0\.water-leak\.flow_m3h"),
        ("flow_m3h = 50", "", r"flow_m3h: Field required"),
        ("flow_m3h = 50", "flow_m3h = 50\ncolour = 1", r"colour"),
        ('kind = "water-leak"', 'kind = "earthquake"', r"earthquake"),
        ("end_min = 30", "end_min = 5", r"end_min must be greater"),
        ("length_min = 60", "length_min = 'x'", r"length_min"),
        ("length_min = 60", "length_min = ", r"mine\.toml"),
    ],
)
def test_errors_name_file_and_field(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        load_scenario(_file(tmp_path, _LEAK.replace(old, new)))


def test_a_scenario_that_does_not_exist_is_told_with_those_that_do() -> None:
    with pytest.raises(ScenarioError, match=r"no scenario 'stroy'.*story"):
        load_scenario("stroy")


def test_ids_must_be_unique_after_inclusion(tmp_path: Path) -> None:
    twice = '\n[[include]]\nscenario = "gas-leak"\nstart_min = 0\n' * 2
    with pytest.raises(ScenarioError, match=r"gas-leak-1.*more than once"):
        load_scenario(_file(tmp_path, _LEAK + twice))


def test_a_scenario_cannot_include_itself(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f'{_LEAK}\n[[include]]\nscenario = "{path}"\nstart_min = 0\n', "utf-8")
    with pytest.raises(ScenarioError, match="includes itself"):
        load_scenario(path)


def test_what_the_city_does_not_have_cannot_break(tmp_path: Path, city: City) -> None:
    scenario = load_scenario(_file(tmp_path, _LEAK.replace("WP-001", "WP-999")))
    with pytest.raises(ScenarioError, match="leak: asset 'WP-999' is not in demo"):
        check_scenario(scenario, city)


def test_every_scenario_fits_the_demo_city(city: City) -> None:
    for name in list_scenarios():
        check_scenario(load_scenario(name), city)


@pytest.mark.parametrize(
    "injection",
    [
        'kind = "pipe-leak"\nasset = "WV-301"\nhole_mm = 20',
        'kind = "hydrant-use"\nasset = "WP-001"\nflow_m3h = 20',
        'kind = "valve-shut"\nasset = "V-118"',
        'kind = "pump-schedule"\nasset = "WJ-001"\nhead_change_m = -5',
        'kind = "sewer-blockage"\nasset = "WP-207"\nshare = 0.5',
        'kind = "pump-trip"\nasset = "GT-1"',
        'kind = "gate-shut"\nasset = "PU-11"',
        'kind = "river-rise"\nasset = "M-001"\nrise_m = 1',
        'kind = "foreign-inflow"\nasset = "DP-001"\nflow_l_s = 5',
        'kind = "cover-displaced"\nasset = "LP-06"',
        'kind = "support-settlement"\nasset = "BR-2"\nsettled_mm = 10',
        'kind = "stiffness-loss"\nasset = "BR-2-E2"\nshare = 0.1',
    ],
)
def test_what_cannot_happen_to_an_asset_is_refused(tmp_path: Path, city: City, injection: str) -> None:
    head = 'id = "mine"\nname_en = "Mine"\nname_zh = "我的"\nlength_min = 60\n[[injections]]\nid = "odd"\n'
    scenario = load_scenario(_file(tmp_path, f"{head}{injection}\nstart_min = 5\nend_min = 30\n"))
    with pytest.raises(ScenarioError, match=r"odd: .* cannot happen to"):
        check_scenario(scenario, city)
