"""How good a taught forecast is: what it expected of troubles it was not taught, beside what came."""

from collections.abc import Mapping, Sequence
from math import isfinite, nan
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.alerts.detectors.contract import ForecastDetector, ForecastPoint
from services.alerts.models.subject import Subject
from services.core.detector_model import HoldBack
from services.core.finding import FindingState
from services.core.text import Text
from services.core.threshold import Side

_LEVELS = (0.1, 0.5, 0.9)
"""A forecast says what is passed with 90, 50 and 10 % (``ForecastPoint``)."""
_STIRS = 0.1
"""Share of its lowest limit from which a sensor is taken to stir; rows of calm hours are neither worth a trial nor its
time."""
_AROUND_S = 3 * 3600.0
STORM_GAP_S = 6 * 3600.0
"""After so long without a row another storm begins."""
_COMES_S = 3600.0
"""A trouble that is expected has to come within so long, the furthest that is forecast."""
_TIE = 0.01
"""Differences of the loss up to a hundredth are those of another draw of storms."""
_FEWEST = 20
"""With fewer forecasts beside what came, a loss says nothing."""

Rows = Sequence[tuple[float, Any]]
_Array = NDArray[np.float64]


class _Walk(NamedTuple):
    """What was said over rows: forecasts, the score of each row, and the sensors of which something was claimed."""

    points: list[ForecastPoint]
    scores: _Array
    raised: list[tuple[float, str]]


def stirring(subject: Subject, rows: Rows) -> list[tuple[float, Any]]:
    """The rows of the hours about those in which a sensor nears its lowest limit."""
    lows = np.array([_lowest(subject, column) for column in range(len(subject.sensors))])
    times_s = np.array([time_s for time_s, _ in rows], dtype=np.float64)
    table = np.array([row for _, row in rows], dtype=np.float64).reshape(len(rows), -1)
    stirred_s = times_s[(np.nan_to_num(table) >= _STIRS * lows).any(axis=1)]
    if not len(stirred_s):
        return []
    after = np.searchsorted(stirred_s, times_s)
    until_next_s = np.append(stirred_s, np.inf)[after] - times_s
    since_last_s = times_s - np.concatenate(([-np.inf], stirred_s))[np.searchsorted(stirred_s, times_s, "right")]
    near = np.minimum(until_next_s, since_last_s) <= _AROUND_S
    return [rows[index] for index in np.flatnonzero(near).tolist()]


def _lowest(subject: Subject, column: int) -> float:
    """The lowest limit of a sensor, in its unit; NaN where it has none."""
    sensor = subject.sensors[column]
    return min((each.raise_at for each in sensor.thresholds if each.side is Side.ABOVE), default=nan)


def measure(subject: Subject, parameters: Mapping[str, Any], rows: Rows, since_s: float) -> HoldBack:
    """Let a forecast walk through ``rows`` and compare what it says from ``since_s`` on with what came.

    The loss is that of the 10, 50 and 90 % in the sensor's unit (pinball loss, Koenker & Bassett 1978), beside that of
    the same detector without a model.
    """
    taught = _losses(subject, parameters, rows, since_s)
    default = _losses(subject, None, rows, since_s)
    return HoldBack(
        rows=taught.compared,
        known=taught.known,
        false_alarms=taught.false_alarms,
        separation=taught.separation,
        loss=taught.loss,
        default_loss=default.loss,
    )


class _Losses(NamedTuple):
    compared: int
    known: float
    false_alarms: float
    separation: float
    loss: float | None


def _losses(subject: Subject, parameters: Mapping[str, Any] | None, rows: Rows, since_s: float) -> _Losses:
    walk = _walked(subject, parameters, rows, since_s)
    columns = {sensor.id: column for column, sensor in enumerate(subject.sensors)}
    times_s = np.array([time_s for time_s, _ in rows], dtype=np.float64)
    table = np.array([row for _, row in rows], dtype=np.float64).reshape(len(rows), -1)
    came = {name: _heard(times_s, table[:, column]) for name, column in columns.items()}
    pairs = [(point, _came(came[point.column], point.target_s)) for point in walk.points]
    known = [(point, value) for point, value in pairs if isfinite(value)]
    reached = {
        name: times_s[np.nan_to_num(table[:, column]) >= _lowest(subject, column)] for name, column in columns.items()
    }
    return _Losses(
        compared=len(known),
        known=len(known) / len(pairs) if pairs else 0.0,
        false_alarms=_false_share(walk.raised, reached),
        separation=_separation(walk.scores, times_s[times_s >= since_s], reached),
        loss=float(np.mean([_pinball(point, value) for point, value in known])) if len(known) >= _FEWEST else None,
    )


