"""The embedded database: PostgreSQL 18 from a wheel, run as a child process.

Nothing is left running: whoever calls :meth:`EmbeddedPostgres.command` owns the server. It listens on
127.0.0.1 alone and asks for a password (scram-sha-256) that only the owner of the data directory can read.
"""

import asyncio
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg

from services.demo.directory import DemoError, secret
from services.demo.ports import LOOPBACK, free_port
from services.demo.postgres_home import database_home, end_leftover_server, installed_binaries
from services.demo.system_user import SystemUser

DATABASE = ROLE = "lifeline"
LONGEST_SOCKET_PATH = 100  # sun_path holds 104 bytes on macOS and 108 on Linux
# Sorting and case by Unicode code point, the same on every machine whatever locales it has.
CLUSTER = (
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
)
SETTINGS = {
    "checkpoint_timeout": "15min",
    "fsync": "on",
    "jit": "off",
    "listen_addresses": LOOPBACK,
    "log_timezone": "UTC",
    "max_connections": "100",
    "max_wal_size": "2GB",
    "shared_buffers": "256MB",
    "synchronous_commit": "on",
    "timezone": "UTC",
}


@dataclass
class EmbeddedPostgres:
    """One database server with the database ``lifeline`` in ``DATA_DIR/postgres``.

    Call ``prepare`` first; ``command``, ``user``, ``port`` and ``url`` are right only after it.
    """

    data_dir: Path
    wanted_port: int = 54320
    port: int = field(init=False, default=0)
    user: SystemUser | None = field(init=False, default=None)
    stop_signal: signal.Signals = field(init=False, default=signal.SIGINT)  # "fast": roll back and stop

    def prepare(self) -> None:
        """Make the cluster when there is none yet, clear what a killed server left, and choose a port.

        Raises DemoError when the wheel is missing, when the cluster is of another version or cannot be made.
        """
        self.user = SystemUser.for_database()
        self._home = database_home(self.data_dir.resolve(), self.user)
        self._binaries = installed_binaries(self.user)
        self._password = secret(self.data_dir, "postgres")
        self._pgdata = self._home / "pgdata"
        if not self._pgdata.exists():
            self._make_cluster()
        end_leftover_server(self._pgdata)
        self.port = self._choose_port()

    def command(self) -> list[str]:
        """The command line of the server; run it as ``user`` when there is one."""
        settings = SETTINGS | {"port": str(self.port), "unix_socket_directories": self._socket_directory()}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self._binaries / "postgres"), "-D", str(self._pgdata), *options]

    def url(self, database: str = DATABASE) -> str:
        """The address of a database on this server, password included."""
        return f"postgresql://{ROLE}:{quote(self._password)}@{LOOPBACK}:{self.port}/{quote(database)}"

    async def wait_ready(self, limit_s: float = 60.0) -> None:
        """Return once the server answers a query; raises DemoError after the limit."""
        deadline = time.monotonic() + limit_s
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self.url(), connect_timeout=5) as connection:
                    await connection.execute("SELECT 1")
                    return
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline:
                    raise DemoError(f"the database did not answer within {limit_s:g} s: {error}") from error
            await asyncio.sleep(0.05)

    def _make_cluster(self) -> None:
        """Made beside its final place and moved there last, so that an interrupted start leaves no half of one."""
        fresh = self._home / "pgdata.new"
        self._run(["rm", "-rf", str(fresh)])
        password_file = self._home / "password"
        password_file.write_text(self._password, encoding="utf-8")
        try:
            initdb = [str(self._binaries / "initdb"), "-D", str(fresh), "-U", ROLE, f"--pwfile={password_file}"]
            self._run([*initdb, *CLUSTER])
        finally:
            password_file.unlink()
        single = [str(self._binaries / "postgres"), "--single", "-D", str(fresh), "postgres"]
        self._run(single, text=f"CREATE DATABASE {DATABASE}\n")
        fresh.rename(self._pgdata)

    def _run(self, command: list[str], text: str = "") -> None:
        uid, gid = (self.user.uid, self.user.gid) if self.user else (None, None)
        done = subprocess.run(
            command,
            input=text,
            text=True,
            capture_output=True,
            check=False,
            cwd="/",
            user=uid,
            group=gid,
            extra_groups=[] if self.user else None,
        )
        if done.returncode != 0:
            lines = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()
            raise DemoError(f"{Path(command[0]).name} failed: {lines[-1]}")

    def _choose_port(self) -> int:
        memory = self.data_dir / "postgres.port"
        remembered = memory.read_text(encoding="utf-8").strip() if memory.exists() else ""
        port = free_port(int(remembered) if remembered.isdigit() else self.wanted_port)
        memory.write_text(f"{port}\n", encoding="utf-8")
        return port

    def _socket_directory(self) -> str:
        """The cluster's own directory; none at all where its path is too long for a socket."""
        longest = str(self._pgdata / ".s.PGSQL.65535.lock")
        return str(self._pgdata) if len(longest.encode()) <= LONGEST_SOCKET_PATH else ""
