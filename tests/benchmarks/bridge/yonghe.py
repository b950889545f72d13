"""The healthy hours of a real cable-stayed bridge: how often they ring, and which change of all frequencies would."""

import csv
import gzip
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import numpy as np

from services.alerts.structures.mode_novelty import ModeNovelty
from simulators.noise import Vector
from tests.benchmarks.bridge.plain_charts import distances

NAME = "yonghe-healthy"
_MODES = (("F1", "deck"), ("F2", "deck"), ("F3", "deck"), ("F4", "deck"))
_DAY_H = 24
_LOWERED = (0.02, 0.05, 0.08, 0.10, 0.15, 0.20)


def yonghe_lines(folder: Path) -> Iterable[str]:
    """False hours when each day in turn was not learnt from, and the share of its hours told when frequencies fall."""
    path = folder / NAME / "readings"
    if not path.is_dir():
        yield f"{NAME}: not in {folder} (LIFELINE_BENCH_DATA), left out"
        return
    rows = _rows(path)
    days = len(rows) // _DAY_H
    false = sum(_told(rows, day, 0.0) for day in range(days))
    yield f"{NAME}: {len(rows)} healthy hours of {days} days, each day judged by what the others taught"
    yield f"  false hours, fifth nearest hour of other days: {false} of {len(rows)} ({false / len(rows):.1%})"
    plain = sum(_plain(rows, day) for day in range(days))
    yield f"  false hours, Mahalanobis distance beyond 95 %: {plain} of {len(rows)} ({plain / len(rows):.1%})"
    for share in _LOWERED:
        told = sum(_told(rows, day, share) for day in range(days))
        yield f"  told when every frequency falls by {share:.0%}: {told} of {len(rows)} hours ({told / len(rows):.0%})"


def _rows(folder: Path) -> Vector:
    found: list[tuple[datetime, list[float]]] = []
    for file in sorted(folder.glob("*.csv.gz")):
        with gzip.open(file, "rt", encoding="utf-8", newline="") as text:
            found += [
                (datetime.fromisoformat(row["time"]), [float(row[name]) for name, _ in _MODES])
                for row in csv.DictReader(text)
            ]
    return np.array([values for _, values in sorted(found, key=lambda each: each[0])])


def _split(rows: Vector, day: int) -> tuple[Vector, Vector]:
    mine = slice(day * _DAY_H, (day + 1) * _DAY_H)
    return np.delete(rows, mine, axis=0), rows[mine]


def _told(rows: Vector, day: int, lowered: float) -> int:
    """How many hours of a day ring, with all frequencies lowered by a share, after all other days were learnt."""
    others, mine = _split(rows, day)
    novelty = ModeNovelty(_MODES, "shifted", learn_until_s=len(others) * 3600.0)
    for hour, row in enumerate(others.tolist(), start=1):
        novelty.score(hour * 3600.0, row)
    scores = (
        novelty.score((len(others) + hour) * 3600.0, row).value
        for hour, row in enumerate((mine * (1 - lowered)).tolist(), start=1)
    )
    return sum(score >= 1 for score in scores)


def _plain(rows: Vector, day: int) -> int:
    others, mine = _split(rows, day)
    precision: Vector = np.asarray(np.linalg.pinv(np.cov(others.T)), dtype=np.float64)
    limit = np.quantile(distances(others, others.mean(axis=0), precision), 0.95)
    return int((distances(mine, others.mean(axis=0), precision) > limit).sum())
