"""A broken main, a regulator that lets go, and a busy evening that is neither."""

import numpy as np

from services.alerts.detectors.contract import Claim
from services.alerts.gas.network_search import NetworkSearch
from services.alerts.gas.town import Pipe, Town

TOWN = Town(
    (117.2, 31.8),
    (
        Pipe("near", ((0.0, 0.0), (300.0, 0.0)), 2.0, False, "fill"),
        Pipe("far", ((900.0, 0.0), (1200.0, 0.0)), 2.0, False, "fill"),
    ),
    (),
    (),
    (),
)
EAST = 1 / (111_320.0 * 0.85)
GAUGES = [
    ["flow", "gas_flow", "RS", 117.2, 31.8, True],
    ["mid", "gas_pressure", "J1", 117.2 + 150 * EAST, 31.8, False],
    ["outlet", "regulator_outlet_pressure", "RS", 117.2, 31.8, True],
    ["tail", "gas_pressure", "J2", 117.2 + 1050 * EAST, 31.8, False],
    ["valve", "cut_off_valve_open", "RS", 117.2, 31.8, True],
]
DAY_ROWS = 288
STEP_S = 300.0


def _told(change: dict[str, float], begins: int = 3 * DAY_ROWS, rows: int = 4 * DAY_ROWS) -> list[Claim]:
    """What is claimed when some gauges change at a row, after three usual days."""
    search = NetworkSearch(GAUGES, TOWN.as_json(), None)
    rng = np.random.default_rng(2)
    claims: list[Claim] = []
    for number in range(rows):
        day = float(np.sin(2 * np.pi * number / DAY_ROWS))
        usual = {
            "flow": 300 + 120 * day,
            "mid": 195 - 2 * day,
            "outlet": 200 - 1 * day,
            "tail": 190 - 4 * day,
            "valve": 1.0,
        }
        row = [
            usual[name]
            + (0.0 if name == "valve" else float(rng.normal(0, 0.3)))
            + (change.get(name, 0.0) if number >= begins else 0.0)
            for name in search.columns
        ]
        search.score(number * STEP_S, row)
        claims += search.claims()
    return claims


def test_usual_days_say_nothing() -> None:
    assert _told({}) == []


def test_pressures_that_fall_together_while_much_more_flows_in_are_a_broken_main_near_the_lowest() -> None:
    found = [
        claim for claim in _told({"mid": -25.0, "tail": -70.0, "flow": 500.0}) if claim.outcome == "gas-main-break"
    ]
    assert found, "a broken main was not told"
    assert found[0].suspects[0].asset == "far"
    assert int(found[0].severity) == 4


def test_more_draw_without_a_fall_is_no_break() -> None:
    assert "gas-main-break" not in {claim.outcome for claim in _told({"flow": 150.0, "tail": -1.0})}


def test_an_outlet_that_creeps_up_is_a_faulty_regulator() -> None:
    found = [
        claim for claim in _told({"outlet": 25.0, "mid": 24.0, "tail": 24.0}) if claim.outcome == "gas-regulator-fault"
    ]
    assert [claim.columns for claim in found][:1] == [("outlet",)]
    assert found[0].fields is not None
    assert "creeps" in found[0].fields["reasons"].en  # type: ignore[union-attr]  # a text in two languages


def test_a_cut_off_valve_that_shuts_is_told_with_its_second_report() -> None:
    found = _told({"valve": -1.0}, rows=3 * DAY_ROWS + 2)
    assert [(claim.outcome, claim.columns) for claim in found] == [("gas-regulator-fault", ("valve",))]
    assert found[0].fields is not None
    assert found[0].fields["reasons"].en == "its cut-off valve has shut"  # type: ignore[union-attr]  # a text
    assert found[0].suspects[0].asset == "RS"


def test_a_valve_that_has_always_been_shut_says_nothing() -> None:
    assert _told({"valve": -1.0}, begins=0) == []
