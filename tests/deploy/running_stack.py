"""The stack of compose.yaml as plain processes: our commands with their environment, on ports of this machine."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from services.demo.ports import free_port
from services.demo.postgres_home import installed_binaries
from services.demo.system_user import SystemUser
from tests.deploy.stack import DEPLOY, Stack

PROGRAMS = Path(sys.executable).parent
OWNER = "lifeline_service"
"""The role that deploy/database makes."""
PASSWORD_LISTENER, SERVICE_LISTENER = 8883, 8885


@dataclass
class Process:
    """A started process and its log."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    running: subprocess.Popen[bytes] = field(init=False)

    def start(self, directory: Path) -> None:
        with self.log.open("wb") as output:
            self.running = subprocess.Popen(
                self.command, env=self.environment, cwd=directory, stdout=output, stderr=output
            )

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def wait_until(self, condition: Callable[[], bool], within_s: float = 40.0) -> None:
        """Raises AssertionError with the log when the process ends before, or the time is over."""
        deadline = time.monotonic() + within_s
        while not condition():
            assert self.running.poll() is None, f"{self.name} ended:\n{self.said()}"
            assert time.monotonic() < deadline, f"{self.name} is not ready:\n{self.said()}"
            time.sleep(0.1)

    def stop(self, within_s: float) -> int:
        """Ask it to stop as Compose does; its exit code, or that of a killed process when it takes too long."""
        if self.running.poll() is None:
            self.running.send_signal(signal.SIGTERM)
        try:
            return self.running.wait(within_s)
        except subprocess.TimeoutExpired:
            self.running.kill()
            return self.running.wait()


@contextmanager
def owned_database(server_url: str, password: str, directory: Path) -> Iterator[str]:
    """A new database as the database container makes it: with the role of our services as its owner, not migrated."""
    server, name = urlsplit(server_url), f"stack_{uuid.uuid4().hex}"
    psql = shutil.which("psql") or str(installed_binaries(SystemUser.for_database()) / "psql")
    environment = {
        "PATH": f"{Path(psql).parent}:{os.environ['PATH']}",
        "PGHOST": server.hostname or "127.0.0.1",
        "PGPORT": str(server.port or 5432),
        "PGPASSWORD": server.password or "",
        "POSTGRES_USER": server.username or "postgres",
        "POSTGRES_DB": name,
        "STACK_DATABASE_PASSWORD": password,
    }
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        try:
            script = DEPLOY / "database" / "100-owner.sh"
            subprocess.run([script], env=environment, check=True, timeout=60, cwd=directory)
            yield f"{server.hostname}:{server.port or 5432}/{name}"
        finally:
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
            connection.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(OWNER)))


@dataclass
class RunningStack:
    """The stack's processes; paths and addresses of the containers are put in place of this machine's."""

    stack: Stack
    directory: Path
    replacements: dict[str, str]
    processes: dict[str, Process] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)

    def environment(self, service: str) -> dict[str, str]:
        """Exactly the variables of the compose file, and where the program is."""
        port = self.ports.setdefault(service, free_port(0))
        environment = {"PATH": f"{PROGRAMS}:{os.environ['PATH']}", "PYTHONPYCACHEPREFIX": "/tmp/lifeline-pycache"}  # noqa: S108 - nothing secret is compiled
        for name, value in self.stack.environment(service).items():
            environment[name] = str(port) if name.endswith(("API_PORT", "METRICS_PORT")) else self._here(value)
        return environment

    def _here(self, text: str) -> str:
        for there, here in self.replacements.items():
            text = text.replace(there, here)
        return text

    def run(self, service: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a service to its end, with its own command or with other arguments, as `docker compose run` does."""
        definition = self.stack.services[service]
        entrypoint = definition.get("entrypoint", [str(PROGRAMS / "lifeline")])
        command = [self._here(part) for part in [*entrypoint, *(arguments or definition["command"])]]
        environment = self.environment(service) | {"DEVICES_HOME": str(self.directory / "devices")}
        return subprocess.run(
            command, env=environment, cwd=self.directory, capture_output=True, text=True, check=False, timeout=120
        )

    def start(self, service: str) -> Process:
        """Start a lasting service of ours."""
        command = [str(PROGRAMS / "lifeline"), *self.stack.services[service]["command"]]
        process = Process(service, command, self.environment(service), self.directory / f"{service}.log")
        process.start(self.directory)
        self.processes[service] = process
        return process

    def check_health(self, service: str, command: list[str]) -> subprocess.CompletedProcess[str]:
        """Run a health check as the container engine does, on the port of this machine."""
        port = str(self.ports.get(service, 0))
        here = [part.replace(":8000/", f":{port}/").replace(":9100/", f":{port}/") for part in command]
        program = shutil.which(here[0], path=f"{PROGRAMS}:{os.environ['PATH']}")
        assert program is not None
        return subprocess.run(
            [program, *here[1:]],
            env=self.environment(service),
            cwd=self.directory,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    def start_broker(self, program: Path) -> Process:
        """Mosquitto with the deployment's own configuration; only paths and ports are this machine's."""
        text = (DEPLOY / "mosquitto" / "mosquitto.conf").read_text(encoding="utf-8")
        store = self.directory / "broker"
        store.mkdir()
        here = {"/mosquitto/config/devices": str(self.directory / "devices/mosquitto"), "/mosquitto/data": str(store)}
        for there, place in here.items():
            text = text.replace(there, place)
        text = re.sub(r"(?m)^listener (\d+)$", lambda match: f"listener {self._port(match[1])} 127.0.0.1", text)
        if os.geteuid() == 0:
            text += "user root\n"  # otherwise it becomes a user who cannot read what was written here
        configuration = self.directory / "mosquitto.conf"
        configuration.write_text(text, encoding="utf-8")
        process = Process("broker", [str(program), "-c", str(configuration)], {}, self.directory / "broker.log")
        process.start(self.directory)
        self.processes["broker"] = process
        return process

    def _port(self, listener: str) -> int:
        return self.ports.setdefault(listener, free_port(0))

    def stop_everything(self) -> None:
        for process in self.processes.values():
            process.stop(within_s=10)


@contextmanager
def running_stack(stack: Stack, server_url: str, directory: Path) -> Iterator[RunningStack]:
    """The stack, nothing of it started yet."""
    password = stack.environment("database")["STACK_DATABASE_PASSWORD"]
    with ExitStack() as ends:
        database = ends.enter_context(owned_database(server_url, password, directory))
        broker = free_port(0)
        replacements = {
            "database:5432/lifeline": database,
            "broker:8885": f"127.0.0.1:{broker}",
            "/run/broker/alerts": str(directory / "devices/alerts/alerts"),
            "/run/broker": str(directory / "devices/services"),
            "/etc/lifeline/devices.sh": str(DEPLOY / "devices.sh"),
            "0.0.0.0": "127.0.0.1",
        }
        running = RunningStack(stack, directory, replacements, ports={str(SERVICE_LISTENER): broker})
        ends.callback(running.stop_everything)
        yield running


def health_check_of_the_image() -> list[str]:
    """The command of the Dockerfile's HEALTHCHECK."""
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    found = re.search(r"HEALTHCHECK[^\[]*(\[.*\])", text)
    assert found is not None
    return [part.rstrip(",") for part in shlex.split(found[1].strip("[]"))]
