"""A device at the broker is who it says it is, and reaches its own topics only."""

import asyncio
import json
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiomqtt
import psycopg
import pytest
from pydantic import SecretStr

from services.core.broker_address import TlsFiles
from services.core.settings import Settings
from services.demo.mosquitto import find_mosquitto
from services.doctor import examine
from tests.fixtures.processes import reachable_directory
from tests.integration.ingest_harness import IngestProcess, now_ms, register_sensors, tables_of, until
from tests.integration.secured_broker import SecuredBroker, connected, devices, is_refused, received, secured_broker

pytestmark = [
    pytest.mark.mosquitto,
    pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed"),
]

MINE, FOREIGN, LONER = "GW-B1-1", "GW-B2-1", "GW-D1-1"
READINGS = "lifeline/v1/demo/gateways/{}/readings"


@pytest.fixture(scope="module")
def broker(city_folder: Path) -> Iterator[SecuredBroker]:
    with reachable_directory("secured") as root, secured_broker(root, city_folder) as running:
        for name in (MINE, FOREIGN):
            devices("certificate", running.directory, name)
        running.read_again()
        yield running


@pytest.mark.parametrize("door", ["with_password", "certified"])
async def test_gateway_publishes_on_its_own_topic_and_on_no_other(broker: SecuredBroker, door: str) -> None:
    foreign = [
        READINGS.format(FOREIGN),
        "lifeline/v1/demo/sensors/W-P-001/readings",
        f"lifeline/v1/other/gateways/{MINE}/readings",
        f"lifeline/v1/demo/gateways/{MINE}/ack",
        f"lifeline/v1/demo/devices/{FOREIGN}/command",
        "lifeline/v1/demo/warnings/gas/G1",
        "spBv1.0/group/NDATA/node",
        "v1.1/Datastreams(1)/Observations",
    ]
    async with connected(broker.service("ingest"), identifier=f"watch-{door}") as watch:
        await watch.subscribe("#", qos=1)
        async with connected(getattr(broker, door)(MINE)) as gateway:
            for topic in foreign:
                await gateway.publish(topic, b"forged", qos=1)
            await gateway.publish(READINGS.format(MINE), b"genuine", qos=1)
        came = await received(watch, b"genuine")
    assert came == [(READINGS.format(MINE), b"genuine")]


async def test_gateway_hears_its_own_acknowledgement_and_nothing_else(broker: SecuredBroker) -> None:
    async with connected(broker.with_password(MINE)) as gateway, connected(broker.service("ingest")) as ingest:
        for topic in ("#", "lifeline/v1/demo/gateways/+/ack", READINGS.format(FOREIGN)):
            await gateway.subscribe(topic, qos=1)
        async with connected(broker.with_password(FOREIGN)) as neighbour:
            await neighbour.publish(READINGS.format(FOREIGN), b"not for others", qos=1)
        await ingest.publish(f"lifeline/v1/demo/gateways/{FOREIGN}/ack", b"not for others", qos=1)
        await ingest.publish(f"lifeline/v1/demo/gateways/{MINE}/ack", b"for me", qos=1)
        came = await received(gateway, b"for me")
    assert {payload for _, payload in came} == {b"for me"}


async def test_wrong_password_and_no_password_are_refused(broker: SecuredBroker) -> None:
    assert not await is_refused(broker.with_password(MINE))
    assert await is_refused(broker.with_password(MINE, "wrong"))
    assert await is_refused(broker.with_password(MINE, ""))
    assert await is_refused(broker.with_password("GW-NOBODY", broker.passwords()[MINE]))
    assert await is_refused(broker.anonymous())


async def test_unencrypted_connection_is_refused(broker: SecuredBroker) -> None:
    for port in broker.ports.values():
        assert await is_refused({"hostname": "127.0.0.1", "port": port})


async def test_client_recognises_a_broker_of_another_authority(broker: SecuredBroker, tmp_path: Path) -> None:
    devices("authority", tmp_path / "other", "localhost")
    port = broker.ports["8883"]
    strange = TlsFiles(tmp_path / "other" / "authority.pem").context()
    with pytest.raises(ssl.SSLCertVerificationError):
        await asyncio.open_connection("localhost", port, ssl=strange)
    with pytest.raises(ssl.SSLCertVerificationError):
        await asyncio.open_connection("localhost", port, ssl=broker.trust().context(), server_hostname="other.example")
    _, writer = await asyncio.open_connection("localhost", port, ssl=broker.trust().context())
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("door", ["8884", "8885"])
async def test_certificate_of_another_authority_is_refused(broker: SecuredBroker, tmp_path: Path, door: str) -> None:
    devices("authority", tmp_path / "other", "localhost")
    devices("certificate", tmp_path / "other", MINE)
    held = tmp_path / "other" / "certificates"
    forged = TlsFiles(broker.directory / "authority.pem", held / f"{MINE}.pem", held / f"{MINE}.key")
    here = {"hostname": "localhost", "port": broker.ports[door]}
    assert await is_refused({**here, "tls_context": forged.context()})
    assert await is_refused({**here, "tls_context": broker.trust().context()}), "no certificate at all was accepted"
    assert not await is_refused({**here, "tls_context": broker.certificate_files(FOREIGN).context()})


