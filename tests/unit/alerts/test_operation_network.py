"""Unusual operation of a small network: a tank, two pumps and a pressure, hourly."""

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from math import sin, tau

import numpy as np
import pytest

from services.alerts.lifelines import discover
from services.alerts.lifelines.contract import Site
from services.alerts.lifelines.water_operation import NETWORK_OPERATION, SCHEDULE, TANK, UNUSUAL
from services.alerts.zone_engine import ZoneEngine
from services.core.finding import Finding, FindingState
from services.core.lifeline import Lifeline
from services.core.network_file import NetworkFile, NetworkFormat
from services.core.reading import Reading
from tests.unit.alerts.stream import LATENESS, at, reading, sensor

HOUR = timedelta(hours=1)
SENSORS = [
    sensor("F-A", Lifeline.WATER, "flow", interval=HOUR),
    sensor("F-B", Lifeline.WATER, "flow", interval=HOUR),
    sensor("L-T", Lifeline.WATER, "level", interval=HOUR),
    sensor("P-1", Lifeline.WATER, "pressure", interval=HOUR),
    sensor("S-A", Lifeline.WATER, "status", interval=HOUR),
    sensor("S-B", Lifeline.WATER, "status", interval=HOUR),
]
LEARNT, HOURS, ATTACK, LENGTH = 1100, 1300, 1200, 24
Row = dict[str, float]
Change = Callable[[Row, list[Row]], None]
KINDS = {UNUSUAL.kind.kind, SCHEDULE.kind.kind, TANK.kind.kind}


def _plant(change: Change | None = None, hours: int = HOURS, seed: int = 2) -> list[Reading]:
    """Pump A fills the tank from 2 m to 4 m, pump B never runs; ``change`` forges the rows of the attack."""
    rng = np.random.default_rng(seed)
    level, running, rows = 3.0, 1.0, list[Row]()
    for hour in range(hours):
        running = 1.0 if level < 2 else 0.0 if level > 4 else running
        flow = running * (60 - 4 * level) + float(rng.normal(0, 0.1))
        drawn = 25 + 8 * sin(tau * hour / 24) + float(rng.normal(0, 1))
        level += 0.02 * (flow - drawn)
        pressure = 150 + 9.8 * level + 20 * running + float(rng.normal(0, 0.3))
        row = {"F-A": flow, "F-B": 0.0, "L-T": level, "P-1": pressure, "S-A": running, "S-B": 0.0}
        if change is not None and ATTACK <= hour < ATTACK + LENGTH:
            change(row, rows)
        rows.append(row)
    return [reading(name, 60 * hour, round(value, 3)) for hour, row in enumerate(rows) for name, value in row.items()]


def _engine() -> ZoneEngine:
    rules = discover()[Lifeline.WATER]
    return ZoneEngine("Z1", rules, SENSORS, allowed_lateness=LATENESS, learn_until=at(60 * LEARNT))


def _judged(readings: Sequence[Reading]) -> list[Finding]:
    whole = _engine()
    return whole.observe(readings) + whole.release()


def _told(findings: Sequence[Finding]) -> list[Finding]:
    return [each for each in findings if each.kind in KINDS]


def _pressure_forged(row: Row, _: list[Row]) -> None:
    row["P-1"] += 6


def _level_forged(row: Row, _: list[Row]) -> None:
    row["L-T"] += 0.8


def _reserve_runs(row: Row, _: list[Row]) -> None:
    row["F-B"], row["S-B"] = 30.0, 1.0


def _slow_pump(row: Row, _: list[Row]) -> None:
    row["F-A"] *= 0.8


def test_ordinary_operation_is_quiet_for_every_rule() -> None:
    assert _judged(_plant()) == []


@pytest.mark.parametrize(
    ("change", "kinds", "named"),
    [
        (_pressure_forged, {"operation-unusual"}, {"P-1"}),
        (_level_forged, {"tank-level-inconsistent"}, {"L-T"}),
        (_reserve_runs, {"pump-schedule-changed", "operation-unusual"}, {"F-B", "S-B"}),
        (_slow_pump, {"operation-unusual"}, {"F-A"}),
    ],
)
def test_what_does_not_fit_is_raised_named_and_cleared_soon_after(
    change: Change, kinds: set[str], named: set[str]
) -> None:
    found = _told(_judged(_plant(change)))
    first, last = found[0], found[-1]
    assert first.state is FindingState.RAISED
    assert first.kind in kinds
    assert set(first.sensors[:1]) <= named
    assert first.time - at(60 * ATTACK) <= timedelta(hours=8)
    assert last.state is FindingState.CLEARED
    assert last.time - at(60 * (ATTACK + LENGTH)) <= timedelta(hours=8)
    assert first.evidence["expected"] is not None
    assert first.explanation.zh != first.explanation.en


def test_what_is_expected_is_what_the_instrument_would_have_shown() -> None:
    honest = {(each.sensor, each.time): each.value for each in _plant()}
    raised = _told(_judged(_plant(_pressure_forged)))[0]
    expected = raised.evidence["expected"]
    assert expected == pytest.approx(honest[raised.sensors[0], raised.time], abs=2)
    assert raised.value is not None
    assert raised.value - expected > 4


def test_a_restart_in_the_middle_of_a_trouble_changes_nothing() -> None:
    readings = _plant(_pressure_forged)
    cut = len(SENSORS) * (ATTACK + 5)
    first = _engine()
    found = first.observe(readings[:cut])
    kept = json.loads(json.dumps(first.changed_state(), allow_nan=False))
    second = _engine()
    second.restore(kept)
    found += second.observe(readings[cut:]) + second.release()
    assert [each.id for each in found] == [each.id for each in _judged(readings)]


def test_a_network_with_a_model_or_without_switches_is_not_judged_this_way() -> None:
    members = tuple(SENSORS)
    assert NETWORK_OPERATION.detector(Site(members)) is not None
    assert NETWORK_OPERATION.detector(Site(members[:4])) is None
    model = NetworkFile("network.inp", NetworkFormat.EPANET, "[JUNCTIONS]\n")
    assert NETWORK_OPERATION.detector(Site(members, network=model)) is None
