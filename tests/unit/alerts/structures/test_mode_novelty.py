"""Frequencies are compared with every healthy hour of other days."""

import numpy as np

from services.alerts.structures.mode_novelty import ModeNovelty
from services.core.finding import FindingState

_MODES = (("F1", "deck"), ("F2", "deck"), ("F3", "deck"))
_HERTZ = np.array([0.36, 0.55, 0.93])
_DAYS = 6


def _hours(days: int, seed: int = 4) -> list[list[float]]:
    rng = np.random.default_rng(seed)
    weather = np.repeat(rng.normal(0, 0.02, days), 24)[:, None]
    return [[float(v) for v in row] for row in _HERTZ * (1 + weather + rng.normal(0, 0.02, (24 * days, 3)))]


def _walk(novelty: ModeNovelty, rows: list[list[float]], first_hour: int) -> list[tuple[int, FindingState]]:
    told = []
    for hour, row in enumerate(rows, start=first_hour):
        novelty.score(hour * 3600.0, row)
        told += [(hour, claim.state) for claim in novelty.claims()]
    return told


def test_an_hour_unlike_all_others_is_told_at_once_and_ends_when_it_is_over() -> None:
    novelty = ModeNovelty(_MODES, "shifted", learn_until_s=_DAYS * 86400.0)
    healthy = _hours(_DAYS + 1)
    assert _walk(novelty, healthy[: 24 * _DAYS], 1) == []
    slowed = [[0.8 * value for value in row] for row in healthy[24 * _DAYS : 24 * _DAYS + 6]]
    begun = 24 * _DAYS + 1
    assert _walk(novelty, slowed, begun)[0] == (begun, FindingState.RAISED)
    assert _walk(novelty, healthy[24 * _DAYS + 6 :], begun + 6)[-1] == (begun + 6, FindingState.CLEARED)


def test_a_missing_frequency_says_nothing() -> None:
    novelty = ModeNovelty(_MODES, "shifted", learn_until_s=_DAYS * 86400.0)
    _walk(novelty, _hours(_DAYS), 1)
    assert np.isnan(novelty.score(_DAYS * 86400.0 + 3600, [0.36, float("nan"), 0.93]).value)
    assert not novelty.claims()