async def test_certificate_of_the_broker_is_no_certificate_of_a_client(broker: SecuredBroker) -> None:
    held = broker.directory / "mosquitto"
    stolen = TlsFiles(held / "authority.pem", held / "broker.pem", held / "broker.key")
    assert await is_refused({**broker.certified(MINE), "tls_context": stolen.context()})


async def test_revoked_certificate_is_refused_and_the_others_are_not(broker: SecuredBroker) -> None:
    devices("certificate", broker.directory, LONER)
    assert not await is_refused(broker.certified(LONER))
    devices("revoke", broker.directory, LONER)
    broker.read_again()
    assert await is_refused(broker.certified(LONER))
    assert not await is_refused(broker.certified(MINE))
    devices("certificate", broker.directory, LONER)
    assert not await is_refused(broker.certified(LONER)), "a certificate issued after the revocation was refused"


async def test_older_certificate_ends_when_the_device_has_changed_over(broker: SecuredBroker, tmp_path: Path) -> None:
    name = "GW-B3-1"
    devices("certificate", broker.directory, name)
    held = broker.directory / "certificates"
    for suffix in ("pem", "key"):
        (tmp_path / f"old.{suffix}").write_bytes((held / f"{name}.{suffix}").read_bytes())
    old = TlsFiles(broker.directory / "authority.pem", tmp_path / "old.pem", tmp_path / "old.key")
    devices("certificate", broker.directory, name, succeeds=False)
    devices("certificate", broker.directory, name, "--renew")
    assert not await is_refused({**broker.certified(name), "tls_context": old.context()})
    devices("revoke", broker.directory, name, "--older")
    broker.read_again()
    assert await is_refused({**broker.certified(name), "tls_context": old.context()})
    assert not await is_refused(broker.certified(name))


async def test_key_made_on_the_device_is_certified_without_leaving_it(broker: SecuredBroker, tmp_path: Path) -> None:
    key, request = tmp_path / "device.key", tmp_path / "device.csr"
    command = ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-subj", "/CN=ingest", "-keyout", str(key), "-out", str(request)]
    await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)
    devices("certificate", broker.directory, "GW-G1-1", "--request", request)
    held = broker.directory / "certificates"
    assert not (held / "GW-G1-1.key").exists()
    files = TlsFiles(broker.directory / "authority.pem", held / "GW-G1-1.pem", key)
    parameters = {"hostname": "localhost", "port": broker.ports["8884"], "tls_context": files.context()}
    async with connected(broker.service("ingest"), identifier="watch-request") as watch:
        await watch.subscribe("lifeline/#", qos=1)
        async with connected(parameters) as device:
            await device.publish("lifeline/v1/demo/gateways/x/ack", b"the name in the request does not count", qos=1)
            await device.publish(READINGS.format("GW-G1-1"), b"genuine", qos=1)
        assert await received(watch, b"genuine") == [(READINGS.format("GW-G1-1"), b"genuine")]


async def test_rotated_password_replaces_the_old_one(broker: SecuredBroker) -> None:
    name = "GW-G2-1"
    old = broker.passwords()[name]
    devices("rotate", broker.directory, name, "--out", broker.root / "2-rotated.csv")
    assert broker.passwords()[name] != old
    broker.read_again()
    assert await is_refused(broker.with_password(name, old))
    assert not await is_refused(broker.with_password(name))
    assert not await is_refused(broker.with_password(MINE)), "another device's password has changed too"


async def test_open_connection_ends_when_its_password_is_replaced(broker: SecuredBroker) -> None:
    name = "GW-G3-1"
    async with connected(broker.with_password(FOREIGN)) as other:
        with pytest.raises(aiomqtt.MqttError):  # noqa: PT012 - leaving a lost connection may raise as well
            async with connected(broker.with_password(name)) as device:
                devices("rotate", broker.directory, name, "--out", broker.root / "4-rotated.csv")
                broker.read_again()
                await device.publish(READINGS.format(name), b"with the old password", qos=1)
        await other.publish(READINGS.format(FOREIGN), b"still connected", qos=1)


