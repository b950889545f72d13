"""A district with one inlet meter and four pressure loggers: what the search finds, where, and what it lets pass."""

import json
from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from itertools import pairwise
from math import sin, tau

import numpy as np
import pytest

from services.alerts.detectors.contract import Claim
from services.alerts.detectors.inlet_leak import HIGH_DEMAND, LEAK, METER_OFF, InletLeak
from services.alerts.hydraulics.epanet_model import Array, EpanetModel
from services.alerts.hydraulics.inlet_signatures import inlet_signatures
from services.alerts.lifelines.contract import Site
from services.alerts.lifelines.water_inlet_leaks import inlet_leak_search
from services.core.finding import FindingState
from services.core.lifeline import Lifeline
from services.core.network_file import NetworkFile, NetworkFormat
from services.core.sensor import Sensor
from tests.unit.alerts.stream import sensor

DAY = 48
HALF_HOUR_S = 1800.0
RESERVOIR_M = 60.0
BRANCHES = {"A": ("a1", "a2", "a3"), "B": ("b1", "b2", "b3"), "C": ("c1", "c2", "c3")}
NODES = ("m", *(node for branch in BRANCHES.values() for node in branch))
LOGGERS = ("m", "a2", "b3", "c3")
DEMAND_M3H = 20.0
MEAN_M3H = DEMAND_M3H * len(NODES)
RESISTANCE = 2.2e-4
"""Metres lost in a pipe at 1 m3/h, to the power 1.852."""


def network(source: str = "[RESERVOIRS]\nin 60\n") -> str:
    """A main to m, from which three branches of three nodes go out."""
    pipes = [("in", "m"), *(pair for branch in BRANCHES.values() for pair in pairwise(("m", *branch)))]
    lines = ["[JUNCTIONS]", *(f"{node} 10 {DEMAND_M3H}" for node in NODES), source, "[PIPES]"]
    lines += [f"p{end} {start} {end} {_length_m(end):.3f} 250 100 0 Open" for start, end in pipes]
    return "\n".join([*lines, "[OPTIONS]", "UNITS CMH", "HEADLOSS H-W", "[END]"]) + "\n"


def _length_m(end: str) -> float:
    # 10.67 L / (C^1.852 D^4.8704), flows in m3/s, is the resistance of the formula of Hazen and Williams.
    resistance = RESISTANCE / (4 if end == "m" else 1)
    return float(resistance * 3600**1.852 * 100**1.852 * 0.25**4.8704 / 10.67)


def heads_m(drawn: dict[str, float]) -> dict[str, float]:
    """The heads by the same formula, written out along the branches."""
    total = sum(drawn.values())
    heads = {"m": RESERVOIR_M - RESISTANCE / 4 * total**1.852}
    for branch in BRANCHES.values():
        before = "m"
        for position, node in enumerate(branch):
            through = sum(drawn[each] for each in branch[position:])
            heads[node] = heads[before] - RESISTANCE * through**1.852
            before = node
    return heads


class District:
    """Rows of the four loggers and the inlet meter, a row each half hour."""

    def __init__(self, days: int, seed: int = 1) -> None:
        self.rng = np.random.default_rng(seed)
        step = np.arange(days * DAY)
        self.demand = 1 + 0.45 * np.sin(tau * step / DAY) + 0.05 * np.sin(tau * step / (7 * DAY))
        self.leak: dict[str, Array] = {}
        self.meter = np.ones(len(step))
        self.shift_m: dict[str, Array] = {}

    def leaking(self, node: str, flow_m3h: float, start: float, end: float) -> "District":
        """A leak of a size between two days."""
        flow = np.zeros(len(self.demand))
        flow[int(start * DAY) : int(end * DAY)] = flow_m3h
        self.leak[node] = flow
        return self

    def rows(self) -> list[tuple[float, list[float]]]:
        rows = []
        for step, level in enumerate(self.demand):
            moods = 1 + self.rng.normal(0, 0.05, len(NODES))
            drawn = {node: DEMAND_M3H * level * mood for node, mood in zip(NODES, moods, strict=True)}
            for node, flow in self.leak.items():
                drawn[node] += flow[step]
            heads = heads_m(drawn)
            shifts = [self.shift_m[node][step] if node in self.shift_m else 0.0 for node in LOGGERS]
            values = [
                heads[node] - 10 + shift + self.rng.normal(0, 0.03) for node, shift in zip(LOGGERS, shifts, strict=True)
            ]
            inlet = sum(drawn.values()) * self.meter[step] * (1 + self.rng.normal(0, 0.004))
            rows.append(((step + 1) * HALF_HOUR_S, [*values, inlet]))
        return rows


