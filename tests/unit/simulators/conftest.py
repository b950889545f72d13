"""One demo city for all tests of the simulators; it is written once and never changed."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from simulators.city import City
from simulators.city_folder import read_city, write_city


@pytest.fixture(scope="session")
def city_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("city")
    write_city(folder, seed=1)
    return folder


@pytest.fixture(scope="session")
def city(city_folder: Path) -> City:
    return read_city(city_folder)


@pytest.fixture
def origin() -> datetime:
    """A Tuesday, two in the afternoon in the demo city."""
    return datetime(2026, 7, 14, 6, 0, tzinfo=UTC)
