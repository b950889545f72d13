"""Readings and alerts as CSV and Parquet, opened by readers that are not ours."""

import csv
import io
from datetime import timedelta
from uuid import uuid4

import httpx
import psycopg
import pytest
from pyarrow import parquet

from services.core.limits import Limits
from services.core.permission import Permission
from services.core.store import alerts, api_keys
from services.core.text import Text
from tests.integration.api.harness import MOMENT, alert_at, client, connected, problem_of

READINGS = 12_000
RANGE = {"start": MOMENT.isoformat(), "end": (MOMENT + timedelta(days=10)).isoformat()}


@pytest.fixture(scope="module")
def sensor_read(city_url: str) -> str:
    """A gas sensor with more readings than one batch holds, all below zero."""
    with psycopg.connect(city_url) as connection:
        row = connection.execute(
            "select id, key from sensor where lifeline = 'gas' order by id desc limit 1"
        ).fetchone()
        assert row is not None
        connection.execute(
            """insert into reading (sensor_key, time, value, quality, reason, received_at)
            select %s, %s::timestamptz + n * interval '1 minute', -n / 2.0, 0, 0, now()
            from generate_series(1, %s) n""",
            (row[1], MOMENT, READINGS),
        )
    return str(row[0])


async def test_readings_as_csv_are_numbers_in_order(api: httpx.AsyncClient, sensor_read: str) -> None:
    response = await api.get("/exports/readings", params=RANGE | {"sensor": sensor_read})
    assert response.headers["content-disposition"] == 'attachment; filename="readings.csv"'
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert [float(row["value"]) for row in rows] == [-number / 2 for number in range(1, READINGS + 1)]
    assert rows[0]["time"] == "2026-07-14T06:01:00Z"
    assert rows[0]["sensor"] == sensor_read


async def test_byte_order_mark_stands_there_when_asked_for(api: httpx.AsyncClient, sensor_read: str) -> None:
    asked = RANGE | {"sensor": sensor_read, "end": (MOMENT + timedelta(minutes=3)).isoformat()}
    plain = (await api.get("/exports/readings", params=asked)).content
    marked = (await api.get("/exports/readings", params=asked | {"bom": "true"})).content
    assert marked == b"\xef\xbb\xbf" + plain


async def test_parquet_holds_the_same_with_types(api: httpx.AsyncClient, sensor_read: str) -> None:
    response = await api.get("/exports/readings", params=RANGE | {"lifeline": "gas", "format": "parquet"})
    file = parquet.ParquetFile(io.BytesIO(response.content))
    assert file.num_row_groups >= 3
    table = file.read()
    assert table.column("value").to_pylist() == [-number / 2 for number in range(1, READINGS + 1)]
    assert table.column("time")[0].as_py() == MOMENT + timedelta(minutes=1)
    assert set(table.column("sensor").to_pylist()) == {sensor_read}


@pytest.mark.parametrize("word", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
async def test_text_that_a_spreadsheet_would_run_is_defused(
    api: httpx.AsyncClient, asset: str, city_url: str, word: str
) -> None:
    kind = f"kind-{uuid4().hex[:8]}"
    alert = alert_at(asset, kind=kind, peak_value=-4.5, explanation=Text(word, '说明,"引号"\n二'))
    async with connected(city_url) as connection:
        await alerts.add(connection, alert, "system")
    response = await api.get("/exports/alerts", params=RANGE | {"lifeline": "water"})
    (row,) = (row for row in csv.DictReader(io.StringIO(response.text, newline="")) if row["kind"] == kind)
    assert row["explanation_en"] == f"'{word}"
    assert row["explanation_zh"] == '说明,"引号"\n二'
    assert row["peak_value"] == "-4.5"


async def test_caller_exports_nothing_outside_its_limits(address: str, city_url: str, sensor_read: str) -> None:
    async with connected(city_url) as connection:
        limits = Limits.of(None, ["water"], None)
        await api_keys.save_key(connection, "water-alone", "lk_water_alone", "w", [Permission.READ], limits=limits)
    async with client(address, None) as caller:
        caller.headers["Authorization"] = "Bearer lk_water_alone"
        exported = await caller.get("/exports/readings", params=RANGE | {"sensor": sensor_read})
        assert len(exported.text.splitlines()) == 1
        things = await caller.get(f"{address}/sta/v1.1/Observations", params={"$filter": "result lt 0"})
        assert things.json()["value"] == []
        for elsewhere in ("sta/v1.1/Things?$filter=properties/lifeline eq 'gas'", "ogc/collections/gas.pipe/items"):
            found = (await caller.get(f"{address}/{elsewhere}")).json()
            assert not found.get("value")
            assert not found.get("features")


async def test_end_before_start_is_refused(api: httpx.AsyncClient) -> None:
    problem_of(
        await api.get("/exports/alerts", params={"start": RANGE["end"], "end": RANGE["start"]}), 422, "not-valid"
    )
