"""``scores.csv``: every score of every rule about a danger, in order, written while the backtest runs."""

from collections.abc import Iterable
from datetime import UTC, datetime
from math import isnan
from types import TracebackType
from typing import IO, Self

from services.alerts.lifelines.contract import LifelineRules

_HEADER = "time,asset_or_sensor,score\n"
_DIGITS = 6
"""Significant digits: what lies behind them depends on the machine's linear algebra."""


class ScoreFile:
    """Takes scores as they are made and writes them in the order of (time, target).

    Targets are ``<sensor>:<rule>`` and ``zone:<rule>``. Scores of fault rules are left out: they are about the habits
    of a sensor, and there is one for every reading.
    """

    def __init__(self, file: IO[str], rules: Iterable[LifelineRules]) -> None:
        """Write to an open file."""
        self._file = file
        self._faults = frozenset(rule.name for each in rules for rule in each.rules if rule.kind.sensor_fault)
        self._waiting: list[tuple[float, bool, str, float]] = []
        self._is_fault: dict[str, bool] = {}
        self.rows = 0
        file.write(_HEADER)

    def take(self, time_s: float, target: str, score: float) -> None:
        """A score; this is a ``ScoreLog``."""
        is_fault = self._is_fault.get(target)
        if is_fault is None:
            is_fault = self._is_fault[target] = target.rpartition(":")[2] in self._faults
        if not is_fault:
            self._waiting.append((time_s, target.startswith("zone:"), target, score))

    def settle(self, before_s: float) -> None:
        """Write the scores of moments before ``before_s`` (seconds since 1970): no earlier one will come."""
        rows = sorted(row for row in self._waiting if row[0] < before_s)
        self._waiting = [row for row in self._waiting if row[0] >= before_s]
        last_s, moment = -1.0, ""
        for time_s, _, target, score in rows:
            if time_s != last_s:
                last_s, moment = time_s, rfc3339(datetime.fromtimestamp(time_s, UTC))
            self._file.write(f"{moment},{target},{'' if isnan(score) else format(score, f'.{_DIGITS}g')}\n")
        self.rows += len(rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def rfc3339(moment: datetime) -> str:
    """A moment in UTC as the files of a backtest write it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
