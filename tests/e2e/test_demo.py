"""The demo as a newcomer meets it: it takes readings from outside, places a burst main, and survives faults."""

import json
import os
import shutil
import subprocess
import sys
import time
from typing import Any

import psutil
import pytest

from simulators.city_folder import read_city
from tests.fixtures.demo import A_MINUTE_S, RunningDemo, eventually, last_received
from tests.fixtures.pipes import along_the_pipes_m

pytestmark = pytest.mark.slow
PUBLISHER = shutil.which("mosquitto_pub")


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
        before = eventually(lambda: last_received(client), 30.0)
        eventually(lambda: (last_received(client) or "") > before, A_MINUTE_S)


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
