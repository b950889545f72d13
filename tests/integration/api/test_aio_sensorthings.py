"""SensorThings read by aio-sensorthings, unchanged; ``deploy/test-sensorthings.sh`` sets it up with its Python."""

import json
import shutil
import subprocess
from pathlib import Path

import httpx
import psycopg
import pytest

from services.core.sensor import Sensor
from tests.integration.api.harness import key_of
from tests.integration.api.measuring import GOOD, measure

ROOT = Path(__file__).parents[3] / ".tools" / "sensorthings" / "debian"
READER = Path(__file__).with_name("aio_sensorthings_reader.py")
READINGS = 200

pytestmark = pytest.mark.skipif(
    not (ROOT / "opt" / "client").is_dir(),
    reason="aio-sensorthings on Python 3.13 is not set up: run make test-sensorthings as root",
)


async def test_it_reads_every_set_and_the_observations_of_a_stream(
    address: str, city_url: str, api: httpx.AsyncClient, sensor: Sensor
) -> None:
    await measure(city_url, sensor, *((60 * number, float(number), GOOD) for number in range(READINGS)))
    shutil.copy(READER, ROOT / "srv")
    (ROOT / "srv" / "key").write_text(key_of("read"))
    command = ["chroot", str(ROOT), "env", "PYTHONPATH=/opt/client", "python3", f"/srv/{READER.name}"]
    run = subprocess.run(  # noqa: ASYNC221 - the service has a thread of its own
        [*command, f"{address}/sta", sensor.id, "/srv/key"], capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == 0, run.stderr[-2000:]
    read = json.loads(run.stdout)
    things = await api.get(f"{address}/sta/v1.1/Things", params={"$count": "true", "$top": 0})
    with psycopg.connect(city_url) as connection:
        (sensors,) = connection.execute("select count(*) from sensor").fetchone() or (0,)
    assert read["counts"]["Datastreams"] == sensors > 300
    assert read["counts"]["Things"] == things.json()["@iot.count"] > 70
    assert min(read["counts"].values()) > 0
    assert read["stream"]["thing"] == sensor.asset
    assert read["results"] == [float(number) for number in range(6, READINGS)]
