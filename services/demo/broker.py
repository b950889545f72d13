"""The embedded MQTT broker: Mosquitto where it is installed, else rumqttd from the wheel ``iotcore``.

Either listens on 127.0.0.1 alone and asks for a user name and a random password.
"""

import asyncio
import importlib.metadata
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import aiomqtt

from services.demo import mosquitto, rumqttd
from services.demo.directory import DemoError, secret
from services.demo.ports import LOOPBACK, free_port

USER = "lifeline"


@dataclass
class EmbeddedBroker:
    """One broker with its files in ``DATA_DIR/broker``; ``choice`` is auto, mosquitto or iotcore.

    Call ``prepare`` first; ``kind``, ``port``, ``url`` and ``command`` are right only after it.
    """

    data_dir: Path
    wanted_port: int = 1883
    choice: str = "auto"
    port: int = field(init=False, default=0)
    kind: str = field(init=False, default="")
    stop_signal: signal.Signals = field(init=False, default=signal.SIGTERM)

    def prepare(self) -> None:
        """Choose the broker and its port, and write its configuration.

        Raises DemoError when the wanted broker is not installed.
        """
        self._program = None if self.choice == "iotcore" else mosquitto.find_mosquitto()
        if self.choice == "mosquitto" and self._program is None:
            raise DemoError("mosquitto is not installed: apt install mosquitto, or LIFELINE_BROKER=iotcore")
        self.kind = "mosquitto" if self._program else "iotcore"
        self.port = free_port(self.wanted_port)
        self._password = secret(self.data_dir, "broker")
        directory = (self.data_dir / "broker").resolve()
        directory.mkdir(mode=0o700, exist_ok=True)
        write = mosquitto.write_configuration if self._program else rumqttd.write_configuration
        self._configuration = write(directory, self.port, USER, self._password)

    def command(self) -> list[str]:
        """The command line of the broker, which stays in the foreground."""
        if self._program:
            return [str(self._program), "-c", str(self._configuration)]
        return rumqttd.broker_command(self._configuration)

    @property
    def url(self) -> str:
        """The broker's address, password included: ``mqtt://user:password@127.0.0.1:port``."""
        return f"mqtt://{USER}:{quote(self._password)}@{LOOPBACK}:{self.port}"

    @property
    def shares_subscriptions(self) -> bool:
        """Whether a shared subscription survives the loss of its last client; see ``rumqttd`` for what happens else."""
        return self.kind == "mosquitto"

    def version(self) -> str:
        """Name and version of the broker, for people to read."""
        if self._program is None:
            return f"iotcore {importlib.metadata.version('iotcore')} (rumqttd)"
        shown = subprocess.run([str(self._program), "-h"], capture_output=True, text=True, check=False)
        return shown.stdout.split("\n", 1)[0].strip() or "mosquitto"

    async def wait_ready(self, limit_s: float = 20.0) -> None:
        """Return once an MQTT 5 connection with the password is accepted; raises DemoError after the limit."""
        deadline = time.monotonic() + limit_s
        while True:
            try:
                async with aiomqtt.Client(
                    LOOPBACK,
                    self.port,
                    username=USER,
                    password=self._password,
                    protocol=aiomqtt.ProtocolVersion.V5,
                    timeout=5,
                ):
                    return
            except aiomqtt.MqttError as error:
                if time.monotonic() > deadline:
                    raise DemoError(f"the broker did not answer within {limit_s:g} s: {error}") from error
            await asyncio.sleep(0.05)
