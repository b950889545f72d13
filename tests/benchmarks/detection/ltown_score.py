"""The euro rule of the leak detection contest on L-Town (BattLeDIM 2020), over alerts.jsonl and truth.csv.

A detection is the likeliest pipe of a leak alert and the moment at which it was raised. It is right if a leak runs then
whose pipe is within 300 m along the pipes; it earns what the water costs that is lost from then to the leak's end, less
a part for the way to search. A wrong one costs, a second one of the same leak earns nothing.
"""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import pi, sqrt
from pathlib import Path
from statistics import median

import numpy as np

from services.alerts.hydraulics.epanet_model import EpanetModel
from services.alerts.hydraulics.pipe_distance import PipeDistances

EURO_PER_M3 = 0.80
WRONG_EURO = 500.0
NEAR_M = 300.0
_DAY_H = 24.0
_TENTH = 0.1
"""An abrupt leak should be found within a day, a slow one before it has lost a tenth of what it would."""
_DISCHARGE = 0.75
"""Discharge coefficient of a hole (Crowl & Louvar 2002), as in the simulator that made the contest's readings."""
_GRAVITY_M_S2 = 9.81
_GROWTH = 0.5
"""Part of its life for which a growing leak grows, where the table does not say when it reached its peak."""


@dataclass(frozen=True, slots=True)
class Leak:
    """A leak of the truth: the hole's diameter grows evenly from ``start_s`` to ``peak_s`` and stays."""

    id: str
    pipe: str
    start_s: float
    peak_s: float
    end_s: float
    peak_m3h: float
    abrupt: bool

    def lost_m3(self, from_s: float, until_s: float | None = None) -> float:
        """What it loses from one moment to another, its end unless told."""
        begin, end = max(from_s, self.start_s), min(self.end_s if until_s is None else until_s, self.end_s)
        if end <= begin:
            return 0.0
        ramp_s = self.peak_s - self.start_s
        lost = self.peak_m3h * max(end - max(begin, self.peak_s), 0.0)
        if ramp_s > 0 and begin < self.peak_s:
            first, last = (begin - self.start_s) / ramp_s, (min(end, self.peak_s) - self.start_s) / ramp_s
            lost += self.peak_m3h * ramp_s * (last**3 - first**3) / 3
        return lost / 3600


@dataclass(frozen=True, slots=True)
class Detection:
    """A leak alert: its likeliest pipe (``None`` where it names none) and when it was raised."""

    pipe: str | None
    detected_s: float


@dataclass(frozen=True, slots=True)
class Hit:
    """A leak that was found, by the detection that earns most: how late (h), how far (m) and after what loss."""

    leak: str
    abrupt: bool
    delay_h: float
    distance_m: float
    lost_before: float
    euro: float


@dataclass(frozen=True, slots=True)
class Result:
    """Money earned and attainable (all leaks at once, at their pipes), hits, and detections that were wrong."""

    euro: float
    attainable_euro: float
    leaks: int
    hits: tuple[Hit, ...]
    false: int
    repeats: int

    def summary(self) -> dict[str, float | int | None]:
        """The figures of one line of a table."""
        abrupt = [hit for hit in self.hits if hit.abrupt]
        slow = [hit for hit in self.hits if not hit.abrupt]
        return {
            "euro": round(self.euro),
            "attainable_euro": round(self.attainable_euro),
            "part": round(float(self.euro / self.attainable_euro), 3) if self.attainable_euro else None,
            "leaks": self.leaks,
            "found": len(self.hits),
            "false": self.false,
            "repeats": self.repeats,
            "median_distance_m": median([hit.distance_m for hit in self.hits]) if self.hits else None,
            "median_delay_h": median([hit.delay_h for hit in self.hits]) if self.hits else None,
            "abrupt_found": len(abrupt),
            "abrupt_within_a_day": sum(hit.delay_h <= _DAY_H for hit in abrupt),
            "abrupt_median_delay_h": median([hit.delay_h for hit in abrupt]) if abrupt else None,
            "slow_found": len(slow),
            "slow_before_a_tenth": sum(bool(hit.lost_before <= _TENTH) for hit in slow),
            "slow_median_lost": round(float(median([hit.lost_before for hit in slow])), 3) if slow else None,
        }


