"""Sensors of a recording have the limits of their quantity, in the unit in which they report."""

from pathlib import Path

import pytest

from services.alerts.lifelines import discover
from services.backtest.recorded_sensors import ANYTHING, recorded_sensors
from services.core.lifeline import Lifeline
from services.core.recorded_city import recorded_city
from services.core.recording import read_recording
from services.core.sensor import Sensor
from tests.unit.backtest import recorded

HEADER = "sensor,lifeline,quantity,unit,asset,lon,lat,interval_s\n"


def sensor(folder: Path, line: str) -> Sensor:
    recorded.write_recording(folder, days=0.1)
    path = folder / "sensors.csv"
    path.write_text(path.read_text("utf-8") + line + "\n", "utf-8")
    recording = read_recording(folder)
    assets = {asset.id: asset for asset in recorded_city(recording).assets}
    return recorded_sensors(recording, discover(), assets)[-1]


@pytest.mark.parametrize(("unit", "in_kpa"), [("kPa", 1.0), ("bar", 100.0), ("MPa", 1000.0), ("m", 9.80665)])
def test_limits_are_brought_into_the_unit_of_the_sensor(tmp_path: Path, unit: str, in_kpa: float) -> None:
    quantity = discover()[Lifeline.WATER].quantity("pressure")
    assert quantity is not None
    found = sensor(tmp_path / "recording", f"X,water,pressure,{unit},n1,,,60")
    assert found.unit == unit
    assert found.plausible == pytest.approx([limit / in_kpa for limit in quantity.plausible])
    assert [each.raise_at * in_kpa for each in found.thresholds] == pytest.approx(
        [each.raise_at for each in quantity.thresholds]
    )
    assert [each.clear_at * in_kpa for each in found.thresholds] == pytest.approx(
        [each.clear_at for each in quantity.thresholds]
    )


@pytest.mark.parametrize(
    "line", ["X,water,smell,1,n1,,,60", "X,water,pressure,K,n1,,,60", "X,heat,pressure,kPa,n1,,,60"]
)
def test_what_nobody_declares_has_no_limits(tmp_path: Path, line: str) -> None:
    found = sensor(tmp_path / "recording", line)
    assert found.plausible == ANYTHING
    assert found.thresholds == ()


def test_a_sensor_without_a_place_stands_at_its_asset(tmp_path: Path) -> None:
    at_node = sensor(tmp_path / "one", "X,water,pressure,m,n3,,,60")
    placed = sensor(tmp_path / "other", "X,water,pressure,m,n3,117.2,31.8,60")
    assert (placed.longitude, placed.latitude) == (117.2, 31.8)
    assert (at_node.longitude, at_node.latitude) != (0.0, 0.0)
