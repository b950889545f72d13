"""The tiny city in a database of its own, the alert process and a receiver."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from tests.integration.alerts.alert_harness import (
    AlertProcess,
    ReceiverProcess,
    alert_process,
    prepare,
    receiver_process,
)


@pytest.fixture
def city_url(database_url: str, tmp_path: Path) -> str:
    """The address of a database in which the tiny city is registered."""
    prepare(database_url, tmp_path / "city")
    return database_url


@pytest.fixture
def twin_url(city_url: str, database_server_url: str) -> Iterator[str]:
    """A copy of the tiny city's database as it is before the test, for a second run."""
    source = urlsplit(city_url)
    name = f"test_{uuid.uuid4().hex}"
    names = sql.Identifier(name), sql.Identifier(source.path.removeprefix("/"))
    with psycopg.connect(database_server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {} template {}").format(*names))
        try:
            yield source._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(sql.SQL("drop database {} with (force)").format(names[0]))


@pytest.fixture
def alerts(city_url: str, tmp_path: Path) -> Iterator[AlertProcess]:
    """The alert process, not started yet."""
    with alert_process(city_url, tmp_path) as process:
        yield process


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[ReceiverProcess]:
    """A webhook receiver, not started yet."""
    with receiver_process(tmp_path) as process:
        yield process