def site(*, unit: str = "m", text: str | None = None, learn_until_s: float | None = 0.0) -> Site:
    loggers = [_sensor(f"P-{node}", "pressure", unit, node) for node in LOGGERS]
    file = None if text is None else NetworkFile("district", NetworkFormat.EPANET, text)
    return Site((*loggers, _sensor("Q-in", "flow", "m3/h", "in")), file, learn_until_s)


def _sensor(name: str, quantity: str, unit: str, asset: str) -> Sensor:
    made = sensor(name, Lifeline.WATER, quantity, interval=timedelta(minutes=30))
    return Sensor(**{field: getattr(made, field) for field in made.__slots__} | {"unit": unit, "asset": asset})


def search(**options: str) -> InletLeak:
    found = inlet_leak_search(site(text=network(), **options))  # type: ignore[arg-type]
    assert isinstance(found, InletLeak)
    return found


def follow(detector: InletLeak, rows: Sequence[tuple[float, Sequence[float]]]) -> list[tuple[float, Claim]]:
    claims = []
    for time_s, row in rows:
        detector.score(time_s, row)
        claims += [(time_s / HALF_HOUR_S / DAY, claim) for claim in detector.claims()]
    return claims


@cache
def quiet_days(days: int) -> tuple[tuple[float, list[float]], ...]:
    return tuple(District(days).rows())


def test_ordinary_weeks_raise_nothing() -> None:
    assert follow(search(), quiet_days(35)) == []


def test_a_leak_is_found_within_a_day_at_its_node_and_ends_within_a_day() -> None:
    claims = follow(search(), District(29).leaking("c2", 12.0, 16.3, 24.4).rows())
    (raised_day, raised), *_, (cleared_day, cleared) = claims
    assert raised.state is FindingState.RAISED
    assert 16.3 <= raised_day < 17.3
    assert abs(raised.since_s / HALF_HOUR_S / DAY - 16.3) < 0.5
    assert "c2" in [suspect.asset for suspect in raised.suspects][:3]
    assert sum(suspect.probability for suspect in raised.suspects) <= 1.0 + 1e-9
    assert cleared.state is FindingState.CLEARED
    assert cleared.key == raised.key
    assert 24.4 <= cleared_day < 25.4
    assert cleared.value == pytest.approx(12.0, rel=0.3)


def test_everybody_drawing_more_is_no_leak() -> None:
    hot = District(32)
    hot.demand[22 * DAY : 29 * DAY] *= 1.15
    [(day, raised), (_, cleared)] = follow(search(), hot.rows())
    assert (raised.outcome, raised.state) == (HIGH_DEMAND, FindingState.RAISED)
    assert 22 < day < 25
    assert raised.columns[0] == "Q-in"
    assert raised.value is not None
    assert raised.expected is not None
    assert 1.1 < raised.value / raised.expected < 1.2
    assert (cleared.state, cleared.key) == (FindingState.CLEARED, raised.key)


def test_days_with_another_rhythm_are_no_leak() -> None:
    holiday = District(28)
    steps = np.arange(16 * DAY, 23 * DAY)
    holiday.demand[steps] = 0.85 + 0.2 * np.array([sin(tau * (step - 8) / DAY) for step in steps])
    assert follow(search(), holiday.rows()) == []


def test_a_meter_that_drifts_is_no_leak() -> None:
    drifting = District(45)
    drifting.meter *= 1 + 0.01 * np.arange(len(drifting.meter)) / (30 * DAY)
    assert follow(search(), drifting.rows()) == []


def test_a_meter_that_is_well_off_is_told_as_a_fault_of_the_meter() -> None:
    drifting = District(100)
    drifting.meter *= 1 + 0.02 * np.arange(len(drifting.meter)) / (30 * DAY)
    [(_, raised)] = follow(search(), drifting.rows())
    assert (raised.outcome, raised.state) == (METER_OFF, FindingState.RAISED)
    assert raised.columns[0] == "Q-in"
    assert raised.value is not None
    assert raised.expected is not None
    assert raised.value > 1.03 * raised.expected


def test_a_leak_beside_a_logger_is_not_taken_for_a_shift_of_it() -> None:
    [(day, raised), *_] = follow(search(), District(17).leaking("b3", 30.0, 16.0, 17.0).rows())
    assert raised.outcome == LEAK
    assert day < 16.2
    assert "b3" in [suspect.asset for suspect in raised.suspects][:3]


