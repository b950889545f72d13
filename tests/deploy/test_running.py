"""The whole stack runs with the environment that compose.yaml gives it, and stops when it is asked to."""

import csv
import json
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import aiomqtt
import httpx
import psycopg
import pytest

from services.core import wire
from services.demo.mosquitto import find_mosquitto
from tests.deploy.running_stack import (
    OWNER,
    PASSWORD_LISTENER,
    SERVICE_LISTENER,
    RunningStack,
    health_check_of_the_image,
    running_stack,
)
from tests.deploy.stack import Stack
from tests.fixtures.processes import reachable_directory
from tests.integration.ingest_harness import register_sensors

INGEST = ("ingest-1", "ingest-2")
ALERTS = ("alerts-1", "alerts-2")
OURS = (*INGEST, *ALERTS, "api")
STOP_WITHIN_S = 15.0
"""Half of the grace period of compose.yaml."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.mosquitto,
    pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed"),
]


@pytest.fixture(scope="module")
def running(stack: Stack, database_server_url: str) -> Iterator[RunningStack]:
    """Everything started in the order of compose.yaml."""
    broker = find_mosquitto()
    assert broker is not None
    with (
        reachable_directory("stack") as directory,
        running_stack(stack, database_server_url, directory) as started,
    ):
        migrated = started.run("migrate")
        assert migrated.returncode == 0, migrated.stderr
        register_sensors(_database_url(started), 4)
        prepared = started.run("devices")
        assert prepared.returncode == 0, prepared.stderr
        process = started.start_broker(broker)
        process.wait_until(lambda: started.check_health("broker", _broker_check(started)).returncode == 0)
        for service in OURS:
            started.start(service)
        _wait_until_ready(started)
        yield started


def _broker_check(running: RunningStack) -> list[str]:
    """The broker's health check, which looks for a listening port written in hexadecimal digits."""
    check: list[str] = running.stack.services["broker"]["healthcheck"]["test"][1:]
    written = f":{SERVICE_LISTENER:04X} "
    assert any(written in part for part in check)
    return [part.replace(written, f":{running.ports[str(SERVICE_LISTENER)]:04X} ") for part in check]


def _database_url(running: RunningStack) -> str:
    return running.environment("migrate")["LIFELINE_DATABASE_URL"]


def _wait_until_ready(running: RunningStack) -> None:
    for service in INGEST:
        process = running.processes[service]
        process.wait_until(lambda process=process: "ingest is receiving" in process.said())  # type: ignore[misc]
    api = running.processes["api"]
    api.wait_until(lambda: _answers(running, "/readyz"))
    alerts = [running.processes[service] for service in ALERTS]
    alerts[0].wait_until(lambda: all('"processes": 2' in process.said() for process in alerts))


def _answers(running: RunningStack, path: str) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{running.ports['api']}{path}", timeout=3).is_success
    except httpx.HTTPError:
        return False


def test_the_role_of_the_services_owns_its_database_and_is_no_superuser(running: RunningStack) -> None:
    with psycopg.connect(_database_url(running)) as connection:
        row = connection.execute(
            "select current_user, rolsuper, rolcreaterole, rolcreatedb from pg_roles where rolname = current_user"
        ).fetchone()
    assert row == (OWNER, False, False, False)


def test_migrating_and_preparing_devices_again_changes_nothing(running: RunningStack) -> None:
    before = {path: path.read_bytes() for path in (running.directory / "devices").glob("*/*.pem")}
    assert before
    assert running.run("migrate").returncode == 0
    again = running.run("devices")
    assert again.returncode == 0, again.stderr
    assert {path: path.read_bytes() for path in before} == before


async def test_a_reading_goes_from_a_gateway_over_tls_into_the_database(running: RunningStack) -> None:
    with (running.directory / "devices/passwords.csv").open(encoding="utf-8") as file:
        passwords = {row["name"]: row["password"] for row in csv.DictReader(file)}
    trust = ssl.create_default_context(cafile=running.directory / "devices/authority.pem")
    moment = datetime.now(UTC).replace(microsecond=0)
    payload = json.dumps([{"sensor": "s0", "time": int(moment.timestamp() * 1000), "value": 5.0}])
    async with aiomqtt.Client(
        "127.0.0.1",
        running.ports[str(PASSWORD_LISTENER)],
        username="gateway",
        password=passwords["gateway"],
        tls_context=trust,
        protocol=aiomqtt.ProtocolVersion.V5,
    ) as device:
        city = running.stack.environment("ingest-1")["LIFELINE_CITY"]
        await device.publish(wire.gateway_readings_topic(city, "gateway"), payload, qos=1)
    ingest = running.processes["ingest-1"]
    with psycopg.connect(_database_url(running), autocommit=True) as connection:
        ingest.wait_until(lambda: connection.execute("select value from reading").fetchall() == [(5.0,)], within_s=20)


def test_a_key_made_by_the_command_line_opens_the_api_as_far_as_it_was_given(running: RunningStack) -> None:
    made = running.run("api", "keys", "issue", "desk", "--actor", "duty officer", "--permission", "read")
    assert made.returncode == 0, made.stderr
    headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
    address = f"http://127.0.0.1:{running.ports['api']}/api/v1"
    assert httpx.get(f"{address}/sensors", headers=headers, timeout=10).status_code == 200
    assert httpx.get(f"{address}/audit", headers=headers, timeout=10).status_code == 403
    assert httpx.get(f"{address}/sensors", timeout=10).status_code == 401


@pytest.mark.parametrize(("service", "place"), [("ingest", "services"), ("alerts", "alerts")])
def test_a_service_finds_its_own_private_key_and_no_other(running: RunningStack, service: str, place: str) -> None:
    names = {path.name for path in (running.directory / "devices" / place).iterdir()}
    assert names == {"authority.pem", f"{service}.pem", f"{service}.key"}


@pytest.mark.parametrize("service", OURS)
def test_the_health_check_says_that_the_service_is_well(running: RunningStack, service: str) -> None:
    check = running.stack.services[service].get("healthcheck")
    command = health_check_of_the_image() if check is None else check["test"][1:]
    result = running.check_health(service, command)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_health_check_says_so_when_a_service_is_gone(running: RunningStack) -> None:
    process = running.processes["ingest-2"]
    check = running.stack.services["ingest-2"]["healthcheck"]["test"][1:]
    assert process.stop(STOP_WITHIN_S) == 0
    assert running.check_health("ingest-2", check).returncode != 0
    running.start("ingest-2")
    _wait_until_ready(running)


def test_no_secret_of_the_stack_is_in_a_log(running: RunningStack, variables: dict[str, str]) -> None:
    logs = {name: process.said() for name, process in running.processes.items()}
    secrets = [value for name, value in variables.items() if name.endswith("_PASSWORD")]
    assert not [name for name, text in logs.items() if any(secret in text for secret in secrets)]


def test_every_service_stops_in_order_when_it_is_asked_to(running: RunningStack) -> None:
    started = time.monotonic()
    codes = {service: running.processes[service].stop(STOP_WITHIN_S) for service in OURS}
    assert codes == dict.fromkeys(OURS, 0), {name: running.processes[name].said()[-500:] for name in OURS}
    assert time.monotonic() - started < STOP_WITHIN_S * len(OURS)