async def test_device_cannot_take_the_session_of_another_client(broker: SecuredBroker) -> None:
    async with connected(broker.service("ingest"), identifier="ingest-1") as ingest:
        await ingest.subscribe("lifeline/v1/demo/gateways/+/readings", qos=1)
        async with connected(broker.with_password(FOREIGN)) as neighbour:
            for parameters in (broker.with_password(MINE), broker.certified(MINE)):
                for stolen in ("ingest-1", FOREIGN):
                    async with connected(parameters, identifier=stolen):
                        pass
            await neighbour.publish(READINGS.format(FOREIGN), b"still here", qos=1)
        assert (READINGS.format(FOREIGN), b"still here") in await received(ingest, b"still here")


async def test_mosquitto_client_publishes_as_the_documents_say(broker: SecuredBroker, tmp_path: Path) -> None:
    options = ["-h localhost", f"-p {broker.ports['8883']}", f"--cafile {broker.directory / 'authority.pem'}"]
    options += [f"-u {MINE}", f"-P {broker.passwords()[MINE]}"]
    (tmp_path / "mosquitto_pub").write_text("\n".join(options) + "\n")
    payload = json.dumps([{"sensor": "B1-S-01", "time": now_ms(), "value": 12.5}])
    async with connected(broker.service("ingest"), identifier="watch-client") as watch:
        await watch.subscribe("lifeline/#", qos=1)
        command = ["mosquitto_pub", "-q", "1", "-t", READINGS.format(MINE), "-m", payload]
        environment = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path)}
        await asyncio.to_thread(subprocess.run, command, check=True, env=environment, timeout=20)
        assert await received(watch, payload.encode()) == [(READINGS.format(MINE), payload.encode())]


@pytest.fixture
def fetching_broker(city_folder: Path) -> Iterator[SecuredBroker]:
    """A broker whose certificates say where the list of revoked ones is fetched, as EMQX needs it."""
    url = "http://revocation.example/revoked.crl"
    with reachable_directory("fetched") as root, secured_broker(root, city_folder, "--revocation-url", url) as running:
        yield running


async def test_revocation_works_with_mosquitto_where_certificates_name_an_address(
    fetching_broker: SecuredBroker,
) -> None:
    for name in (MINE, FOREIGN):
        devices("certificate", fetching_broker.directory, name)
    devices("revoke", fetching_broker.directory, MINE)
    fetching_broker.read_again()
    assert await is_refused(fetching_broker.certified(MINE))
    assert not await is_refused(fetching_broker.certified(FOREIGN))


@pytest.fixture
def foreign_protocols(database_url: str, monkeypatch: pytest.MonkeyPatch, city_folder: Path) -> Iterator[SecuredBroker]:
    """A broker for a register in the database: a Sparkplug edge node, a SensorThings sensor and a plain one."""
    register_sensors(database_url, 3)
    with psycopg.connect(database_url) as connection:
        connection.execute("update sensor set gateway = null")
        connection.execute("update sensor set address = 'sparkplug:East/Edge 7/Pump/Pressure' where id = 's0'")
        connection.execute("update sensor set address = 'sensorthings:Datastreams(42)' where id = 's1'")
    monkeypatch.setenv("LIFELINE_DATABASE_URL", database_url)
    monkeypatch.setenv("LIFELINE_CITY", "test")
    with reachable_directory("edge") as root, secured_broker(root, city_folder) as running:
        devices("credentials", running.directory, "--out", root / "2-database.csv")
        running.read_again()
        yield running


async def test_devices_of_other_protocols_reach_their_own_topics_only(foreign_protocols: SecuredBroker) -> None:
    broker = foreign_protocols
    async with connected(broker.service("ingest"), identifier="watch-edge") as watch:
        await watch.subscribe("#", qos=1)
        async with connected(broker.with_password("East.Edge-7")) as node:
            for topic in ("spBv1.0/East/NDATA/Other", "spBv1.0/West/NDATA/Edge 7", "spBv1.0/STATE/host"):
                await node.publish(topic, b"forged", qos=1)
            for topic in ("spBv1.0/East/NBIRTH/Edge 7", "spBv1.0/East/DDATA/Edge 7/Pump"):
                await node.publish(topic, b"genuine", qos=1)
        async with connected(broker.with_password("s1")) as sensor:
            await sensor.publish("v1.1/Datastreams(41)/Observations", b"forged", qos=1)
            await sensor.publish("v1.1/Datastreams(42)/Observations", b"genuine", qos=1)
            await sensor.publish("v1.1/Datastreams('s2')/Observations", b"forged", qos=1)
            await sensor.publish("v1.1/Datastreams('s1')/Observations", b"last", qos=1)
        came = await received(watch, b"last")
    assert came == [
        ("spBv1.0/East/NBIRTH/Edge 7", b"genuine"),
        ("spBv1.0/East/DDATA/Edge 7/Pump", b"genuine"),
        ("v1.1/Datastreams(42)/Observations", b"genuine"),
        ("v1.1/Datastreams('s1')/Observations", b"last"),
    ]