def score(
    model: EpanetModel, leaks: Sequence[Leak], detections: Iterable[Detection], scored: tuple[float, float]
) -> Result:
    """Apply the euro rule to the detections of the scored time, in the order in which they came."""
    distances = PipeDistances(model)
    begin_s, end_s = scored
    told = sorted((each for each in detections if begin_s <= each.detected_s <= end_s), key=lambda one: one.detected_s)
    hits: dict[str, Hit] = {}
    false = repeats = 0
    for detection in told:
        near = _near(model, distances, leaks, detection)
        if not near:
            false += 1
        fresh = [(leak, distance_m) for leak, distance_m in near if leak.id not in hits]
        repeats += bool(near) and not fresh
        if fresh:
            leak, distance_m = min(fresh, key=lambda each: each[1])
            whole = leak.lost_m3(leak.start_s)
            hits[leak.id] = Hit(
                leak.id,
                leak.abrupt,
                (detection.detected_s - leak.start_s) / 3600,
                distance_m,
                1 - leak.lost_m3(detection.detected_s) / whole if whole else 0.0,
                EURO_PER_M3 * leak.lost_m3(detection.detected_s) - WRONG_EURO * distance_m / NEAR_M,
            )
    running = [leak for leak in leaks if leak.end_s > begin_s and leak.start_s < end_s]
    attainable = sum(EURO_PER_M3 * leak.lost_m3(max(leak.start_s, begin_s)) for leak in running)
    euro = sum(hit.euro for hit in hits.values()) - WRONG_EURO * false
    return Result(euro, attainable, len(running), tuple(hits.values()), false, repeats)


def _near(
    model: EpanetModel, distances: PipeDistances, leaks: Sequence[Leak], detection: Detection
) -> list[tuple[Leak, float]]:
    if detection.pipe not in model.link_index:
        return []
    away_m = distances.of(model.link_index[detection.pipe])
    running = [leak for leak in leaks if leak.start_s <= detection.detected_s <= leak.end_s]
    measured = [(leak, float(away_m[model.link_index[leak.pipe]])) for leak in running]
    return [(leak, distance_m) for leak, distance_m in measured if distance_m <= NEAR_M]


def leaks_of(truth: Path, model: EpanetModel, peaks: Mapping[str, str] | None = None) -> list[Leak]:
    """The leaks of a truth.csv, whose peak is the hole's diameter in metres and whose note says abrupt or incipient.

    ``peaks`` says by id when a growing leak reached its peak, where that is known. The pressure is that of the model's
    mean demand.
    """
    state = model.solve(np.mean([model.demand_at(hour * 3600) for hour in range(0, 168, 12)], axis=0))
    leaks = []
    with truth.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["kind"] != "leak":
                continue
            start_s, end_s = _seconds(row["start"]), _seconds(row["end"])
            abrupt = row["note"].strip() == "abrupt"
            peak_s = start_s if abrupt else start_s + _GROWTH * (end_s - start_s)
            if peaks and row["id"] in peaks:
                peak_s = _seconds(peaks[row["id"]])
            head_m = float(state.pressure_m[model.ends[model.link_index[row["asset"]]]].mean())
            area_m2 = pi / 4 * float(row["peak"]) ** 2
            peak_m3h = _DISCHARGE * area_m2 * sqrt(2 * _GRAVITY_M_S2 * max(head_m, 0.0)) * 3600
            leaks.append(Leak(row["id"], row["asset"], start_s, peak_s, end_s, peak_m3h, abrupt))
    return leaks


def detections_of(alerts: Path, kind: str = "leak-suspected") -> list[Detection]:
    """The leak alerts of an alerts.jsonl."""
    detections = []
    for line in alerts.read_text("utf-8").splitlines():
        alert = json.loads(line)
        if alert["kind"] == kind:
            pipe = alert["trace"][0]["asset"] if alert["trace"] else None
            detections.append(Detection(pipe, _seconds(alert["detected_at"])))
    return detections


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
