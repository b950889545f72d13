"""Node-RED with a flow of ours: fetched once, started with files of its own, on loopback, telling nobody."""

import functools
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from services.core.broker_address import BrokerAddress
from services.demo.directory import private_text
from services.demo.ports import free_port
from tests.benchmarks.peers.peer_process import peer_environment, peer_process

HERE = Path(__file__).parent
PACKAGE_FILES = (HERE / "package.json", HERE / "package-lock.json")
CACHE = HERE.parents[2] / ".tools"
# Node-RED 4.1 asks for 18.5; the next major version asks for 22.9.
OLDEST_NODE = (18, 5)
INSTALL_LIMIT_S = 600


@functools.cache
def unavailable() -> str | None:
    """Why Node-RED cannot run, or None; fetches it when it is not there yet."""
    node, npm = _program("node"), _program("npm")
    if node is None or npm is None:
        return "node and npm are not installed"
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if tuple(int(part) for part in version.lstrip("v").split(".")[:2]) < OLDEST_NODE:
        return f"node {version} is older than {'.'.join(map(str, OLDEST_NODE))}"
    try:
        _install(npm)
    except subprocess.CalledProcessError as error:
        return f"npm ci failed: {error.stderr.strip()[-300:]}"
    except subprocess.TimeoutExpired:
        return f"npm ci took more than {INSTALL_LIMIT_S} s"
    return None


@asynccontextmanager
async def running_flow(flow: str, broker_url: str, database_url: str, table: str) -> AsyncIterator[None]:
    """Node-RED with the flow of this name, subscribed and with an empty table; all is gone at the end.

    Raises:
        RuntimeError: Node-RED is not available or stores nothing.
    """
    if (reason := unavailable()) is not None:
        raise RuntimeError(reason)
    node, address = _program("node"), BrokerAddress.parse(broker_url)
    assert node is not None
    environment = peer_environment(broker_url, database_url, table) | {
        "NODE_PATH": str(_installed() / "node_modules"),
        "PEER_BROKER_HOST": address.host,
        "PEER_BROKER_PORT": str(address.port),
        "PEER_BROKER_USER": address.user or "",
        "PEER_BROKER_PASSWORD": address.password or "",
    }
    with tempfile.TemporaryDirectory(prefix="lifeline-peer-") as name:
        directory = Path(name)
        shutil.copy(HERE / f"{flow}.flow.json", directory / "flows.json")
        # The variables are named here and filled in by Node-RED, so that no file holds the password either.
        private_text(
            directory / "flows_cred.json",
            '{"broker": {"user": "${PEER_BROKER_USER}", "password": "${PEER_BROKER_PASSWORD}"}}',
        )
        program = _installed() / "node_modules" / "node-red" / "red.js"
        command = [node, str(program), "--userDir", name, "--settings", str(HERE / "node_red_settings.js")]
        command += ["--port", str(free_port()), "flows.json"]
        async with peer_process(command, environment, directory / "log"):
            yield


def _program(name: str) -> str | None:
    """The machine's own, or the one beside the interpreter where Node.js came as a wheel."""
    return shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))


def _installed() -> Path:
    """Where the locked packages are; other packages are another folder."""
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in PACKAGE_FILES)).hexdigest()
    return CACHE / f"node-red-{digest[:16]}"


def _install(npm: str) -> None:
    """The packages of the lock file, without running any script of theirs; whole or not at all.

    Raises:
        subprocess.CalledProcessError: npm could not fetch them.
        subprocess.TimeoutExpired: it took too long.
    """
    if _installed().exists():
        return
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as name:
        part = Path(name, "part")
        part.mkdir()
        for file in PACKAGE_FILES:
            shutil.copy(file, part)
        subprocess.run(
            [npm, "ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund"],
            cwd=part,
            env={**os.environ, "PATH": f"{Path(npm).parent}{os.pathsep}{os.environ.get('PATH', '')}"},
            capture_output=True,
            text=True,
            check=True,
            timeout=INSTALL_LIMIT_S,
        )
        part.replace(_installed())
