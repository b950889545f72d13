"""Streams with a known law, so that a test can say what a detector has to find in them."""

from collections.abc import Iterable, Iterator
from itertools import count

import numpy as np

from services.alerts.detectors.contract import Detector, RowDetector, Score

STEP_S = 900.0
DAY = 96
"""Values a day."""


def noise(values: int, seed: int = 1, *, begin: int = 0) -> Iterator[tuple[float, float]]:
    """Independent normal values about 100 with standard deviation 2, the first at row ``begin``."""
    drawn = np.random.default_rng(seed).normal(100, 2, values)
    return zip((STEP_S * step for step in count(begin)), drawn.tolist(), strict=False)


def taught(detector: Detector, days: int = 10) -> Detector:
    """A detector that has learnt some normal days."""
    for time_s, value in noise(days * DAY):
        detector.learn(time_s, value)
    return detector


def scores(detector: Detector, values: Iterable[tuple[float, float]]) -> list[Score]:
    """What it says to values that it does not learn."""
    return [detector.score(time_s, value) for time_s, value in values]


def related(rows: int, seed: int = 2, *, sensors: int = 4) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Sensors that follow one common movement of standard deviation 5, each with noise of its own of 0.5."""
    rng = np.random.default_rng(seed)
    return 100 + rng.normal(0, 5, (rows, 1)) * np.linspace(1, 0.5, sensors) + rng.normal(0, 0.5, (rows, sensors))


def row_scores(detector: RowDetector, rows: Iterable[Iterable[float]], *, begin: int = 0) -> list[Score]:
    """What it says to rows that it does not learn."""
    return [detector.score((begin + step) * STEP_S, list(row)) for step, row in enumerate(rows)]


def taught_rows(detector: RowDetector, rows: int = 600) -> RowDetector:
    """A row detector that has learnt normal rows; a score first, as the engine asks for it."""
    for step, row in enumerate(related(rows).tolist()):
        detector.score(step * STEP_S, row)
        detector.learn(step * STEP_S, row)
    return detector
