"""The demo as a newcomer meets it: it starts, takes readings from outside, survives faults, and stops cleanly."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from simulators.city_folder import read_city
from tests.fixtures.demo import RunningDemo, running_demo
from tests.fixtures.pipes import along_the_pipes_m
from tests.fixtures.processes import reachable_directory

pytestmark = pytest.mark.slow
PUBLISHER = shutil.which("mosquitto_pub")
A_MINUTE_S = 90.0
"""After its story the city lives at the speed of the clock: most sensors report on the minute, others less often."""


def eventually(look: Callable[[], Any], limit_s: float) -> Any:
    """What ``look`` returns as soon as it is true; fails after the limit."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {limit_s} s")


def publish(demo: RunningDemo, topic: str, payload: str) -> None:
    assert PUBLISHER is not None
    access = ["-u", "lifeline", "-P", demo.broker_password]
    command = [PUBLISHER, "-h", "127.0.0.1", "-p", str(demo.mqtt_port), *access, "-q", "1", "-t", topic, "-m", payload]
    subprocess.run(command, check=True, timeout=10)


@pytest.mark.mosquitto
@pytest.mark.skipif(PUBLISHER is None, reason="mosquitto_pub is not installed")
def test_a_reading_published_by_hand_is_current_within_two_seconds(demo: RunningDemo) -> None:
    with demo.client() as client:
        sensor = client.get("/sensors", params={"lifeline": "bridge", "limit": 1}).json()["items"][0]["id"]
        moment = int(time.time() * 1000)
        publish(demo, f"lifeline/v1/demo/sensors/{sensor}/readings", json.dumps({"time": moment, "value": 1.25}))
        began = time.monotonic()
        eventually(lambda: client.get(f"/sensors/{sensor}/latest").json().get("value") == 1.25, 2.0)
        assert time.monotonic() - began < 2.0


@pytest.mark.mosquitto
@pytest.mark.skipif(PUBLISHER is None, reason="mosquitto_pub is not installed")
@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ("this is no json", "bad-json"),
        ('{"time": "2026-01-01T00:00:00Z", "value": "seven"}', "bad-field"),
        ('{"time": "yesterday", "value": 7}', "bad-time"),
        ('{"time": "2026-01-01T00:00:00Z", "value": NaN}', "not-finite"),
    ],
)
def test_garbage_is_kept_with_its_reason(demo: RunningDemo, payload: str, reason: str) -> None:
    topic = "lifeline/v1/demo/sensors/by-hand/readings"
    with demo.client() as client:
        publish(demo, topic, payload)

        def kept() -> bool:
            found = client.get("/rejections", params={"reason": reason}).json()["items"]
            return any(item["topic"] == topic and item["payload"] == payload for item in found)

        eventually(kept, 2.0)


def test_the_burst_main_is_placed_with_its_valves_and_customers(demo: RunningDemo) -> None:
    with demo.client() as client:

        def leak() -> Any:
            found = client.get("/alerts", params={"lifeline": "water", "limit": 50}).json()["items"]
            return next((each for each in found if each["kind"] == "leak-suspected" and each["zone"] == "W3"), None)

        trace = client.get(f"/alerts/{eventually(leak, 120.0)['id']}").json()["trace"]
    suspects = [candidate["asset"] for candidate in trace["candidates"]]
    assert "WP-207" in suspects[:10]
    # The story's main bursts at its end.
    assert along_the_pipes_m(read_city(demo.data_dir / "city"), "WP-207", 1.0, suspects[0]) <= 300
    assert trace["isolation"]
    assert trace["isolation_complete"]
    assert trace["customers"]["households"] > 0
    assert trace["critical"][0]["asset"] == "SC-3"
    assert trace["loss"]["flow_m3h"] == pytest.approx(85, rel=0.2)


def test_a_second_demo_on_the_same_directory_is_refused_in_one_line(demo: RunningDemo) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "services.cli", "demo"],
        env={**os.environ, "LIFELINE_DATA_DIR": str(demo.data_dir)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 1
    assert second.stderr.count("\n") == 1
    assert str(demo.process.pid) in second.stderr


@pytest.mark.parametrize("victim", ["database", "broker", "ingest", "alerts", "api"])
def test_a_killed_process_comes_back_and_readings_go_on(demo: RunningDemo, victim: str) -> None:
    process = _child(demo, victim)
    process.kill()
    text = eventually(lambda: f"{victim} is back" in demo.log.read_text(encoding="utf-8"), 60.0)
    assert text
    with demo.client() as client:
        before = eventually(lambda: _last_received(client), 30.0)
        eventually(lambda: (_last_received(client) or "") > before, A_MINUTE_S)


def _last_received(client: Any) -> str | None:
    try:
        answer = client.get(f"{str(client.base_url).removesuffix('/api/v1/')}/readyz")
    except Exception:  # noqa: BLE001 - the API may be the process that was killed
        return None
    return answer.json().get("last_received_at") if answer.is_success else None


def _child(demo: RunningDemo, name: str) -> psutil.Process:
    words = {
        "database": "postgres",
        "broker": "mosquitto" if "(mosquitto)" in demo.log.read_text(encoding="utf-8") else "iotcore",
        "simulate": "services.cli simulate",
    }
    wanted = words.get(name, f"services.{name}")
    for process in psutil.Process(demo.process.pid).children():
        if wanted in " ".join(process.cmdline()):
            return process
    raise AssertionError(f"no child runs {wanted}")


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
                seen = eventually(lambda: _last_received(client), 30.0)
            children = psutil.Process(first.process.pid).children(recursive=True)
        assert first.process.returncode == 0
        assert [child for child in children if child.is_running() and child.status() != "zombie"] == []
        with running_demo(directory / "state") as second:
            took_s = [second.started_in_s]
            assert second.key == key
            with second.client() as client:
                eventually(lambda: (_last_received(client) or "") > seen, A_MINUTE_S)
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
