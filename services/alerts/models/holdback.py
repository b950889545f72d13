"""How good a taught detector is, without anybody having said where the faults are."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.alerts.models.subject import Subject
from services.core.detector_model import HoldBack
from services.core.text import Text
from services.core.threshold import Side

_BLOCK = 12
"""Rows for which a made-up fault stays with one sensor, so that lasting faults can add up."""
_DISPLACED = 0.5
"""Size of a made-up fault in robust standard deviations of the sensor's values: usual by itself, not where it is."""
_MAD_TO_SIGMA = 1.4826
_LEAST = 1e-9
_FEWEST_KNOWN = 0.5
_MOST_FALSE_ALARMS = 0.02
"""Share of quiet rows that a first model may raise; a rule that raises more would be silenced."""
_TIE = 0.002
"""Differences of either measure up to this one are those of another draw of noise."""

Rows = Sequence[tuple[float, Any]]
_Array = NDArray[np.float64]


def measure(subject: Subject, parameters: Mapping[str, Any], taught: Rows, held_back: Rows) -> HoldBack:
    """Try parameters on rows they were not taught, as these are and with made-up faults.

    A fault displaces one sensor at a time by half a robust standard deviation of its ``taught`` values, once up and
    once down; of the two, the one that the rule sees better counts. The held-back rows are scored and not learnt.
    """
    quiet = _scores(subject, parameters, held_back)
    known = np.isfinite(quiet)
    if not known.any():
        return HoldBack(len(held_back), 0.0, 0.0, 0.5)
    reached = [any(grade.reached(score) for grade in subject.grades) for score in quiet[known].tolist()]
    sizes = _sizes(taught)
    up, down = (
        _areas(subject, quiet, _scores(subject, parameters, _displaced(held_back, side * sizes)), len(sizes))
        for side in (1, -1)
    )
    return HoldBack(
        rows=len(held_back),
        known=float(known.mean()),
        false_alarms=float(np.mean(reached)),
        separation=float(np.mean(np.maximum(up, down))),
    )


def _areas(subject: Subject, quiet: _Array, faulty: _Array, sensors: int) -> _Array:
    """For each sensor, how well the rows in which it was displaced stand out from all rows as they are."""
    normal = _toward_trouble(subject, quiet[np.isfinite(quiet)])
    turns = _turns(len(faulty), sensors)
    found = [_toward_trouble(subject, faulty[(turns == turn) & np.isfinite(faulty)]) for turn in range(sensors)]
    return np.array([_area(normal, scores) if len(scores) else 0.5 for scores in found])


def _turns(rows: int, sensors: int) -> NDArray[np.int64]:
    """Which sensor is displaced in each row."""
    turns: NDArray[np.int64] = np.arange(rows) // _BLOCK % sensors
    return turns


def _toward_trouble(subject: Subject, scores: _Array) -> _Array:
    """Scores as the rule's grades see them: larger is worse."""
    sides = {grade.side for grade in subject.grades}
    if len(sides) > 1:
        return np.abs(scores)
    return scores if Side.ABOVE in sides else -scores


def _scores(subject: Subject, parameters: Mapping[str, Any], rows: Rows) -> _Array:
    detector = subject.detector()
    detector.adopt(parameters)
    return np.array([detector.score(time_s, value).value for time_s, value in rows], dtype=np.float64)


def _sizes(taught: Rows) -> _Array:
    usual = _table(taught)
    middle = np.nanmedian(usual, axis=0)
    sizes = _DISPLACED * _MAD_TO_SIGMA * np.nanmedian(np.abs(usual - middle), axis=0)
    # A sensor that hardly ever moves has no median deviation; any movement of it is a fault.
    return np.where(sizes > 0, sizes, np.maximum(np.nanstd(usual, axis=0), _LEAST))


def _displaced(held_back: Rows, sizes: _Array) -> Rows:
    table = _table(held_back)
    rows = np.arange(len(table))
    turns = _turns(len(table), len(sizes))
    table[rows, turns] += sizes[turns]
    alone = not isinstance(held_back[0][1], list)
    return [
        (time_s, values[0] if alone else values) for (time_s, _), values in zip(held_back, table.tolist(), strict=True)
    ]


def _table(rows: Rows) -> _Array:
    return np.array([row for _, row in rows], dtype=np.float64).reshape(len(rows), -1)


def _area(quiet: _Array, faulty: _Array) -> float:
    """The probability that a faulty row scores higher, ties counting a half (Mann & Whitney 1947)."""
    ordered = np.sort(quiet)
    below = np.searchsorted(ordered, faulty, side="left")
    not_above = np.searchsorted(ordered, faulty, side="right")
    return float((below + not_above).mean() / (2 * len(quiet)))


def objection(new: HoldBack, old: HoldBack | None) -> Text | None:
    """Why a model is not put into use by itself; ``None`` when nothing speaks against it.

    ``old`` is how the model in use does on the same rows. Without one a model only has to be of use at all.
    """
    if new.known < _FEWEST_KNOWN:
        return Text(
            f"It could say something about {new.known:.0%} of the held-back rows only.",
            f"仅能判断{new.known:.0%}的留出数据。",
        )
    if old is None:
        return _useless(new)
    if new.false_alarms > old.false_alarms + _TIE:
        return Text(
            f"False alarms on held-back rows would rise from {old.false_alarms:.1%} to {new.false_alarms:.1%}.",
            f"留出数据上的误报率将由{old.false_alarms:.1%}升至{new.false_alarms:.1%}。",
        )
    if new.separation < old.separation - _TIE:
        return Text(
            f"Made-up faults stand out less: {new.separation:.3f}, before {old.separation:.3f}.",
            f"对模拟故障的区分能力下降：由{old.separation:.3f}降至{new.separation:.3f}。",
        )
    return None


def _useless(new: HoldBack) -> Text | None:
    if new.false_alarms > _MOST_FALSE_ALARMS:
        return Text(
            f"It would raise {new.false_alarms:.1%} of the held-back rows, on which nothing was reported.",
            f"将对{new.false_alarms:.1%}未报警的留出数据误报。",
        )
    if new.separation <= 0.5:  # noqa: PLR2004  # a coin
        return Text(
            f"Made-up faults do not stand out ({new.separation:.3f}).",
            f"无法区分模拟故障（{new.separation:.3f}）。",
        )
    return None