def _walked(subject: Subject, parameters: Mapping[str, Any] | None, rows: Rows, since_s: float) -> _Walk:
    detector = subject.detector()
    if not isinstance(detector, ForecastDetector):
        raise TypeError(f"{detector.name} does not forecast")
    if parameters is not None:
        detector.adopt(parameters)
    points: list[ForecastPoint] = []
    scores: list[float] = []
    raised: list[tuple[float, str]] = []
    for time_s, row in rows:
        if time_s < since_s:
            detector.learn(time_s, row)
            continue
        scores.append(detector.score(time_s, row).value)
        raised += [(time_s, claim.columns[0]) for claim in detector.claims() if claim.state is FindingState.RAISED]
        points += detector.forecasts()
    return _Walk(points, np.array(scores, dtype=np.float64), raised)


def _heard(times_s: _Array, values: _Array) -> tuple[_Array, _Array]:
    known = np.isfinite(values)
    return times_s[known], values[known]


def _came(heard: tuple[_Array, _Array], target_s: float) -> float:
    """The value at a moment, straight between the readings about it; NaN where it was not heard about then."""
    times_s, values = heard
    after = int(np.searchsorted(times_s, target_s))
    if after == 0 or after == len(times_s) or times_s[after] - times_s[after - 1] > _COMES_S / 2:
        return nan
    return float(np.interp(target_s, times_s[after - 1 : after + 1], values[after - 1 : after + 1]))


def _pinball(point: ForecastPoint, value: float) -> float:
    said = (point.low, point.value, point.high)
    return sum(max(q * (value - each), (q - 1) * (value - each)) for q, each in zip(_LEVELS, said, strict=True)) / 3


def _false_share(raised: Sequence[tuple[float, str]], reached: Mapping[str, _Array]) -> float:
    """The share of warnings after which the sensor did not come to its lowest limit."""
    return float(np.mean([not _within(reached[column], time_s) for time_s, column in raised])) if raised else 0.0


def _within(reached_s: _Array, time_s: float) -> bool:
    begin = int(np.searchsorted(reached_s, time_s))
    return begin < len(reached_s) and float(reached_s[begin]) <= time_s + _COMES_S


def _separation(scores: _Array, times_s: _Array, reached: Mapping[str, _Array]) -> float:
    """The probability that a row before a trouble scores higher than one before none (Mann & Whitney 1947)."""
    before = np.array([any(_within(each, time_s) for each in reached.values()) for time_s in times_s.tolist()])
    known = np.isfinite(scores)
    ahead, calm = scores[known & before], np.sort(scores[known & ~before])
    if not len(ahead) or not len(calm):
        return 0.5
    ranks = np.searchsorted(calm, ahead, "left") + np.searchsorted(calm, ahead, "right")
    return float(ranks.mean() / (2 * len(calm)))


def objection(new: HoldBack, old: HoldBack | None) -> Text | None:
    """Why a model is not put into use by itself; ``None`` when it errs less than the default and no more than before.

    ``old`` is how the model in use does on the same rows.
    """
    if new.loss is None or new.default_loss is None:
        return Text("Too few forecasts could be compared with what came.", "可与实际对比的预测太少。")
    if new.loss > new.default_loss:
        return Text(
            f"It errs more than the default: {new.loss:.3g}, the default {new.default_loss:.3g}.",
            f"误差大于默认模型：{new.loss:.3g}，默认模型为{new.default_loss:.3g}。",
        )
    if old is not None and old.loss is not None and new.loss > old.loss * (1 + _TIE):
        return Text(
            f"It errs more than the one in use: {new.loss:.3g}, before {old.loss:.3g}.",
            f"误差大于在用模型：{new.loss:.3g}，此前为{old.loss:.3g}。",
        )
    return None