async def test_simulated_city_is_published_over_tls(broker: SecuredBroker, city_folder: Path) -> None:
    devices("credentials", broker.directory, "--city", city_folder, "--simulator", "--out", broker.root / "3-more.csv")
    broker.read_again()
    environment = {
        **os.environ,
        "LIFELINE_MQTT_URL": f"mqtts://simulator:{broker.passwords()['simulator']}@localhost:{broker.ports['8883']}",
        "LIFELINE_MQTT_CA_FILE": str(broker.directory / "authority.pem"),
    }
    command = [sys.executable, "-m", "services.cli", "simulate", "--city", str(city_folder), "--speed", "600"]
    command += ["--start", f"{datetime.now(UTC) - timedelta(hours=1):%Y-%m-%dT%H:%M:%S}", "--minutes", "2"]
    async with connected(broker.service("ingest"), identifier="watch-city") as watch:
        await watch.subscribe("lifeline/v1/demo/gateways/+/readings", qos=1)
        result = await asyncio.to_thread(
            subprocess.run, command, env=environment, capture_output=True, text=True, timeout=120
        )
        assert result.returncode == 0, result.stderr
        async with asyncio.timeout(10):
            message = await anext(aiter(watch.messages))
    assert isinstance(message.payload, bytes)
    assert json.loads(message.payload)


async def test_doctor_reaches_the_broker_with_a_certificate(broker: SecuredBroker) -> None:
    files = broker.certificate_files("ingest")
    settings = Settings(
        mqtt_url=SecretStr(f"mqtts://localhost:{broker.ports['8885']}"),
        mqtt_ca_file=files.authority,
        mqtt_certificate_file=files.certificate,
        mqtt_key_file=files.key,
    )
    healthy, lines = await examine(settings)
    assert healthy, lines
    assert any("over TLS" in line for line in lines)


class _SecureIngest(IngestProcess):
    """The ingest process with a certificate of its own."""

    files: TlsFiles

    def _launch(self, environment: dict[str, str]) -> "subprocess.Popen[bytes]":
        tls = {
            "LIFELINE_MQTT_CA_FILE": str(self.files.authority),
            "LIFELINE_MQTT_CERTIFICATE_FILE": str(self.files.certificate),
            "LIFELINE_MQTT_KEY_FILE": str(self.files.key),
        }
        return super()._launch({**environment, **tls})


async def test_ingest_with_a_certificate_stores_readings_and_refuses_a_foreign_sensor(
    broker: SecuredBroker, database_url: str, tmp_path: Path
) -> None:
    register_sensors(database_url, 2)
    with psycopg.connect(database_url) as connection:
        connection.execute("update sensor set gateway = %s where id = 's0'", (MINE,))
        connection.execute("update sensor set gateway = %s where id = 's1'", (FOREIGN,))
    settings = Settings(
        database_url=SecretStr(database_url),
        mqtt_url=SecretStr(f"mqtts://localhost:{broker.ports['8885']}"),
        ingest_instance="ingest-secure",
    )
    ingest = _SecureIngest(settings, tmp_path / "ingest.log")
    ingest.files = broker.certificate_files("ingest")
    batch = [{"sensor": sensor, "time": now_ms(), "value": 12.5} for sensor in ("s0", "s1")]
    await ingest.start()
    try:
        with tables_of(database_url) as tables:
            async with connected(broker.with_password(MINE)) as gateway:
                await gateway.publish(READINGS.format(MINE), json.dumps(batch), qos=1)
            await until(lambda: tables.count("reading") == 1 and tables.rejected() == 1)
            assert tables.ask("select s.id from reading join sensor s on s.key = sensor_key") == [("s0",)]
            assert tables.ask("select reason, sensor from rejection") == [("not-yours", "s1")]
        assert ingest.terminate()[0] == 0, ingest.log.read_text()
    finally:
        ingest.kill()


async def test_ingest_says_in_one_line_which_file_is_wrong(database_url: str, tmp_path: Path) -> None:
    missing = tmp_path / "missing.pem"
    environment = {
        **os.environ,
        "LIFELINE_DATABASE_URL": database_url,
        "LIFELINE_MQTT_URL": "mqtts://localhost:1",
        "LIFELINE_MQTT_CA_FILE": str(missing),
    }
    command = [sys.executable, "-m", "services.ingest"]
    result = await asyncio.to_thread(
        subprocess.run, command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode != 0
    assert str(missing) in result.stderr
    assert "Traceback" not in result.stderr


def test_nothing_secret_is_printed_or_logged(broker: SecuredBroker) -> None:
    passwords = broker.passwords().values()
    assert not any(password in broker.log.read_text() for password in passwords)
    kept = [path for path in broker.directory.rglob("*") if path.is_file() and path.suffix not in {".pem", ".key"}]
    assert not [path for path in kept for password in passwords if password in path.read_text()]
