"""The files that the demo's processes write to: ``DATA_DIR/logs/NAME.log``."""

import os
from pathlib import Path

ROTATE_ABOVE_BYTES = 10 * 1024 * 1024
TAIL_BYTES = 8192


def open_log(directory: Path, name: str) -> int:
    """A descriptor that appends to a process's log; one above 10 MB is first put aside as ``NAME.log.1``.

    Sizes are looked at when a process starts, so a log outgrows the limit while its process lives.
    """
    directory.mkdir(parents=True, exist_ok=True)
    path = log_path(directory, name)
    if path.exists() and path.stat().st_size > ROTATE_ABOVE_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def log_path(directory: Path, name: str) -> Path:
    """Where a process's log lies."""
    return directory / f"{name}.log"


def tail(path: Path, lines: int = 5) -> str:
    """The last lines of a log, indented to stand below a message; empty when there is nothing."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL_BYTES))
        text = file.read().decode(errors="replace")
    return "\n".join(f"  {line}" for line in text.strip().splitlines()[-lines:])
