"""What the engine costs a processor core and the memory, beside river and scikit-learn on the same stream."""

import gc
import math
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import numpy as np
import psutil
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest

from services.alerts.detectors.value import Value
from services.alerts.lifelines import discover
from services.alerts.lifelines.contract import LifelineRules
from services.alerts.zone_engine import ZoneEngine
from services.backtest.backtest import run_backtest
from services.core.lifeline import Lifeline
from services.core.reading import Quality, Reading
from services.core.recording import read_recording
from services.core.sensor import Sensor
from tests.benchmarks.detection import location_cost
from tests.unit.backtest import recorded

DAYS = 30
ZONES = 20
ZONE_SENSORS = 50
EACH = 60
"""Readings a sensor has sent before its memory is measured: as many as its evidence holds."""
_FOREST_ROWS = 300
_ROUNDS = 3
_RIVER = "river HalfSpaceTrees on rows, learns on"
_FOREST = "scikit-learn IsolationForest on rows, fitted once, row by row"
_MEGABYTE = 1024 * 1024
_TOLD_FOR = 10_000


def report(recordings: Path) -> Iterator[str]:
    """The lines of the tables; each is measured when it is asked for. ``recordings`` has the network of L-Town."""
    yield from _rates()
    yield ""
    yield f"Memory of {ZONES * ZONE_SENSORS:,} sensors in {ZONES} zones after {EACH} readings each, for 10,000 sensors"
    yield "| what judges | MB |"
    yield "| --- | --- |"
    # A process that has freed memory takes it again without growing, so each figure has a process of its own.
    for name, whole in (("rules of single sensors", False), ("all rules of water", True)):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            yield f"| {name} | {pool.submit(_megabytes, whole).result():,.0f} |"
    yield ""
    yield from location_cost.report(recordings)


def _rates() -> Iterator[str]:
    """Who judges the same stream how fast, measured in turn so that a busy minute of the machine hits all alike."""
    water = discover()[Lifeline.WATER]
    rows = np.array([[row[sensor] for sensor in recorded.SENSORS] for _, row in recorded.rows(DAYS)])
    engines = {
        "engine, limits alone": _limits(water),
        "engine, rules of single sensors": replace(water, zone_rules=(), searches=()),
        "engine, rules of single sensors and of neighbours": replace(water, searches=()),
        "engine, all rules of water, searches with the model too": water,
    }
    measures: dict[str, Callable[[], float]] = {name: partial(_engine_rate, rules) for name, rules in engines.items()}
    if find_spec("river") is not None:
        measures[_RIVER] = partial(_rate, _half_space_trees, rows)
    measures[_FOREST] = partial(_rate, _isolation_forest, rows[:_FOREST_ROWS])
    rates: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(_ROUNDS):
        for name, measure in measures.items():
            rates[name].append(measure())
    found = {name: median(each) for name, each in rates.items()}
    yield (
        f"Readings a second of one processor core: {len(recorded.SENSORS)} sensors, {DAYS} days, every 15 minutes;"
        f" medians of {_ROUNDS}"
    )
    yield "| what judges | readings/s | times river | times scikit-learn |"
    yield "| --- | --- | --- | --- |"
    for name, rate in found.items():
        river = f"{rate / found[_RIVER]:.1f}" if _RIVER in found else "not installed"
        yield f"| {name} | {rate:,.0f} | {river} | {rate / found[_FOREST]:.1f} |"


def _limits(rules: LifelineRules) -> LifelineRules:
    """Only the rules that compare a value with a limit."""
    probe = _sensor("probe", "pressure", "Z")
    alone = tuple(
        rule for rule in rules.sensor_rules if not rule.kind.sensor_fault and isinstance(rule.detector(probe), Value)
    )
    return replace(rules, sensor_rules=alone, zone_rules=(), searches=())


def _engine_rate(rules: LifelineRules) -> float:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "recording"
        recorded.write_recording(folder, DAYS)
        result = run_backtest(
            read_recording(folder),
            Path(name) / "out",
            with_scores=False,
            rules={Lifeline.WATER: rules},
            clock=time.process_time,
        )
    return result.readings / result.seconds


def _rate(judge: Callable[[NDArray[np.float64]], float], rows: NDArray[np.float64]) -> float:
    return rows.size / judge(rows)


def _half_space_trees(rows: NDArray[np.float64]) -> float:
    """Seconds to score and learn every row, each column scaled to the unit interval as the method asks."""
    span = rows.max(axis=0) - rows.min(axis=0)
    scaled = ((rows - rows.min(axis=0)) / span).tolist()
    model = import_module("river.anomaly").HalfSpaceTrees(seed=1)
    given = [dict(zip(recorded.SENSORS, row, strict=True)) for row in scaled]
    began = time.process_time()
    for row in given:
        model.score_one(row)
        model.learn_one(row)
    return time.process_time() - began


def _isolation_forest(rows: NDArray[np.float64]) -> float:
    """Seconds to score every row as it comes; the forest was fitted before."""
    model = IsolationForest(random_state=1).fit(rows)
    began = time.process_time()
    for row in rows:
        model.score_samples(row[None, :])
    return time.process_time() - began


def _sensor(name: str, quantity: str, zone: str) -> Sensor:
    declared = discover()[Lifeline.WATER].quantity(quantity)
    assert declared is not None
    return Sensor(
        id=name,
        key=0,
        lifeline=Lifeline.WATER,
        quantity=quantity,
        unit=declared.unit,
        asset=f"at-{name}",
        zone=zone,
        longitude=0.0,
        latitude=0.0,
        interval=timedelta(minutes=5),
        gateway=None,
        plausible=declared.plausible,
        thresholds=declared.thresholds,
    )


def _zone(rules: LifelineRules, number: int, random_: random.Random) -> ZoneEngine:
    zone = f"Z{number}"
    names = [f"{zone}-{position}" for position in range(ZONE_SENSORS)]
    sensors = [_sensor(name, "pressure" if position else "flow", zone) for position, name in enumerate(names)]
    engine = ZoneEngine(zone, rules, sensors, allowed_lateness=timedelta(0))
    for step in range(EACH):
        moment = recorded.START + step * timedelta(minutes=5)
        level = 300 + 20 * math.sin(step / 40)
        engine.observe(
            [Reading(sensor.id, moment, level + random_.gauss(0, 1), Quality.GOOD, moment) for sensor in sensors]
        )
    return engine


def _megabytes(whole: bool) -> float:
    """Growth of the process for 10,000 sensors, judged by all rules or by those of single sensors."""
    water = discover()[Lifeline.WATER]
    rules = water if whole else replace(water, zone_rules=(), searches=())
    random_ = random.Random(1)  # noqa: S311 - reproducible noise
    kept = [_zone(rules, -1, random_)]  # what is loaded once is not counted
    gc.collect()
    process = psutil.Process()
    before = process.memory_info().rss
    kept += [_zone(rules, number, random_) for number in range(ZONES)]
    gc.collect()
    return float(process.memory_info().rss - before) / _MEGABYTE * _TOLD_FOR / (ZONES * ZONE_SENSORS)
