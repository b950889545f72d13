"""What a backtest left in its folder, read again for the report."""

import csv
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.alerts.lifelines import alert_kinds
from services.backtest.result_files import ALERTS, SCORES, SUMMARY
from services.core.text import Text

BINS = 900
"""Into how many pieces a curve is cut: more than a screen shows."""
_LEARNT_SHARE = 0.25
"""How much of the history is shown, as a share of what is scored."""


class ReportError(Exception):
    """There is nothing to report about; the message names the file and the reason."""


@dataclass(frozen=True, slots=True)
class RaisedAlert:
    """One line of ``alerts.jsonl``; ``suspects`` are assets with their shares, best first."""

    lifeline: str
    kind: str
    label: Text
    is_fault: bool
    severity: int
    detected_at: datetime
    cleared_at: datetime | None
    sensors: tuple[str, ...]
    suspects: tuple[tuple[str, float], ...]
    score: float
    explanation: Text


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """The highest score of a target in each of ``BINS`` equal parts of the time; NaN where there is none."""

    target: str
    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BacktestResult:
    """All of a backtest that the report shows; curves reach from ``shown_from`` to ``end``."""

    summary: dict[str, Any]
    begin: datetime
    end: datetime
    shown_from: datetime
    alerts: list[RaisedAlert]
    curves: list[Curve]


def read_result(folder: Path) -> BacktestResult:
    """Read what a backtest wrote.

    Raises:
        ReportError: the folder holds no result of a backtest.
    """
    try:
        summary = json.loads((folder / SUMMARY).read_text("utf-8"))
        lines = (folder / ALERTS).read_text("utf-8").splitlines()
        begin, end = _moment(summary["first"] or _NEVER), _moment(summary["last"] or _NEVER)
        alerts = list(_alerts(lines))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReportError(f"{folder}: is not what a backtest writes: {error}") from None
    shown_from = _shown_from(begin, end, summary.get("learn_until"))
    curves = list(_curves(folder / SCORES, shown_from, end)) if (folder / SCORES).exists() and end > begin else []
    return BacktestResult(summary, begin, end, shown_from, alerts, curves)


_NEVER = "1970-01-01T00:00:00Z"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _shown_from(begin: datetime, end: datetime, learn_until: str | None) -> datetime:
    """Of a long history only the last part is shown, so that what is scored has most of the drawing."""
    if learn_until is None or not begin < _moment(learn_until) < end:
        return begin
    learnt = _moment(learn_until)
    return max(begin, learnt - (end - learnt) * _LEARNT_SHARE)


def _alerts(lines: list[str]) -> Iterator[RaisedAlert]:
    kinds = {(str(kind.lifeline), kind.kind): kind for kind in alert_kinds()}
    for line in lines:
        alert = json.loads(line)
        kind = kinds.get((alert["lifeline"], alert["kind"]))
        yield RaisedAlert(
            lifeline=alert["lifeline"],
            kind=alert["kind"],
            label=kind.label if kind else Text(alert["kind"], alert["kind"]),
            is_fault=bool(kind and kind.sensor_fault),
            severity=alert["severity"],
            detected_at=_moment(alert["detected_at"]),
            cleared_at=None if alert["cleared_at"] is None else _moment(alert["cleared_at"]),
            sensors=tuple(alert["sensors"]),
            suspects=tuple((each["asset"], each["probability"]) for each in alert["trace"]),
            score=alert["score"],
            explanation=Text(**alert["explanation"]),
        )


def _curves(path: Path, begin: datetime, end: datetime) -> Iterator[Curve]:
    """The curves of all targets in one pass: the file may be larger than the memory."""
    width_s = (end - begin).total_seconds() / BINS
    highest: dict[str, list[float]] = {}
    last, bin_ = "", 0
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows, None)
        for time, target, score in rows:
            if not score:
                continue
            if time != last:
                last = time
                bin_ = min(math.floor((_moment(time) - begin).total_seconds() / width_s), BINS - 1)
            if bin_ < 0:
                continue
            if target not in highest:
                highest[target] = [float("nan")] * BINS
            value = float(score)
            if not highest[target][bin_] >= value:
                highest[target][bin_] = value
    for target, values in sorted(highest.items()):
        yield Curve(target, np.array(values))
