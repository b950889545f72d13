"""The embedded database keeps its data, its port and its secrets, whatever happens to its process."""

import signal
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from services.demo.postgres import EmbeddedPostgres
from services.demo.postgres_home import REACHABLE, database_home
from services.demo.system_user import SystemUser
from tests.fixtures.processes import reachable_directory, running


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    with reachable_directory("database") as path:
        yield path


def count_rows(server: EmbeddedPostgres) -> int:
    with psycopg.connect(server.url()) as connection:
        row = connection.execute("SELECT count(*) FROM kept").fetchone()
    assert row is not None
    return int(row[0])


def test_data_survives_an_orderly_stop_and_the_second_start_is_quick(directory: Path) -> None:
    first = EmbeddedPostgres(directory, wanted_port=0)
    first.prepare()
    server = running(first.command(), directory / "log", first.wait_ready, first.stop_signal, first.user)
    with server, psycopg.connect(first.url()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    began = time.monotonic()
    second = EmbeddedPostgres(directory, wanted_port=0)
    second.prepare()
    with running(second.command(), directory / "log", second.wait_ready, second.stop_signal, second.user):
        assert time.monotonic() - began < 2
        assert count_rows(second) == 1
    assert second.port == first.port


def test_data_survives_a_killed_server_and_its_stale_pid_file(directory: Path) -> None:
    server = EmbeddedPostgres(directory, wanted_port=0)
    server.prepare()
    with running(server.command(), directory / "log", server.wait_ready, server.stop_signal, server.user) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    pid_file = directory / "postgres" / "pgdata" / "postmaster.pid"
    assert pid_file.exists()
    # In a container the pid may belong to a stranger after a restart; pid 1 always runs.
    pid_file.write_text("1\n" + pid_file.read_text().split("\n", 1)[1])
    again = EmbeddedPostgres(directory, wanted_port=0)
    again.prepare()
    with running(again.command(), directory / "log", again.wait_ready, again.stop_signal, again.user):
        assert count_rows(again) == 1


def test_a_server_that_outlived_its_supervisor_is_stopped_first(directory: Path) -> None:
    server = EmbeddedPostgres(directory, wanted_port=0)
    server.prepare()
    with running(server.command(), directory / "log", server.wait_ready, server.stop_signal, server.user) as leftover:
        EmbeddedPostgres(directory, wanted_port=0).prepare()
        assert leftover.wait(10) == 0


def test_a_taken_port_is_left_to_its_owner(directory: Path) -> None:
    server = EmbeddedPostgres(directory, wanted_port=0)
    server.prepare()
    before = server.port
    with socket.create_server(("127.0.0.1", before)):
        server.prepare()
        assert server.port > before
    server.prepare()
    assert server.port > before, "the new port is remembered"


def test_only_the_password_opens_it_and_only_on_loopback(directory: Path) -> None:
    server = EmbeddedPostgres(directory, wanted_port=0)
    server.prepare()
    secrets = directory / "secrets"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    assert stat.S_IMODE((secrets / "postgres").stat().st_mode) == 0o600
    with running(server.command(), directory / "log", server.wait_ready, server.stop_signal, server.user):
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(host="127.0.0.1", port=server.port, user="lifeline", password="guess", dbname="lifeline")
        with psycopg.connect(server.url()) as connection:
            addresses = connection.execute("SHOW listen_addresses").fetchone()
            methods = connection.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules").fetchall()
    assert addresses == ("127.0.0.1",)
    assert methods == [("scram-sha-256",)]


@pytest.mark.skipif(SystemUser.for_database() is None, reason="only root needs another place for the files")
def test_root_finds_a_place_the_database_account_can_reach(tmp_path: Path) -> None:
    user = SystemUser.for_database()
    assert user is not None
    assert not user.reaches(tmp_path)
    home = database_home(tmp_path, user)
    try:
        assert home.parent == REACHABLE
        assert database_home(tmp_path, user) == home, "the second start finds the first one's place"
    finally:
        home.rmdir()
