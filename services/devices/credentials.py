"""The passwords that were issued: who has one, since when, and its hashes. The passwords themselves are not kept."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from services.devices import files
from services.devices.device import Device, DeviceKind
from services.devices.failure import DeviceSecurityError
from services.devices.password import PasswordHash, new_password

_COLUMNS = ("name", "kind", "issued_at", "mosquitto", "emqx_salt", "emqx")


@dataclass(frozen=True, slots=True)
class Credential:
    """A user name with the hashes of its password."""

    name: str
    kind: DeviceKind
    issued_at: datetime
    password: PasswordHash


Credentials = Mapping[str, Credential]


def issue(devices: Sequence[Device], now: datetime) -> tuple[dict[str, Credential], dict[str, str]]:
    """A new password for each device: what is kept, and the passwords, both by user name."""
    passwords = {device.name: new_password() for device in devices}
    with ThreadPoolExecutor() as threads:  # hashing leaves the interpreter's lock
        hashes = dict(zip(passwords, threads.map(PasswordHash.of, passwords.values()), strict=True))
    kept = {
        device.name: Credential(device.name, device.kind, now.replace(microsecond=0), hashes[device.name])
        for device in devices
    }
    return kept, passwords


def read(path: Path) -> dict[str, Credential]:
    """The credentials of a file; none when there is no such file.

    Raises:
        DeviceSecurityError: it cannot be read, or is not what was written.
    """
    if not path.exists():
        return {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return {row["name"]: _credential(row) for row in csv.DictReader(file)}
    except (OSError, KeyError, ValueError) as error:
        raise DeviceSecurityError(f"{path} cannot be read: {error}") from None


def _credential(row: Mapping[str, str]) -> Credential:
    return Credential(
        row["name"],
        DeviceKind(row["kind"]),
        datetime.fromisoformat(row["issued_at"]),
        PasswordHash(row["mosquitto"], row["emqx_salt"], row["emqx"]),
    )


def write(path: Path, credentials: Credentials) -> None:
    """Write the credentials, by name, so that two versions can be compared line by line.

    Raises:
        DeviceSecurityError: the file cannot be written.
    """
    lines = (credentials[name] for name in sorted(credentials))
    rows = [
        (c.name, c.kind.value, c.issued_at.isoformat(), c.password.mosquitto, c.password.emqx_salt, c.password.emqx)
        for c in lines
    ]
    files.write(path, table(_COLUMNS, rows))


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """The text of a CSV file."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
