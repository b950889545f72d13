"""A city's register, written from its folder."""

from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from services.alerts import lifelines
from services.cli import app
from services.core.checked_rows import CityFolderError
from services.core.city_folder import CityFolder
from services.core.store import catalogue
from services.core.store.register import RegisterCount, save_city
from services.core.store.register_preview import preview_city
from services.core.text import Text
from simulators.demo_city.folder import write_city

TABLES = ("organisation", "person", "zone", "asset", "link", "sensor")


def count(url: str) -> dict[str, int]:
    with psycopg.connect(url) as connection:
        rows = {table: connection.execute(f"select count(*) from {table}".encode()).fetchone() for table in TABLES}
    return {table: row[0] for table, row in rows.items() if row is not None}


def test_a_city_saved_twice_is_there_once(database_url: str, city: CityFolder) -> None:
    with psycopg.connect(database_url) as connection:
        catalogue.save_quantities(connection, lifelines.catalogue())
        first = save_city(connection, city)
    there = count(database_url)
    with psycopg.connect(database_url) as connection:
        second = save_city(connection, city)
    assert first == second
    assert count(database_url) == there
    assert first == RegisterCount(there["organisation"], there["zone"], there["asset"], there["link"], there["sensor"])


def test_saving_again_brings_what_changed_up_to_date_and_keeps_the_keys(city_url: str, city: CityFolder) -> None:
    asset, sensor = city.assets[0], city.sensors[0]
    changed = replace(
        city,
        assets=[replace(asset, name=Text("New name", "新名")), *city.assets[1:]],
        sensors=[sensor.model_copy(update={"interval_s": 7.0}), *city.sensors[1:]],
    )
    with psycopg.connect(city_url) as connection:
        keys = connection.execute("select id, key from sensor order by id").fetchall()
        save_city(connection, changed)
        assert connection.execute("select id, key from sensor order by id").fetchall() == keys
        assert connection.execute("select name_zh from asset where id = %s", (asset.id,)).fetchone() == ("新名",)
        interval = connection.execute("select interval_s from sensor where id = %s", (sensor.sensor,)).fetchone()
        assert interval == (7.0,)


def test_a_preview_says_what_an_import_would_change_and_changes_nothing(city_url: str, city: CityFolder) -> None:
    asset, sensor = city.assets[1], city.sensors[1]
    properties = {**asset.properties, "depth_m": 9.5}
    changed = replace(
        city,
        assets=[city.assets[0], replace(asset, properties=properties), *city.assets[2:]],
        sensors=[sensor.model_copy(update={"interval_s": 7.0}), sensor.model_copy(update={"sensor": "NEW-1"})],
        thresholds={},
    )
    with psycopg.connect(city_url) as connection:
        save_city(connection, city)
        same = preview_city(connection, city)
        before = connection.execute("select to_jsonb(sensor) from sensor order by id").fetchall()
        preview = preview_city(connection, changed)
        assert connection.execute("select to_jsonb(sensor) from sensor order by id").fetchall() == before
    assert same.changes == []
    assert same.unchanged("sensor") == len(city.sensors)
    told = {(each.part, each.name): [*each.fields()] for each in preview.changes if each.before is not None}
    old_depth = asset.properties.get("depth_m")
    assert told[("asset", asset.id)] == [("properties.depth_m", old_depth, 9.5)]
    assert ("interval_s", sensor.interval_s, 7.0) in told[("sensor", sensor.sensor)]
    assert (preview.added("sensor"), preview.changed("sensor"), preview.added("asset")) == (1, 1, 0)
    assert preview.unchanged("sensor") == len(city.sensors) - 1


def test_the_preview_of_what_would_be_refused_is_refused(city_url: str, city: CityFolder) -> None:
    wrong = replace(city, sensors=[city.sensors[0].model_copy(update={"unit": "furlong"})])
    with psycopg.connect(city_url) as connection, pytest.raises(CityFolderError, match="not in 'furlong'"):
        preview_city(connection, wrong)


def test_the_command_tells_a_preview_line_by_line(city_url: str, tmp_path: Path) -> None:
    write_city(tmp_path, seed=1)
    people = tmp_path / "people.csv"
    people.write_text(people.read_text("utf-8").replace("555-0106", "555-9999"), "utf-8")
    command = [*("import", str(tmp_path)), "--preview"]
    told = CliRunner().invoke(app, command, env={"LIFELINE_DATABASE_URL": city_url})
    assert told.exit_code == 0, told.output
    assert "phone 555-0106 → 555-9999" in told.output
    assert told.output.endswith("nothing has been changed\n")
    with psycopg.connect(city_url) as connection:
        assert connection.execute("select count(*) from person where phone = '555-9999'").fetchone() == (0,)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [("quantity", "mood", "knows no quantity 'mood'"), ("unit", "furlong", "not in 'furlong'")],
)
def test_a_sensor_that_does_not_fit_the_catalogue_is_refused_and_nothing_saved(
    database_url: str, city: CityFolder, field: str, value: str, reason: str
) -> None:
    wrong = city.sensors[-1].model_copy(update={field: value})
    with psycopg.connect(database_url) as connection:
        catalogue.save_quantities(connection, lifelines.catalogue())
        with pytest.raises(CityFolderError, match=reason) as refused:
            save_city(connection, replace(city, sensors=[*city.sensors[:-1], wrong]))
    assert str(refused.value).startswith(f"sensors.csv, sensor {wrong.sensor}: ")
    assert set(count(database_url).values()) == {0}


def with_addresses(city: CityFolder, *addresses: str | None) -> CityFolder:
    given = [
        sensor.model_copy(update={"address": address, "device_unit": "bar"})
        for sensor, address in zip(city.sensors, addresses, strict=False)
    ]
    return replace(city, sensors=[*given, *city.sensors[len(given) :]])


def test_sensors_may_exchange_their_addresses(city_url: str, city: CityFolder) -> None:
    one, two = "sensorthings:Datastreams(1)", "sparkplug:city/station/level"
    with psycopg.connect(city_url) as connection:
        save_city(connection, with_addresses(city, one, two))
        save_city(connection, with_addresses(city, two, one))
        found = connection.execute("select id, address, device_unit from sensor where address is not null").fetchall()
    first, second = city.sensors[0].sensor, city.sensors[1].sensor
    assert sorted(found) == sorted([(first, two, "bar"), (second, one, "bar")])


def test_the_address_of_a_sensor_that_is_not_in_the_folder_is_not_taken_away(city_url: str, city: CityFolder) -> None:
    address = "sensorthings:Datastreams(7)"
    without_first = replace(
        with_addresses(city, None, address), sensors=with_addresses(city, None, address).sensors[1:]
    )
    with psycopg.connect(city_url) as connection:
        save_city(connection, with_addresses(city, address))
        with pytest.raises(CityFolderError, match=f"{city.sensors[0].sensor}, which is not in the folder"):
            save_city(connection, without_first)
