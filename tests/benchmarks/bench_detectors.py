"""What detectors cost and how well they see, beside river and scikit-learn on the same stream.

``python -m tests.benchmarks.bench_detectors [--days 40]`` makes a labelled stream of five related sensors that report
every five minutes: the first half is normal and learnt from, the second holds faults of five kinds, and nothing is
learnt there. Printed are values (not rows) a second of processor time, scored and learnt one after the other as
readings come; what is remembered of a sensor as JSON; and the area under the ROC curve for each kind of fault against
all normal rows.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from math import isnan, nan
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest as Forest
from sklearn.metrics import roc_auc_score

from services.alerts.detectors.change_point import ChangePoint
from services.alerts.detectors.contract import Detector, RowDetector
from services.alerts.detectors.cusum import Cusum
from services.alerts.detectors.ewma import Ewma
from services.alerts.detectors.gap import Gap
from services.alerts.detectors.isolation_forest import IsolationForest
from services.alerts.detectors.multivariate_residual import MultivariateResidual
from services.alerts.detectors.neighbour_residual import NeighbourResidual
from services.alerts.detectors.night_flow import NightFlow
from services.alerts.detectors.one_class import OneClass
from services.alerts.detectors.out_of_range import OutOfRange
from services.alerts.detectors.principal_components import PrincipalComponents
from services.alerts.detectors.rate import Rate
from services.alerts.detectors.seasonal import Seasonal
from services.alerts.detectors.spikes import Spikes
from services.alerts.detectors.stuck import Stuck
from services.alerts.detectors.value import Value
from services.alerts.detectors.weekly_seasonal import WeeklySeasonal

Array = NDArray[np.float64]

STEP_S = 300.0
DAY_ROWS = 288
SENSORS = 5
NOISE = 1.0
FAULTS = ("shift", "drift", "relation", "outlier", "weekend")
COLUMNS = tuple("abcde")
FLOORS = (0.2,) * SENSORS

Scorer = Callable[[float, Sequence[float]], float]
Learner = Callable[[float, Sequence[float]], None]


@dataclass(frozen=True)
class Labelled:
    """Rows of five sensors, when they were taken, and the name of the fault in each row."""

    times_s: Array
    rows: Array
    fault: Sequence[str]


def stream(days: int, seed: int = 11) -> Labelled:
    """Five sensors that follow one demand with two daily peaks, less on weekends, and faults in the second half."""
    rng = np.random.default_rng(seed)
    count = days * DAY_ROWS
    times_s: Array = np.arange(count, dtype=np.float64) * STEP_S
    hour, weekday = times_s / 3600 % 24, (times_s // 86400 + 3) % 7
    daily = 10 * np.sin(2 * np.pi * (hour - 7) / 24) + 6 * np.exp(-(((hour - 8) / 1.5) ** 2))
    demand = 100 + daily * np.where(weekday < 5, 1.0, 0.7)
    # Demand wanders slowly about its pattern, as people do; instruments have noise of their own.
    wander = np.zeros(count)
    for step in range(1, count):
        wander[step] = 0.95 * wander[step - 1] + rng.normal(0, 0.5)
    shares = np.array([1.0, 0.8, 0.6, 0.9, 0.7])
    rows = (demand + wander)[:, None] * shares + rng.normal(0, NOISE, (count, SENSORS))
    fault = [""] * count
    for day in range(days // 2, days):
        _break(rows, fault, day, rng)
    return Labelled(times_s, rows, fault)


def _break(rows: Array, fault: list[str], day: int, rng: np.random.Generator) -> None:
    """A fault of four hours at some time of the day, on one sensor; each kind in turn."""
    kind = FAULTS[day % len(FAULTS)]
    begin = day * DAY_ROWS + int(rng.integers(0, DAY_ROWS - 48))
    sensor = int(rng.integers(SENSORS))
    part = slice(begin, begin + 48)
    if kind == "shift":
        rows[part, sensor] += 3 * NOISE
    elif kind == "drift":
        rows[part, sensor] -= np.linspace(0, 6 * NOISE, 48)
    elif kind == "relation":
        # It follows the demand of another hour: a value that is usual, beside neighbours to which it does not fit.
        rows[part, sensor] = rows[begin - 144 : begin - 96, sensor]
    elif kind == "outlier":
        rows[part, sensor] += np.where(np.arange(48) % 8 == 0, 12 * NOISE, 0)
    else:
        rows[part] *= 1.08
    affected = np.arange(48) % 8 == 0 if kind == "outlier" else np.ones(48, dtype=bool)
    for row in np.flatnonzero(affected):
        fault[begin + int(row)] = kind


def ours() -> dict[str, Callable[[], Sequence[Detector] | RowDetector]]:
    """The detectors: one for each sensor, or one for the row."""

    def each(build: Callable[[], Detector]) -> Callable[[], Sequence[Detector]]:
        return lambda: [build() for _ in range(SENSORS)]

    return {
        "value": each(Value),
        "rate": each(lambda: Rate(1800.0, 0.0)),
        "gap": each(lambda: Gap(STEP_S)),
        "out-of-range": each(lambda: OutOfRange(0.0, 200.0)),
        "spikes": each(lambda: Spikes(1.0)),
        "stuck": each(Stuck),
        "night-flow": each(lambda: NightFlow(7200.0, 14400.0)),
        "seasonal": each(lambda: Seasonal(0.2, relative_floor=0.0)),
        "weekly-seasonal": each(lambda: WeeklySeasonal(0.2, relative_floor=0.0)),
        "ewma": each(lambda: Ewma(0.2)),
        "cusum": each(lambda: Cusum(0.2)),
        "change-point": each(lambda: ChangePoint(0.2)),
        "neighbour-residual": lambda: NeighbourResidual(COLUMNS, (1,) * SENSORS, FLOORS, (40.0,) * SENSORS),
        "multivariate-residual": lambda: MultivariateResidual(COLUMNS, FLOORS),
        "principal-components": lambda: PrincipalComponents(COLUMNS, FLOORS),
        "isolation-forest": lambda: IsolationForest(COLUMNS, FLOORS),
        "one-class": lambda: OneClass(COLUMNS, FLOORS),
    }


def _of_row(built: Sequence[Detector] | RowDetector) -> tuple[Scorer, Learner]:
    if isinstance(built, RowDetector):
        return lambda time_s, row: abs(built.score(time_s, row).value), built.learn

    def score(time_s: float, row: Sequence[float]) -> float:
        scores = [detector.score(time_s, value).value for detector, value in zip(built, row, strict=True)]
        return max((abs(each) for each in scores if not isnan(each)), default=nan)

    def learn(time_s: float, row: Sequence[float]) -> None:
        for detector, value in zip(built, row, strict=True):
            detector.learn(time_s, value)

    return score, learn


def follow(labelled: Labelled, score: Scorer, learn: Learner, *, learn_on: bool = False) -> tuple[Array, float]:
    """The scores of all rows, and the seconds that the first half took, in which each row is also learnt.

    ``learn_on`` learns the second half too, as methods ask for that know the latest rows only.
    """
    rows = [tuple(row) for row in labelled.rows.tolist()]
    times_s = labelled.times_s.tolist()
    half = len(rows) // 2
    scores = np.empty(len(rows))
    started = time.process_time()
    for position in range(half):
        scores[position] = score(times_s[position], rows[position])
        learn(times_s[position], rows[position])
    seconds = time.process_time() - started
    for position in range(half, len(rows)):
        scores[position] = score(times_s[position], rows[position])
        if learn_on:
            learn(times_s[position], rows[position])
    return scores, seconds


def quality(labelled: Labelled, scores: Array) -> list[float]:
    """The area under the ROC curve for each kind of fault, in the second half; what is unknown ranks lowest."""
    half = len(scores) // 2
    fault = np.array(labelled.fault)[half:]
    ranked = np.nan_to_num(scores[half:], nan=-np.inf)
    ranked = np.maximum(ranked, np.finfo(np.float64).min)
    areas = []
    for kind in FAULTS:
        chosen = (fault == kind) | (fault == "")
        areas.append(float(roc_auc_score(fault[chosen] == kind, ranked[chosen])))
    return areas


def peers(labelled: Labelled) -> Iterator[tuple[str, Array, float]]:
    """Scores and seconds of other libraries, used as their documentation shows."""
    half = len(labelled.rows) // 2
    started = time.process_time()
    forest = Forest(random_state=0).fit(labelled.rows[:half])
    scores = -forest.score_samples(labelled.rows)
    yield "scikit-learn IsolationForest, all at once", scores, (time.process_time() - started) / 2
    started = time.process_time()
    for row in labelled.rows[:100]:
        forest.score_samples(row[None])
    yield "scikit-learn IsolationForest, row by row", scores, (time.process_time() - started) * half / 100
    if find_spec("river") is None:
        sys.stdout.write("river is not installed: HalfSpaceTrees left out\n")
        return
    from river.anomaly import HalfSpaceTrees
    from river.preprocessing import MinMaxScaler

    model: Any = MinMaxScaler() | HalfSpaceTrees(seed=0)
    scores, seconds = follow(
        labelled,
        lambda _, row: float(model.score_one(dict(enumerate(row)))),
        lambda _, row: model.learn_one(dict(enumerate(row))),
        learn_on=True,
    )
    yield "river HalfSpaceTrees", scores, seconds


def main(days: int) -> None:
    """Measure and print."""
    labelled = stream(days)
    values = len(labelled.rows) // 2 * SENSORS
    columns = "".join(f"{kind:>10}" for kind in FAULTS)
    sys.stdout.write(f"{'':42}{'values/s':>11}{'bytes':>8}{columns}\n")

    def tell(name: str, seconds: float, size: str, areas: Sequence[float]) -> None:
        figures = "".join(f"{area:10.3f}" for area in areas)
        sys.stdout.write(f"{name:42}{values / seconds:11,.0f}{size:>8}{figures}\n")
        sys.stdout.flush()

    for name, build in ours().items():
        built = build()
        scores, seconds = follow(labelled, *_of_row(built))
        parts = [built] if isinstance(built, RowDetector) else built
        size = sum(len(json.dumps(part.state())) for part in parts) / SENSORS
        tell(name, seconds, f"{size:,.0f}", quality(labelled, scores))
    for name, scores, seconds in peers(labelled):
        tell(name, seconds, "", quality(labelled, scores))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=40)
    main(parser.parse_args().days)
