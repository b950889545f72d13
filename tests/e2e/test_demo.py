"""The demo as a newcomer meets it: it takes readings from outside, places a burst main, and survives faults."""

import json
import os
import shutil
import subprocess
import sys
import time

import psutil
import pytest

from services.client import calls
from services.client.answers import AlertAnswer
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
    with demo.service() as service:
        sensor = next(service.all(calls.sensors(lifeline="bridge"))).id
        moment = int(time.time() * 1000)
        publish(demo, f"lifeline/v1/demo/sensors/{sensor}/readings", json.dumps({"time": moment, "value": 1.25}))
        began = time.monotonic()
        eventually(lambda: service.ask(calls.latest_of(sensor)).value == 1.25, 2.0)
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
    with demo.service() as service:
        publish(demo, topic, payload)

        def kept() -> bool:
            found = service.all(calls.rejections(reason=reason))
            return any(rejection.topic == topic and rejection.payload == payload for rejection in found)

        eventually(kept, 2.0)


def test_the_burst_main_is_placed_with_its_valves_and_customers(demo: RunningDemo) -> None:
    with demo.service() as service:

        def leak() -> AlertAnswer | None:
            found = service.all(calls.alerts(lifeline="water", zone="W3"))
            return next((each for each in found if each.kind == "leak-suspected"), None)

        trace = service.ask(calls.alert(eventually(leak, 120.0).id)).trace
    assert trace is not None
    suspects = [candidate.asset for candidate in trace.candidates]
    assert "WP-207" in suspects[:10]
    # The story's main bursts at its end.
    assert along_the_pipes_m(read_city(demo.data_dir / "city"), "WP-207", 1.0, suspects[0]) <= 300
    assert trace.isolation
    assert trace.isolation_complete
    assert trace.customers is not None
    assert trace.customers.households > 0
    assert trace.critical[0].asset == "SC-3"
    assert trace.loss is not None
    assert trace.loss.flow_m3h == pytest.approx(85, rel=0.2)


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
