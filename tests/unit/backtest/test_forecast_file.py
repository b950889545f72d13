"""``forecast.csv`` as it is published."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from services.backtest.forecast_file import ForecastFile
from services.core.forecast import Forecast

_NOON = datetime(2026, 7, 14, 12, tzinfo=UTC)


def _forecast(sensor: str, issued_min: int, ahead_min: int, value: float) -> Forecast:
    issued = _NOON + timedelta(minutes=issued_min)
    return Forecast(sensor, issued, issued + timedelta(minutes=ahead_min), value, value - 1, value + 1, "depth", "1")


def test_rows_stand_in_order_whatever_order_they_come_in(tmp_path: Path) -> None:
    path = tmp_path / "forecast.csv"
    with ForecastFile(path) as file:
        file.take([_forecast("b", 0, 30, 8.0), _forecast("a", 0, 15, 7.51), _forecast("a", 5, 15, 9.0)])
        file.settle((_NOON + timedelta(minutes=5)).timestamp())
        assert file.rows == 2, "an issue was written to which more may come"
        file.settle(float("inf"))
    assert path.read_text("utf-8").splitlines() == [
        "issued_at,target_time,sensor,value,low,high",
        "2026-07-14T12:00:00Z,2026-07-14T12:15:00Z,a,7.51,6.51,8.51",
        "2026-07-14T12:00:00Z,2026-07-14T12:30:00Z,b,8,7,9",
        "2026-07-14T12:05:00Z,2026-07-14T12:20:00Z,a,9,8,10",
    ]


def test_where_nothing_is_expected_there_is_no_file(tmp_path: Path) -> None:
    with ForecastFile(tmp_path / "forecast.csv") as file:
        file.settle(float("inf"))
    assert not (tmp_path / "forecast.csv").exists()
