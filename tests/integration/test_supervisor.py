"""The supervisor's promises, with real processes."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psycopg
import pytest

from services.demo.directory import DemoError, DirectoryLock
from services.demo.postgres import EmbeddedPostgres
from services.demo.supervisor import ChildProcess, Supervisor
from tests.fixtures.processes import reachable_directory

# A child that says when it started and when it was asked to stop.
TELLING = """
import signal, sys, time
name, path = sys.argv[1:]
def tell(what):
    with open(path, "a") as file:
        file.write(f"{what} {name}\\n")
def stop(*_):
    tell("stopped")
    raise SystemExit(0)
signal.signal(signal.SIGTERM, stop)
tell("started")
time.sleep(600)
"""
SUPERVISING = """
import asyncio, sys
from pathlib import Path
from services.demo.directory import DirectoryLock
from services.demo.supervisor import ChildProcess, Supervisor
async def main(directory, children):
    with DirectoryLock(directory):
        async with Supervisor(directory) as supervisor:
            for child in children:
                running = await supervisor.start(child)
                print(running.pid, flush=True)
            await supervisor.wait()
directory = Path(sys.argv[1])
deaf = directory / "deaf"
async def deaf_to_signals():
    while not deaf.exists():
        await asyncio.sleep(0.02)
sleepers = [ChildProcess(f"sleeper-{n}", ["sleep", "600"]) for n in range(3)]
command = ["sh", "-c", f"trap '' TERM; touch {deaf}; exec sleep 600"]
stubborn = ChildProcess("stubborn", command, deaf_to_signals, stop_limit_s=600)
asyncio.run(main(directory, [*sleepers, stubborn]))
"""


def alive(pid: int) -> bool:
    """Whether this process runs; one that has ended but was not collected yet does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


async def until(condition: Callable[[], bool], limit_s: float = 10.0) -> None:
    async with asyncio.timeout(limit_s):
        while not condition():  # noqa: ASYNC110 - files and processes send no events
            await asyncio.sleep(0.02)


def telling(name: str, path: Path) -> ChildProcess:
    async def ready() -> None:
        await until(lambda: path.exists() and f"started {name}" in path.read_text())

    return ChildProcess(name, [sys.executable, "-c", TELLING, name, str(path)], ready)


