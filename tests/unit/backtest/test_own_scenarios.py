"""The benchmark on our own scenarios draws what the simulator can play, and judges alerts as it says."""

import json
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from simulators.city_folder import read_city
from simulators.demo_city.folder import write_city
from simulators.scenario import Scenario, check_scenario
from tests.benchmarks.detection import own_score
from tests.benchmarks.detection.own_scenarios import drawn
from tests.unit.backtest import recorded

LEAK_BEGIN = datetime.fromisoformat("2026-01-10T06:00:00+00:00")
LEAK_END = LEAK_BEGIN + timedelta(hours=6)
FIRE_BEGIN = LEAK_BEGIN + timedelta(days=1)
TRUTH = f"""\
id,kind,asset,start,end,peak,unit,note
abrupt-20-0,pipe-leak,p34,{LEAK_BEGIN.isoformat()},{LEAK_END.isoformat()},20,mm,abrupt
hydrant-use-1,hydrant-use,n3,{FIRE_BEGIN.isoformat()},{(FIRE_BEGIN + timedelta(hours=2)).isoformat()},36,m3/h,
sensor-fault-2,sensor-fault,n1,{LEAK_END.isoformat()},{(LEAK_END + timedelta(hours=3)).isoformat()},0,m,P.n1 stuck
"""
Alert = tuple[str, datetime, Sequence[str], Sequence[str]]


@pytest.fixture
def judged(tmp_path: Path) -> Any:
    folder, out = tmp_path / "recording", tmp_path / "out"
    recorded.write_recording(folder)
    (folder / "truth.csv").write_text(TRUTH, "utf-8")
    out.mkdir()

    def judge(*alerts: Alert) -> own_score.Judged:
        lines = [json.dumps(_line(*alert)) for alert in alerts]
        (out / "alerts.jsonl").write_text("".join(f"{line}\n" for line in lines), "utf-8")
        summary = {"first": recorded.START.isoformat(), "last": "2026-01-12T23:45:00+00:00"}
        learnt = {"learn_until": "2026-01-09T00:00:00+00:00"}
        (out / "summary.json").write_text(json.dumps({**summary, **learnt}), "utf-8")
        return own_score.judged(out, folder)

    return judge


def _line(kind: str, at: datetime, sensors: Sequence[str], suspects: Sequence[str]) -> dict[str, Any]:
    return {
        "lifeline": "water",
        "kind": kind,
        "severity": 2,
        "detected_at": at.isoformat(),
        "cleared_at": None,
        "sensors": list(sensors),
        "trace": [{"asset": asset, "probability": 0.5} for asset in suspects],
        "score": 20.0,
        "explanation": {"en": "", "zh": ""},
    }


def test_a_leak_is_found_by_the_first_alert_and_placed_by_the_first_that_names_it(judged: Any) -> None:
    night = ("night-flow-high", LEAK_BEGIN + timedelta(hours=1), ["Q.inlet"], ["p51"])
    leak = ("leak-suspected", LEAK_BEGIN + timedelta(hours=2), ["P.n3"], ["p23", "p34"])
    [found] = judged(night, leak).found
    assert (found.delay, found.is_named, found.rank) == (timedelta(hours=1), True, 2)
    assert found.distance_m == 0
    assert not judged(night).found[0].is_named


def test_what_is_raised_while_nothing_leaks_is_false_and_says_what_set_it_off(judged: Any) -> None:
    fire = ("leak-suspected", FIRE_BEGIN + timedelta(minutes=30), ["P.n3"], ["p34"])
    nothing = ("leak-suspected", LEAK_BEGIN - timedelta(hours=5), ["P.n3"], ["p34"])
    low = ("pressure-low", FIRE_BEGIN + timedelta(minutes=30), ["P.n3"], ["n3"])
    learning = ("leak-suspected", recorded.START + timedelta(days=1), ["P.n3"], ["p34"])
    one = judged(learning, nothing, fire, low)
    assert one.false == {("leak-suspected", ""): 1, ("leak-suspected", "hydrant-use"): 1}
    assert (one.set_off["hydrant-use"], one.others["hydrant-use"]) == (1, 1)
    assert one.found[0].delay is None


def test_a_fault_counts_as_named_only_by_its_own_kind_at_its_own_sensor(judged: Any) -> None:
    at = LEAK_END + timedelta(hours=1)
    assert judged(("sensor-stuck", at, ["P.n1"], [])).faults_named["stuck"] == 1
    assert judged(("sensor-spiky", at, ["P.n1"], [])).faults_named["stuck"] == 0
    elsewhere = judged(("sensor-stuck", at, ["P.n2"], []))
    assert (elsewhere.faults_named["stuck"], elsewhere.false_faults) == (0, {"sensor-stuck": 1})


def test_what_is_drawn_can_happen_in_its_city_and_never_overlaps(tmp_path: Path) -> None:
    for plan in drawn():
        folder = tmp_path / f"city-{plan.seed}"
        if not folder.exists():
            write_city(folder, plan.seed)
        city = read_city(folder)
        injections = plan.draw(city, random.Random(plan.name))  # noqa: S311  # reproducible draws
        fields = {"id": plan.name, "name_en": plan.name, "name_zh": plan.name, "length_min": plan.days * 24 * 60}
        scenario = Scenario.model_validate({**fields, "injections": injections})
        check_scenario(scenario, city)
        ends = [0.0, *(each.end_min for each in scenario.injections)]
        assert all(end < each.start_min for end, each in zip(ends, scenario.injections, strict=False))
        assert ends[-1] < scenario.length_min
