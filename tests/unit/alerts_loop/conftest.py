"""The generated city, once for all tests of this folder."""

from pathlib import Path

import pytest

from services.alerts.tracing.city_graph import CityGraph
from services.core.city_folder import CityFolder, read_city_folder
from simulators.demo_city.folder import write_city


@pytest.fixture(scope="session")
def city_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generated-city")
    write_city(folder, 1)
    return folder


@pytest.fixture(scope="session")
def city(city_path: Path) -> CityFolder:
    return read_city_folder(city_path)


@pytest.fixture(scope="session")
def graph(city: CityFolder) -> CityGraph:
    return CityGraph(city.assets, city.links)