def supervise(directory: Path) -> tuple[subprocess.Popen[str], list[int]]:
    process = subprocess.Popen(
        [sys.executable, "-c", SUPERVISING, str(directory)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    return process, [int(process.stdout.readline()) for _ in range(4)]


async def test_children_start_in_order_and_stop_in_reverse(tmp_path: Path) -> None:
    path = tmp_path / "told"
    async with Supervisor(tmp_path) as supervisor:
        for name in ("database", "broker", "ingest"):
            await supervisor.start(telling(name, path))
    assert path.read_text().splitlines() == [
        "started database",
        "started broker",
        "started ingest",
        "stopped ingest",
        "stopped broker",
        "stopped database",
    ]


def _has(said: list[str], lines: int) -> bool:
    return len(said) == lines


async def test_a_child_that_dies_is_started_again_and_says_so(tmp_path: Path) -> None:
    said: list[str] = []
    async with Supervisor(tmp_path, said.append) as supervisor:
        running = await supervisor.start(telling("ingest", tmp_path / "told"))
        for _ in range(2):
            before, count = running.pid, len(said)
            assert before is not None
            os.kill(before, signal.SIGKILL)
            await until(partial(_has, said, count + 2))
            assert running.pid != before
    assert said == [
        "ingest stopped (signal 9), restarting in 0.2 s",
        "ingest is back",
        "ingest stopped (signal 9), restarting in 0.4 s",
        "ingest is back",
    ]


async def test_a_child_without_restart_ends_for_good(tmp_path: Path) -> None:
    said: list[str] = []
    async with Supervisor(tmp_path, said.append) as supervisor:
        running = await supervisor.start(ChildProcess("once", ["true"], restart=False))
        await asyncio.wait_for(running.finished.wait(), 5)
    assert said == ["once ended (exit code 0)"]


async def test_a_child_that_never_starts_is_reported_with_its_log_and_the_rest_is_stopped(tmp_path: Path) -> None:
    async def never() -> None:
        await asyncio.sleep(600)

    path = tmp_path / "told"
    broken = ChildProcess("broken", ["sh", "-c", "echo the reason why; exit 3"], never)
    async with Supervisor(tmp_path) as supervisor:
        await supervisor.start(telling("first", path))
        with pytest.raises(DemoError, match=r"(?s)broken does not start \(exit code 3\).*the reason why"):
            await supervisor.start(broken)
    assert path.read_text().splitlines()[-1] == "stopped first"


async def test_a_killed_database_comes_back_with_its_data() -> None:
    said: list[str] = []
    with reachable_directory("supervised") as directory:
        server = EmbeddedPostgres(directory, wanted_port=0)
        server.prepare()
        child = ChildProcess("database", server.command(), server.wait_ready, user=server.user)
        async with Supervisor(directory, said.append) as supervisor:
            running = await supervisor.start(child)
            async with await psycopg.AsyncConnection.connect(server.url()) as connection:
                await connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
            assert running.pid is not None
            os.kill(running.pid, signal.SIGKILL)
            await until(lambda: "database is back" in said, 30)
            async with await psycopg.AsyncConnection.connect(server.url()) as connection:
                row = await (await connection.execute("SELECT one FROM kept")).fetchone()
    assert row == (1,)
    assert said[0] == "database stopped (signal 9), restarting in 0.2 s"


async def test_one_interrupt_stops_in_order_and_a_second_kills(tmp_path: Path) -> None:
    process, children = supervise(tmp_path)
    process.send_signal(signal.SIGINT)
    await asyncio.sleep(0.5)
    assert process.poll() is None, "it waits for the child that does not listen"
    assert alive(children[0]), "those started before it are not touched yet"
    process.send_signal(signal.SIGINT)
    _, errors = await asyncio.to_thread(process.communicate, timeout=10)
    assert process.returncode == 0, errors
    assert not any(map(alive, children))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent has died")
async def test_a_killed_supervisor_leaves_no_orphans(tmp_path: Path) -> None:
    process, children = supervise(tmp_path)
    assert all(map(alive, children))
    process.kill()
    process.communicate()
    await until(lambda: not any(map(alive, children)))


async def test_a_second_demo_on_the_same_directory_is_refused(tmp_path: Path) -> None:
    process, _ = supervise(tmp_path)
    try:
        with (
            pytest.raises(DemoError, match=rf"another demo \(pid {process.pid}\) is already running"),
            DirectoryLock(tmp_path),
        ):
            pass
    finally:
        process.kill()
        process.communicate()
    with DirectoryLock(tmp_path):
        pass  # a killed holder leaves no stale lock


def test_an_unwritable_directory_is_refused_in_one_line() -> None:
    place = Path("/proc/lifeline" if sys.platform == "linux" else "/System/lifeline")
    with pytest.raises(DemoError) as refusal, DirectoryLock(place):
        pass
    assert str(refusal.value).startswith(f"cannot write to the data directory {place}: ")
    assert "\n" not in str(refusal.value)


async def test_a_large_log_is_put_aside_at_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.demo.logs.ROTATE_ABOVE_BYTES", 4)
    for word in ("first", "second"):
        async with Supervisor(tmp_path, lambda _: None) as supervisor:
            running = await supervisor.start(ChildProcess("speaker", ["echo", word], restart=False))
            await asyncio.wait_for(running.finished.wait(), 5)
    assert (tmp_path / "logs" / "speaker.log").read_text() == "second\n"
    assert (tmp_path / "logs" / "speaker.log.1").read_text() == "first\n"
