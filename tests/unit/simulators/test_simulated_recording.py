"""Recordings follow the published format and hold what happened."""

import csv
import gzip
import time
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from simulators.city_folder import read_city
from simulators.physics.epanet_network import EpanetNetwork
from simulators.recording import write_recording
from simulators.scenario import load_scenario
from simulators.truth import COLUMNS, truths, write_truth

_SENSOR_COLUMNS = ["sensor", "lifeline", "quantity", "unit", "asset", "lon", "lat", "interval_s"]


def _rows(path: Path) -> list[dict[str, str]]:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return list(csv.DictReader(content.decode("utf-8").splitlines()))


def test_a_recording_holds_settings_sensors_readings_and_truth(
    tmp_path: Path, city_folder: Path, origin: datetime
) -> None:
    history = origin - timedelta(hours=1)
    count = write_recording(
        tmp_path, city_folder, "gas-leak", history, timedelta(hours=2), lifelines=("gas",), scenario_start=origin
    )
    settings = tomllib.loads((tmp_path / "recording.toml").read_text("utf-8"))
    assert settings["lifeline"] == "gas"
    assert settings["network"] == "network.geojson"
    assert settings["scored"] == ["2026-07-14T06:00:00Z", "2026-07-14T07:00:00Z"]
    sensors = {row["sensor"]: row for row in _rows(tmp_path / "sensors.csv")}
    assert list(next(iter(sensors.values()))) == _SENSOR_COLUMNS
    readings = [row for path in (tmp_path / "readings").glob("*.csv.gz") for row in _rows(path)]
    assert len(readings) == count == 110 * 120
    assert {row["sensor"] for row in readings} == set(sensors)
    times = {datetime.fromisoformat(row["time"]) for row in readings}
    assert (min(times), max(times)) == (history, origin + timedelta(minutes=59))
    truth = _rows(tmp_path / "truth.csv")
    assert list(truth[0]) == ["id", "kind", "asset", "start", "end", "peak", "unit", "note"]
    assert [row["asset"] for row in truth] == ["GP-041"]


def test_the_same_recording_has_the_same_bytes(tmp_path: Path, city_folder: Path, origin: datetime) -> None:
    for name in ("a", "b"):
        write_recording(
            tmp_path / name, city_folder, "gas-leak", origin, timedelta(minutes=20), step=timedelta(minutes=5)
        )
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*") if p.is_file())
    assert len(files) == 5
    assert all((tmp_path / "a" / f).read_bytes() == (tmp_path / "b" / f).read_bytes() for f in files)


def test_a_water_recording_carries_a_network_that_epanet_opens(
    tmp_path: Path, city_folder: Path, origin: datetime
) -> None:
    write_recording(tmp_path, city_folder, "normal-day", origin, timedelta(minutes=5), lifelines=("water",))
    network = EpanetNetwork((tmp_path / "network.inp").read_text("utf-8"))
    network.solve()
    assert network.pressure_m(network.node("WJ-001")) > 20


def test_readings_of_a_silent_gateway_stand_where_they_arrived(
    tmp_path: Path, city_folder: Path, origin: datetime
) -> None:
    write_recording(tmp_path, city_folder, "gateway-outage", origin, timedelta(minutes=40), lifelines=("drainage",))
    rows = _rows(next((tmp_path / "readings").glob("*.csv.gz")))
    times = [datetime.fromisoformat(row["time"]) for row in rows]
    late = [k for k in range(1, len(times)) if times[k - 1] - times[k] > timedelta(minutes=15)]
    assert len(late) == 1


def test_times_without_a_zone_are_refused(tmp_path: Path, city_folder: Path) -> None:
    with pytest.raises(ValueError, match="zone"):
        write_recording(tmp_path, city_folder, "story", datetime(2026, 1, 1), timedelta(hours=1))  # noqa: DTZ001 - the point of the test


@pytest.mark.slow
def test_three_days_of_history_take_less_than_fifteen_seconds(tmp_path: Path, city_folder: Path) -> None:
    began = time.process_time()
    start = datetime(2026, 7, 11, tzinfo=UTC)
    count = write_recording(tmp_path, city_folder, "normal-day", start, timedelta(days=3), step=timedelta(seconds=300))
    assert count == 360 * 864
    assert time.process_time() - began < 15


def test_the_ground_truth_names_every_cause_and_every_flooded_low_point(
    tmp_path: Path, city_folder: Path, origin: datetime
) -> None:
    city = read_city(city_folder)
    story = load_scenario("story")
    write_truth(tmp_path / "truth.csv", truths(city, story, origin, 1))
    rows = {row["id"]: row for row in _rows(tmp_path / "truth.csv")}
    assert tuple(next(iter(rows.values()))) == COLUMNS
    assert {i.id for i in story.injections} <= set(rows)
    assert rows["water-main-leak-1"]["start"] == "2026-07-14T06:15:00Z"
    assert {i for i in rows if rows[i]["kind"] == "waterlogging"} == {"cloudburst-1-LP-06", "cloudburst-1-LP-09"}
    assert float(rows["cloudburst-1-LP-06"]["peak"]) >= 45
