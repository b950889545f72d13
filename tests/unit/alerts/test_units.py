"""Zones that one hydraulic model covers are searched together, and judged apart for everything else."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.alerts.detectors.contract import Claim, Score, SearchDetector, State
from services.alerts.lifelines import discover
from services.alerts.lifelines.contract import LifelineRules, Rule, SearchRule, Site
from services.alerts.units import Units
from services.core.finding import FindingState
from services.core.lifeline import Lifeline
from services.core.network_file import NetworkFile, NetworkFormat
from services.core.severity import Severity
from services.core.store.networks import RegisteredNetwork
from services.core.text import Text
from tests.unit.alerts.stream import LATENESS, reading, sensor

MODEL = NetworkFile("north", NetworkFormat.EPANET, "[JUNCTIONS]\n")
NORTH = RegisteredNetwork(Lifeline.WATER, MODEL, ("Z1", "Z2", "not registered"))
SENSORS = [
    replace(sensor(name, Lifeline.WATER, "pressure", interval=timedelta(minutes=5)), zone=zone)
    for name, zone in (("a", "Z1"), ("b", "Z1"), ("c", "Z1"), ("d", "Z2"), ("e", "Z2"), ("f", "Z2"), ("g", "Z3"))
]


class Sum(SearchDetector):
    """Claims a trouble in the first row in which the pressures of all zones together are low."""

    name, version = "sum", "1"

    def __init__(self, columns: Sequence[str]) -> None:
        self.columns = tuple(columns)
        self.told = False
        self.low: float | None = None

    def configuration(self) -> dict[str, Any]:
        return {"columns": list(self.columns)}

    def score(self, time_s: float, row: Sequence[float]) -> Score:
        self.low = time_s if sum(row) < 1000 and not self.told else None
        self.told = self.told or self.low is not None
        return Score(sum(row))

    def claims(self) -> Sequence[Claim]:
        if self.low is None:
            return ()
        return (Claim("found", "1", FindingState.RAISED, Severity.MINOR, 1.0, self.low, self.columns),)

    def state(self) -> dict[str, Any]:
        return {"told": self.told}

    def restore(self, state: State) -> None:
        self.told = state["told"]


def _with_search(calls: list[Site]) -> dict[Lifeline, LifelineRules]:
    rules = discover()
    water = rules[Lifeline.WATER]
    sentence = Text("{asset}", "{asset}")

    def detector(site: Site) -> Sum | None:
        calls.append(site)
        return None if site.network is None else Sum([each.id for each in site.sensors])

    search = SearchRule(
        name="water-sum",
        outcomes=(Rule(name="found", kind=water.kinds[0], raised=sentence, cleared=sentence),),
        quantities=("pressure",),
        detector=detector,
        replaces=frozenset({"water-neighbour-residual"}),
    )
    return {**rules, Lifeline.WATER: replace(water, searches=(search,))}


@pytest.fixture
def calls() -> list[Site]:
    return []


def test_without_a_model_every_zone_is_judged_as_before(calls: list[Site]) -> None:
    rules = _with_search(calls)
    units = Units(rules).of(SENSORS, [])
    assert list(units) == ["Z1", "Z2", "Z3"]
    assert all(unit.rules is rules[Lifeline.WATER] for unit in units.values())


def test_a_model_makes_a_supply_of_its_zones_and_the_search_takes_its_place_there_alone(calls: list[Site]) -> None:
    units = Units(_with_search(calls)).of(SENSORS, [NORTH])
    assert list(units) == ["Z1", "Z2", "Z3", "supply:north"]
    supply = units["supply:north"]
    assert [each.id for each in supply.sensors] == ["a", "b", "c", "d", "e", "f"]
    assert (supply.network, supply.rules.sensor_rules, supply.rules.zone_rules) == (MODEL, (), ())
    names = {name: {rule.name for rule in unit.rules.zone_rules} for name, unit in units.items()}
    assert "water-neighbour-residual" not in names["Z1"] | names["Z2"]
    assert "water-neighbour-residual" in names["Z3"]
    assert units["Z1"].rules.searches == ()
    assert units["Z3"].rules.searches


def test_where_the_search_does_not_apply_nothing_is_replaced(calls: list[Site]) -> None:
    rules = _with_search(calls)
    water = rules[Lifeline.WATER]
    idle = replace(water, searches=(replace(water.searches[0], detector=lambda _: None),))
    units = Units({**rules, Lifeline.WATER: idle}).of(SENSORS, [NORTH])
    assert "water-neighbour-residual" in {rule.name for rule in units["Z1"].rules.zone_rules}


def test_a_search_is_made_once_for_a_model_however_often_the_register_is_read(calls: list[Site]) -> None:
    units = Units(_with_search(calls))
    for _ in range(3):
        units.of(SENSORS, [NORTH])
    assert len(calls) == 1
    changed = replace(NORTH, file=replace(MODEL, text="[PIPES]\n"))
    units.of(SENSORS, [changed])
    assert len(calls) == 2


def test_a_supply_finds_what_no_zone_sees_and_says_nothing_of_silence(calls: list[Site]) -> None:
    supply = Units(_with_search(calls)).of(SENSORS, [NORTH])["supply:north"]
    engine = supply.engine(LATENESS, {})
    found = []
    for step in range(30):
        value = 150.0 if step == 20 else 300.0
        found += engine.observe([reading(name, 5.0 * step, value) for name in "abcdef"])
    found += engine.release() + engine.advance(reading("a", 10_000, 1).time)
    [told] = found
    assert (told.rule, told.zone, told.time) == ("found", "Z1", reading("a", 100, 1).time)
    assert set(told.sensors) == set("abcdef")

    again = supply.engine(LATENESS, engine.changed_state())
    assert again.observe([reading(name, 150.0, 100.0) for name in "abcdef"]) + again.release() == []
    other = replace(supply, network=replace(MODEL, text="[PIPES]\n"))
    afresh = other.engine(LATENESS, engine.changed_state() or {})
    assert afresh.observe([]) == []


def test_a_state_made_with_another_model_is_not_taken_up(calls: list[Site]) -> None:
    supply = Units(_with_search(calls)).of(SENSORS, [NORTH])["supply:north"]
    engine = supply.engine(LATENESS, {})
    engine.observe([reading(name, 0, 100.0) for name in "abcdef"])
    engine.release()
    engine.observe([reading(name, 5, 300.0) for name in "abcdef"])
    engine.release()
    state = engine.changed_state()
    assert state["zone:water-sum"]["detector"] == {"told": True}
    other = replace(supply, network=replace(MODEL, text="[PIPES]\n")).engine(LATENESS, state)
    found = [
        each
        for minute in (10, 15)
        for each in other.observe([reading(name, minute, 100.0) for name in "abcdef"]) + other.release()
    ]
    assert [str(each.state) for each in found] == ["cleared", "raised"], "the old search is ended, the new one finds"
