"""`lifeline remote` with the real service: what a person without a database sees and does."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial

import pytest
from typer.testing import CliRunner, Result

from services.cli import app
from services.core.sensor import Sensor
from services.core.store import alerts, audit
from tests.integration.api.harness import alert_at, connected, key_of
from tests.integration.api.measuring import GOOD, at, measure

Command = Callable[..., Result]


@pytest.fixture
def command(address: str, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("LIFELINE_API_URL", address)
    monkeypatch.setenv("LIFELINE_API_KEY", key_of("everything"))
    return lambda *arguments: CliRunner().invoke(app, ["remote", *arguments])


async def test_an_alert_is_listed_looked_at_and_acknowledged(command: Command, city_url: str, asset: str) -> None:
    alert = alert_at(asset)
    async with connected(city_url) as connection:
        await alerts.add(connection, alert, audit.SYSTEM)
    listed = command("alerts", "--open", "--lifeline", "water")
    assert str(alert.id) in listed.stdout
    assert asset in command("alert", str(alert.id)).stdout
    seen = json.loads(command("alert", str(alert.id), "--json").stdout)
    changed = command("acknowledge", str(alert.id), "--version", str(seen["version"]))
    assert "acknowledged by everything" in changed.stdout
    late = command("acknowledge", str(alert.id), "--version", str(seen["version"]))
    assert late.exit_code == 1
    assert late.stderr.startswith("lifeline: ")
    assert late.stderr.count("\n") == 1


async def test_what_sensors_measure_is_listed_and_drawn_out(command: Command, city_url: str, sensor: Sensor) -> None:
    await measure(city_url, sensor, (0, 4.0, GOOD), (60, 5.0, GOOD))
    rows = command("sensors", "--zone", sensor.zone, "--limit", "500").stdout.splitlines()
    (row,) = [row for row in rows if row.startswith(f"{sensor.id} ")]
    assert " 5 " in row
    since, until = (f"{at(seconds):%Y-%m-%dT%H:%M:%S}" for seconds in (-60, 120))
    past = json.loads(command("history", sensor.id, "--since", since, "--until", until, "--json").stdout)
    assert sum(point["count"] for point in past["points"]) == 2
    assert "MINIMUM" in command("history", sensor.id, "--since", since, "--until", until).stdout


async def test_live_events_are_followed_until_ctrl_c(address: str, city_url: str, asset: str) -> None:
    alert = alert_at(asset)
    async with connected(city_url) as connection:
        await alerts.add(connection, alert, audit.SYSTEM)
    command = [sys.executable, "-m", "services.cli", "remote", "tail", "--after", "0-0", "--zone", alert.zone, "--json"]
    environment = os.environ | {"LIFELINE_API_URL": address, "LIFELINE_API_KEY": key_of("read")}
    process = await asyncio.create_subprocess_exec(
        *command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # Whoever runs the tests in the background has them ignore Ctrl-C, and a child would inherit that.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        while (event := json.loads(await process.stdout.readline()))["content"]["id"] != str(alert.id):
            pass
        process.send_signal(signal.SIGINT)
        _, said = await process.communicate()
    assert (event["type"], event["content"]["asset"], bool(event["position"])) == ("alert", asset, True)
    assert (process.returncode, said) == (0, b"")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("alerts", "--key", "wrong"), "Key needed"),
        (("alerts", "--url", "http://127.0.0.1:9"), "cannot be reached"),
        (("sensors", "--lifeline", "magic"), "query.lifeline"),
        (("orders", "--limit", "3"), "nothing found"),
    ],
)
def test_what_goes_wrong_is_told_in_one_line(command: Command, arguments: tuple[str, ...], told: str) -> None:
    result = command(*arguments)
    assert told in (result.stderr or result.stdout)
    assert result.output.count("\n") == 1
