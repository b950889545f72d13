"""Addresses in other protocols: written in one grammar, and in the city folder given to one sensor each."""

from pathlib import Path

import pytest

from services.core.checked_rows import CityFolderError, Faults, distinct, read_rows
from services.core.city_folder import SensorRow
from services.core.sensor_address import check_address, datastream_sensor, sparkplug_address

HEADER = "sensor,lifeline,quantity,unit,asset,lon,lat,interval_s,gateway,device_unit,address\n"
ROW = "{},gas,gas_pressure,kPa,A1,117.2,31.8,60,,{},{}\n"


@pytest.mark.parametrize(
    "address",
    [
        "sparkplug:city/station/pressure",
        "sparkplug:city/station/pump 4/Motor/Current A",
        "sparkplug:水务/泵站/液位",
        "sensorthings:Datastreams(42)",
        "sensorthings:Datastreams('pump no 4')",
        "sensorthings:Datastreams('it''s')",
    ],
)
def test_an_address_of_either_protocol_is_taken(address: str) -> None:
    assert check_address(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "S1",
        "sparkplug:city/station",
        "sparkplug:city//pressure",
        "sparkplug:ci+ty/station/pressure",
        "sparkplug:city/station/two\nlines",
        "sparkplug:city/station/" + "x" * 512,
        "sensorthings:Datastreams()",
        "sensorthings:Datastreams(W-1)",
        "sensorthings:Things(1)",
        "modbus:1/40001",
    ],
)
def test_anything_else_is_refused_as_an_address(address: str) -> None:
    with pytest.raises(ValueError, match="an address"):
        check_address(address)


def test_an_address_that_no_message_can_have_is_refused() -> None:
    assert datastream_sensor("'W-1'") == "W-1"
    with pytest.raises(ValueError, match="needs no address"):
        check_address("sensorthings:Datastreams('W-1')")


def test_what_is_made_of_a_metric_is_an_address() -> None:
    for device in (None, "pump"):
        assert check_address(sparkplug_address("city", "station", device, "level"))


def rows_of(folder: Path, *rows: tuple[str, str, str]) -> list[tuple[str, SensorRow]]:
    (folder / "sensors.csv").write_text(HEADER + "".join(ROW.format(*row) for row in rows), "utf-8")
    faults = Faults()
    rows_read = list(read_rows(folder / "sensors.csv", SensorRow, faults))
    faults.end()
    return rows_read


def test_the_columns_of_the_folder_may_be_empty(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, ("S1", "bar", "sensorthings:Datastreams(1)"), ("S2", "", ""))
    assert [(row.device_unit, row.address) for _, row in rows] == [("bar", "sensorthings:Datastreams(1)"), (None, None)]
    assert distinct([(place, row) for place, row in rows if row.address], "address", Faults())


def test_a_malformed_address_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(CityFolderError, match=r"sensors\.csv, line 3, address: an address reads sparkplug:"):
        rows_of(tmp_path, ("S1", "", ""), ("S2", "", "sparkplug:station"))
