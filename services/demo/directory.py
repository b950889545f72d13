"""The data directory: made once, private where it must be, held by one demo at a time."""

import fcntl
import os
import secrets
from pathlib import Path
from types import TracebackType
from typing import Self

LOCK_NAME = "demo.lock"


class DemoError(Exception):
    """What stops the demo, in one line that a person can act on."""


def ensure_writable(data_dir: Path) -> None:
    """Make the data directory with its parents, and make sure that files can be written there.

    Raises DemoError when that is not allowed.
    """
    probe = data_dir / f".write-{os.getpid()}"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise DemoError(f"cannot write to the data directory {data_dir}: {error.strerror}") from error


def private_text(path: Path, text: str) -> None:
    """Write a file that only its owner can read, all of it or nothing of it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def secret(data_dir: Path, name: str) -> str:
    """A random secret of 192 bits kept in ``DATA_DIR/secrets/NAME``; made when it is first asked for."""
    directory = data_dir / "secrets"
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    directory.chmod(0o700)
    path = directory / name
    if not path.exists():
        private_text(path, secrets.token_urlsafe(24))
    return path.read_text(encoding="utf-8").strip()


class DirectoryLock:
    """Holds a data directory for this process, until it ends or leaves the ``with`` block.

    The lock belongs to the open file, so a killed holder never leaves a stale one behind.
    Raises DemoError on entering when another demo holds the directory or when it cannot be written.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._path = data_dir / LOCK_NAME
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        ensure_writable(self._data_dir)
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise DemoError(f"cannot write to the data directory {self._data_dir}: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise DemoError(
                f"another demo (pid {holder}) is already running on the data directory {self._data_dir}"
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