def test_what_a_leak_drew_is_not_told_as_demand_afterwards() -> None:
    claims = follow(search(), District(30).leaking("c2", 60.0, 22.0, 26.0).rows())
    assert {claim.outcome for _, claim in claims} == {LEAK}
    assert claims[-1][1].state is FindingState.CLEARED


def test_a_small_leak_is_not_lost_while_it_lasts() -> None:
    claims = follow(search(), District(60).leaking("a2", 4.0, 16.0, 60.0).rows())
    assert [claim.state for _, claim in claims if claim.state is not FindingState.CHANGED] == [FindingState.RAISED]


def test_a_logger_that_shifts_is_no_leak() -> None:
    shifted = District(34)
    shifted.shift_m["b3"] = np.where(np.arange(34 * DAY) >= 16 * DAY, -0.5, 0.0)
    assert follow(search(), shifted.rows()) == []


def test_a_leak_that_runs_while_it_learns_is_found_when_it_begins_after_the_fifth_day() -> None:
    [(day, raised), *_] = follow(search(), District(12).leaking("a3", 15.0, 8.0, 12.0).rows())
    assert raised.state is FindingState.RAISED
    assert day < 9.5


def test_after_learning_beside_a_leak_it_learns_again_and_finds_the_next() -> None:
    district = District(27).leaking("a3", 30.0, 0.0, 16.0).leaking("c3", 15.0, 25.0, 27.0)
    claims = follow(search(), district.rows())
    assert [claim.state for day, claim in claims if day < 25] == []
    assert claims[0][1].state is FindingState.RAISED
    assert claims[0][0] < 26


def test_units_of_pressure_do_not_matter() -> None:
    rows = District(8).leaking("b2", 15.0, 6.0, 8.0).rows()
    in_kpa = [(time_s, [*(value * 9.80665 for value in row[:-1]), row[-1]]) for time_s, row in rows]
    [(day, claim), *_] = follow(search(), rows)
    [(day_kpa, claim_kpa), *_] = follow(search(unit="kPa"), in_kpa)
    assert day == day_kpa
    assert [each.asset for each in claim.suspects] == [each.asset for each in claim_kpa.suspects]


def test_a_silent_logger_and_a_silent_meter_do_no_harm() -> None:
    rows = District(20).leaking("c2", 15.0, 18.0, 20.0).rows()
    for time_s, row in rows:
        if time_s > 14 * DAY * HALF_HOUR_S:
            row[0] = float("nan")
        if 15 * DAY * HALF_HOUR_S < time_s < 16 * DAY * HALF_HOUR_S:
            row[-1] = float("nan")
    [(day, raised), *_] = follow(search(), rows)
    assert raised.state is FindingState.RAISED
    assert 18 <= day < 19


def test_without_a_model_a_leak_is_found_and_nobody_suspected() -> None:
    detector = inlet_leak_search(site())
    assert isinstance(detector, InletLeak)
    [(day, raised), *_] = follow(detector, District(18).leaking("c2", 15.0, 16.0, 18.0).rows())
    assert 16 <= day < 18
    assert raised.suspects == ()


def test_going_on_from_a_kept_state_changes_nothing_while_a_leak_is_open() -> None:
    rows = District(13).leaking("b2", 15.0, 7.0, 11.0).rows()
    whole = follow(search(), rows)
    first, second = search(), search()
    before = follow(first, rows[: 9 * DAY + 7])
    second.restore(json.loads(json.dumps(first.state(), allow_nan=False)))
    assert before + follow(second, rows[9 * DAY + 7 :]) == whole


def test_it_applies_only_where_its_facts_are() -> None:
    assert inlet_leak_search(site(learn_until_s=None)) is None
    assert inlet_leak_search(site(text=network("[RESERVOIRS]\nin 60\na3 55\n"))) is None
    assert inlet_leak_search(site(text="[NONSENSE")) is None
    two = site(text=network())
    assert inlet_leak_search(Site(two.sensors[2:], two.network)) is None


def test_a_leak_at_a_node_takes_most_on_the_way_to_it() -> None:
    found = inlet_signatures(EpanetModel(network()), LOGGERS)
    assert found is not None
    assert found.places == NODES
    assert found.still_m.tolist() == pytest.approx([50.0] * 4)
    by_place = dict(zip(found.places, found.responses[0], strict=True))
    assert np.argmax(by_place["b3"]) == LOGGERS.index("b3")
    assert np.argmax(by_place["c2"]) == LOGGERS.index("c3")
    assert by_place["m"].max() <= 1e-3
