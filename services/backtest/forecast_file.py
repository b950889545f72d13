"""``forecast.csv``: what was expected of sensors, in order, written while the backtest runs."""

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from services.backtest.score_file import rfc3339
from services.core.forecast import Forecast

_HEADER = "issued_at,target_time,sensor,value,low,high\n"
_DIGITS = 6


class ForecastFile:
    """Takes forecasts as they are made and writes them in the order of (issue, sensor, target).

    The file is made with the first of them: where nothing forecasts there is none.
    """

    def __init__(self, path: Path) -> None:
        """Write to ``path``, which is not there yet."""
        self._path = path
        self._file: IO[str] | None = None
        self._waiting: list[Forecast] = []
        self.rows = 0

    def take(self, forecasts: Iterable[Forecast]) -> None:
        """Some forecasts, in any order."""
        self._waiting += forecasts

    def settle(self, before_s: float) -> None:
        """Write those of issues before ``before_s`` (seconds since 1970): no earlier one will come."""
        settled = [each for each in self._waiting if each.issued_at.timestamp() < before_s]
        self._waiting = [each for each in self._waiting if each.issued_at.timestamp() >= before_s]
        if settled and self._file is None:
            self._file = self._path.open("w", encoding="utf-8", newline="")
            self._file.write(_HEADER)
        if self._file is None:
            return
        for each in sorted(settled, key=lambda each: (each.issued_at, each.sensor, each.target_time)):
            numbers = ",".join(format(number, f".{_DIGITS}g") for number in (each.value, each.low, each.high))
            self._file.write(f"{rfc3339(each.issued_at)},{rfc3339(each.target_time)},{each.sensor},{numbers}\n")
        self.rows += len(settled)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
