"""Files that only their owner can read, written whole or not at all."""

import os
from pathlib import Path

from services.devices.failure import DeviceSecurityError

PRIVATE = 0o600
PUBLIC = 0o644


def write(path: Path, content: str | bytes, mode: int = PRIVATE) -> None:
    """Replace a file in one step. A broker that reads it again at that moment sees the old one or the new one.

    Run as root, the file gets its directory's owner: a broker that has put its own privileges off, and was made the
    owner of the directory, can go on reading what is written there later.

    Raises:
        DeviceSecurityError: it cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            os.fchmod(file.fileno(), mode)
            if os.geteuid() == 0:
                owner = path.parent.stat()
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise DeviceSecurityError(f"{path} cannot be written: {error.strerror}") from None


def write_new(path: Path, content: str | bytes, mode: int = PRIVATE) -> None:
    """Write a file that must not be there yet.

    Raises:
        DeviceSecurityError: it is there, or it cannot be written.
    """
    if path.exists():
        raise DeviceSecurityError(f"{path} is there already and is not overwritten")
    write(path, content, mode)


def private_directory(path: Path) -> None:
    """Make a directory, with its parents, that only its owner can enter; leave one that is there as it is.

    Raises:
        DeviceSecurityError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise DeviceSecurityError(f"{path} cannot be made: {error.strerror}") from None
