"""`lifeline import` of a recording: what it needs is registered, its readings are stored, and only once."""

from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner, Result

from services.cli import app
from services.demo.preparation import migrate_with_catalogue
from tests.unit.backtest import recorded

DAYS = 0.5


@pytest.fixture
def catalogued(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    migrate_with_catalogue(database_url)
    monkeypatch.setenv("LIFELINE_DATABASE_URL", database_url)
    return database_url


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return recorded.write_recording(tmp_path / "recording", DAYS)


def load(folder: Path) -> Result:
    return CliRunner().invoke(app, ["import", str(folder)])


def counted(url: str, *tables: str) -> list[int]:
    with psycopg.connect(url) as connection:
        rows = [connection.execute(f"select count(*) from {table}").fetchone() for table in tables]
    return [row[0] for row in rows if row is not None]


def test_a_recording_brings_its_register_along(catalogued: str, folder: Path) -> None:
    result = load(folder)
    assert result.exit_code == 0, result.output
    readings = len(recorded.rows(DAYS)) * len(recorded.SENSORS)
    assert f"{readings} readings stored, 0 were there already" in result.output
    # Six nodes and six pipes; each pipe lies between two links.
    assert counted(catalogued, "zone", "asset", "link", "sensor", "reading") == [1, 12, 12, 6, readings]
    with psycopg.connect(catalogued) as connection:
        zone = connection.execute("select id, lifeline from zone").fetchone()
        placed = connection.execute("select asset, zone, unit, device_unit from sensor where id = 'P.n3'").fetchone()
        latest = connection.execute("select count(*) from latest").fetchone()
        model = connection.execute("select name, lifeline, format, zones from hydraulic_network").fetchone()
    assert zone == ("small-town", "water")
    assert placed == ("n3", "small-town", "kPa", "m")
    assert latest == (len(recorded.SENSORS),)
    assert model == ("small-town", "water", "epanet", ["small-town"])


def test_values_are_stored_in_the_unit_of_the_register(catalogued: str, folder: Path) -> None:
    assert load(folder).exit_code == 0
    with psycopg.connect(catalogued) as connection:
        stored = connection.execute(
            "select r.value from reading r join sensor s on s.key = r.sensor_key where s.id = 'P.n3' order by r.time"
        ).fetchall()
    expected = [row["P.n3"] * 9.80665 for _, row in recorded.rows(DAYS)]
    assert [value for (value,) in stored] == pytest.approx(expected)


def test_importing_again_changes_nothing(catalogued: str, folder: Path) -> None:
    load(folder)
    tables = ("zone", "asset", "link", "sensor", "reading", "feed")
    before = counted(catalogued, *tables)
    again = load(folder)
    assert again.exit_code == 0, again.output
    assert f"0 readings stored, {before[4]} were there already" in again.output
    assert "registered" not in again.output
    assert counted(catalogued, *tables) == before


def test_what_is_registered_stays_as_it_is(catalogued: str, folder: Path) -> None:
    load(folder)
    with psycopg.connect(catalogued) as connection:
        connection.execute("update asset set name_en = 'Market square' where id = 'n3'")
        connection.execute("delete from reading where sensor_key = (select key from sensor where id = 'P.n5')")
        connection.execute("delete from latest where sensor_key = (select key from sensor where id = 'P.n5')")
        connection.execute("delete from sensor where id = 'P.n5'")
    result = load(folder)
    assert "0 zones, 0 assets, 1 sensors registered" in result.output
    with psycopg.connect(catalogued) as connection:
        assert connection.execute("select name_en from asset where id = 'n3'").fetchone() == ("Market square",)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (
            "sensors.csv",
            ("P.n2,water,pressure", "P.n2,water,smell"),
            "sensors.csv, sensor P.n2: water knows no quantity",
        ),
        (
            "sensors.csv",
            ("P.n2,water,pressure,m,", "P.n2,water,pressure,K,"),
            "sensors.csv, sensor P.n2: pressure is in",
        ),
        ("network.inp", ("p34 n3 n4", "p34 n3 n9"), "network.inp, [PIPES], line 13: node 'n9' is not declared"),
        ("readings/z.csv", ("", "time,P.n1\nnoon,1\n"), "z.csv, line 2: Invalid isoformat string: 'noon'"),
    ],
)
def test_a_broken_recording_leaves_nothing_behind(
    catalogued: str, folder: Path, name: str, change: tuple[str, str], message: str
) -> None:
    path = folder / name
    text = path.read_text("utf-8") if path.exists() else ""
    path.write_text(text.replace(*change) if text else change[1], "utf-8")
    result = load(folder)
    assert result.exit_code == 1
    assert message in result.output
    assert counted(catalogued, "zone", "asset", "sensor", "reading") == [0, 0, 0, 0]
