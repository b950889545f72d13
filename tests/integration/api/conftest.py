"""A demo city in a database, the API before it, and callers."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from services.alerts import lifelines
from services.core.city_folder import CityFolder, read_city_folder
from services.core.lifeline import Lifeline
from services.core.sensor import Sensor
from services.core.store import alert_kinds, catalogue, sensors
from services.core.store.register import save_city
from simulators.demo_city.folder import write_city
from tests.integration.api.harness import client, connected, copied_database, save_keys, serving


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> CityFolder:
    folder: Path = tmp_path_factory.mktemp("city")
    write_city(folder, seed=1)
    return read_city_folder(folder)


@pytest.fixture(scope="session")
def city_template(database_server_url: str, template_database: str, city: CityFolder) -> Iterator[str]:
    """The name of a database with the catalogue, the demo city and the callers' keys, to be copied."""
    with copied_database(database_server_url, template_database) as url:
        with psycopg.connect(url) as connection:
            catalogue.save_quantities(connection, lifelines.catalogue())
            alert_kinds.save_alert_kinds(connection, lifelines.alert_kinds())
            save_city(connection, city)
        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            runner.run(save_keys(url))
        yield urlsplit(url).path.removeprefix("/")


@pytest.fixture(scope="module")
def city_url(database_server_url: str, city_template: str) -> Iterator[str]:
    """A database with the demo city that the tests of one file share."""
    with copied_database(database_server_url, city_template) as url:
        yield url


@pytest.fixture(scope="module")
def address(city_url: str) -> Iterator[str]:
    """The API before that database."""
    with serving(city_url) as served:
        yield served


@pytest.fixture
async def api(address: str) -> AsyncIterator[httpx.AsyncClient]:
    """A caller who may do everything."""
    async with client(address) as caller:
        yield caller


@pytest.fixture(scope="module")
def unused_sensors(city_url: str) -> list[str]:
    """The names of the sensors that no test of the file has taken yet."""
    with psycopg.connect(city_url) as connection:
        return [row[0] for row in connection.execute("select id from sensor order by id")]


@pytest.fixture
async def sensor(city_url: str, unused_sensors: list[str]) -> Sensor:
    """A sensor without readings."""
    async with connected(city_url) as connection:
        found = await sensors.find_sensor(connection, unused_sensors.pop())
    assert found is not None
    return found[0]


@pytest.fixture(scope="session")
def _unused_assets(city: CityFolder) -> Iterator[str]:
    return iter([asset.id for asset in city.assets if asset.lifeline is Lifeline.WATER])


@pytest.fixture
def asset(_unused_assets: Iterator[str]) -> str:
    """A water asset at which no other test has an alert."""
    return next(_unused_assets)


@pytest.fixture
def city_assets(_unused_assets: Iterator[str]) -> list[str]:
    """Several such assets."""
    return [next(_unused_assets) for _ in range(5)]
