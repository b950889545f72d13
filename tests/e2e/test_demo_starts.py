"""How the demo starts, starts again, says why it cannot, and stops cleanly."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.fixtures.demo import A_MINUTE_S, eventually, last_received, running_demo
from tests.fixtures.processes import reachable_directory

pytestmark = pytest.mark.slow


def test_taken_ports_are_avoided_and_a_second_start_continues_within_twenty_seconds() -> None:
    with (
        reachable_directory("twice") as directory,
        socket.create_server(("127.0.0.1", 0)) as api,
        socket.create_server(("127.0.0.1", 0)) as broker,
    ):
        taken = {"LIFELINE_API_PORT": str(api.getsockname()[1]), "LIFELINE_MQTT_PORT": str(broker.getsockname()[1])}
        with running_demo(directory / "state", "--speed", "60", **taken) as first:
            assert not first.page.endswith(f":{taken['LIFELINE_API_PORT']}")
            assert first.mqtt_port != int(taken["LIFELINE_MQTT_PORT"])
            with first.client() as client:
                key = first.key
                seen = eventually(lambda: last_received(client), 30.0)
            children = psutil.Process(first.process.pid).children(recursive=True)
        assert first.process.returncode == 0
        assert [child for child in children if child.is_running() and child.status() != "zombie"] == []
        with running_demo(directory / "state") as second:
            took_s = [second.started_in_s]
            assert second.key == key
            with second.client() as client:
                eventually(lambda: (last_received(client) or "") > seen, A_MINUTE_S)
        # Other work on the machine can only make a start slower, so the quickest of three tells what it takes.
        while min(took_s) >= 20.0 and len(took_s) < 3:
            with running_demo(directory / "state") as again:
                took_s.append(again.started_in_s)
        assert min(took_s) < 20.0, took_s


def test_an_unwritable_directory_is_one_clear_line(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    done = subprocess.run(
        [sys.executable, "-m", "services.cli", "demo"],
        env={**os.environ, "LIFELINE_DATA_DIR": str(blocked / "state")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "cannot write" in done.stderr


def test_no_process_outlives_a_demo_that_is_killed() -> None:
    with reachable_directory("killed") as directory, running_demo(directory / "state") as doomed:
        children = psutil.Process(doomed.process.pid).children(recursive=True)
        doomed.process.send_signal(signal.SIGKILL)
        doomed.process.wait()
        _, alive = psutil.wait_procs(children, timeout=15)
        assert [child.cmdline() for child in alive] == []
