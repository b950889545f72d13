"""Debian's Mosquitto with the published configuration and the files that `lifeline devices` writes."""

import asyncio
import csv
import os
import re
import signal
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiomqtt
from typer.testing import CliRunner

from services.cli import app
from services.core.broker_address import TlsFiles
from services.demo.mosquitto import find_mosquitto
from services.demo.ports import LOOPBACK, free_port
from tests.fixtures.processes import running

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "mosquitto" / "mosquitto.conf"
PORTS = ("8883", "8884", "8885")


def devices(*arguments: object, succeeds: bool = True) -> str:
    """Run `lifeline devices` and return what it printed."""
    result = CliRunner().invoke(app, ["devices", *(str(argument) for argument in arguments)])
    assert (result.exit_code == 0) is succeeds, result.output
    return result.output


@dataclass
class SecuredBroker:
    """A running broker, its directory, and how to come in through each of its three doors."""

    root: Path
    ports: dict[str, int]
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def directory(self) -> Path:
        return self.root / "devices"

    @property
    def log(self) -> Path:
        return self.root / "broker.log"

    def passwords(self) -> dict[str, str]:
        """Every password that was handed out, by user name; the newest counts."""
        found = {}
        for path in sorted(self.root.glob("*.csv")):
            with path.open(newline="") as file:
                found.update({row["name"]: row["password"] for row in csv.DictReader(file)})
        return found

    def certified(self, name: str) -> dict[str, Any]:
        """Connection parameters of a device with a certificate."""
        return self._parameters("8884", self.certificate_files(name))

    def service(self, name: str) -> dict[str, Any]:
        """Connection parameters of a service."""
        return self._parameters("8885", self.certificate_files(name))

    def with_password(self, name: str, password: str | None = None) -> dict[str, Any]:
        """Connection parameters of a device with a password."""
        chosen = self.passwords()[name] if password is None else password
        return {**self._parameters("8883", self.trust()), "username": name, "password": chosen}

    def anonymous(self) -> dict[str, Any]:
        return self._parameters("8883", self.trust())

    def trust(self) -> TlsFiles:
        """What every client knows: the authority."""
        return TlsFiles(self.directory / "authority.pem")

    def certificate_files(self, name: str) -> TlsFiles:
        held = self.directory / "certificates"
        return TlsFiles(self.directory / "authority.pem", held / f"{name}.pem", held / f"{name}.key")

    def _parameters(self, door: str, files: TlsFiles) -> dict[str, Any]:
        return {"hostname": "localhost", "port": self.ports[door], "tls_context": files.context()}

    def read_again(self) -> None:
        """Tell the broker to read its files again, and wait until it has."""
        assert self.process is not None
        before = self._reloads()
        self.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 10
        while self._reloads() == before:
            assert time.monotonic() < deadline, "the broker did not say that it reloads"
            time.sleep(0.02)
        time.sleep(0.2)  # it says so before it does it

    def _reloads(self) -> int:
        return self.log.read_text().count("Reloading config")


@contextmanager
def secured_broker(root: Path, city: Path, *options: str) -> Iterator[SecuredBroker]:
    """A broker for this city, with certificates for two gateways and for ingest; ``options`` are the authority's."""
    broker = SecuredBroker(root, {port: free_port() for port in PORTS})
    devices("authority", broker.directory, "localhost", LOOPBACK, *options)
    devices("credentials", broker.directory, "--city", city, "--out", root / "1-passwords.csv")
    devices("certificate", broker.directory, "ingest")
    program = find_mosquitto()
    assert program is not None
    command = [str(program), "-c", str(_configuration(broker))]
    with running(command, broker.log, lambda: _ready(broker), signal.SIGTERM) as process:
        broker.process = process
        yield broker


def _configuration(broker: SecuredBroker) -> Path:
    """The published file, with this test's directories and ports and nothing else changed."""
    text = CONFIGURATION.read_text()
    text = text.replace("/mosquitto/config/devices", str(broker.directory / "mosquitto"))
    text = text.replace("/mosquitto/data/", f"{broker.root}/")
    for port, chosen in broker.ports.items():
        text = re.sub(rf"^listener {port}$", f"listener {chosen} {LOOPBACK}", text, flags=re.MULTILINE)
    text += "log_type information\n"  # which says when the files were read again
    if os.geteuid() == 0:
        text += "user root\n"  # it would become a user who cannot enter the test's directory
    path = broker.root / "mosquitto.conf"
    path.write_text(text)
    return path


async def _ready(broker: SecuredBroker) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            async with connected(broker.service("ingest")):
                return
        except aiomqtt.MqttError:
            assert time.monotonic() < deadline, broker.log.read_text()
        await asyncio.sleep(0.1)


@asynccontextmanager
async def connected(parameters: dict[str, Any], **more: Any) -> AsyncIterator[aiomqtt.Client]:
    """An MQTT client that is connected for the length of a block."""
    async with aiomqtt.Client(**{"timeout": 5, **parameters, **more}) as client:
        yield client


async def is_refused(parameters: dict[str, Any]) -> bool:
    """Whether the broker ends the connection, or answers CONNECT with anything but success; silence is neither."""
    context, host = parameters.get("tls_context"), parameters["hostname"]
    try:
        async with asyncio.timeout(10):
            reader, writer = await asyncio.open_connection(host, parameters["port"], ssl=context)
            try:
                writer.write(_connect_packet(parameters.get("username"), parameters.get("password")))
                answer = await reader.readexactly(4)
            finally:
                writer.transport.abort()
    except (ssl.SSLError, ConnectionResetError, asyncio.IncompleteReadError):
        return True
    return answer != bytes([0x20, 2, 0, 0])


def _connect_packet(user: str | None, password: str | None) -> bytes:
    """CONNECT of MQTT 3.1.1 with a clean session and no client identifier (section 3.1)."""
    flags = 0x02 | (0x80 if user is not None else 0) | (0x40 if password is not None else 0)
    fields = [text for text in ("", user, password) if text is not None]
    payload = b"".join(len(text).to_bytes(2) + text.encode() for text in fields)
    body = b"\x00\x04MQTT\x04" + bytes([flags]) + (60).to_bytes(2) + payload
    assert len(body) < 128, "the length would take a second byte"
    return bytes([0x10, len(body)]) + body


async def received(client: aiomqtt.Client, until_payload: bytes, within_s: float = 10.0) -> list[tuple[str, bytes]]:
    """What the client's subscriptions bring, up to and with the message that has this payload."""
    came: list[tuple[str, bytes]] = []
    async with asyncio.timeout(within_s):
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            came.append((str(message.topic), message.payload))
            if message.payload == until_payload:
                return came
    raise AssertionError("the connection ended")
