"""Which code judges: the release, and a digest of the sources that decide."""

import platform
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

_ROOMS = ("alerts", "core")
"""The rooms whose code decides what is found."""
_NOT_DECIDING = ("store", "notify", "__pycache__")


@cache
def code_version() -> dict[str, str]:
    """Release, digest of the sources, and the versions of what computes with them."""
    services = Path(__file__).parent.parent
    digest = sha256()
    for room in _ROOMS:
        for path in sorted((services / room).rglob("*.py")):
            if not set(_NOT_DECIDING).intersection(path.relative_to(services).parts):
                digest.update(path.relative_to(services).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return {
        "lifeline": version("lifeline"),
        "sources": digest.hexdigest()[:16],
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "scipy": version("scipy"),
    }
