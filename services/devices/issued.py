"""The certificates that were issued: for whom, until when, and which of them were revoked."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from services.devices import files
from services.devices.certificate import Revocation
from services.devices.credentials import table
from services.devices.failure import DeviceSecurityError

_COLUMNS = ("serial", "name", "issued_at", "expires_at", "revoked_at")


@dataclass(frozen=True, slots=True)
class Issued:
    """One client certificate."""

    serial: int
    name: str
    issued_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        """Whether a broker with the newest list of revoked ones accepts it."""
        return self.revoked_at is None and now < self.expires_at


def read(path: Path) -> list[Issued]:
    """The certificates of a file, in the order they were issued; none when there is no such file.

    Raises:
        DeviceSecurityError: it cannot be read, or is not what was written.
    """
    if not path.exists():
        return []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [
                Issued(
                    int(row["serial"], 16),
                    row["name"],
                    datetime.fromisoformat(row["issued_at"]),
                    datetime.fromisoformat(row["expires_at"]),
                    datetime.fromisoformat(row["revoked_at"]) if row["revoked_at"] else None,
                )
                for row in csv.DictReader(file)
            ]
    except (OSError, KeyError, ValueError) as error:
        raise DeviceSecurityError(f"{path} cannot be read: {error}") from None


def write(path: Path, issued: Iterable[Issued]) -> None:
    """Write the certificates in the order they were issued.

    Raises:
        DeviceSecurityError: the file cannot be written.
    """
    rows = (
        (
            f"{one.serial:x}",
            one.name,
            one.issued_at.isoformat(),
            one.expires_at.isoformat(),
            one.revoked_at.isoformat() if one.revoked_at else "",
        )
        for one in issued
    )
    files.write(path, table(_COLUMNS, rows))


def revoke(issued: Iterable[Issued], name: str, now: datetime, *, keep_newest: bool = False) -> list[Issued]:
    """The same certificates with those of ``name`` revoked, all of them or all but the newest.

    Raises:
        DeviceSecurityError: there is none of that name to revoke.
    """
    kept = list(issued)
    valid = [place for place, one in enumerate(kept) if one.name == name and one.is_valid(now)]
    chosen = valid[:-1] if keep_newest else valid
    if not chosen:
        raise DeviceSecurityError(f"{name} has no {'older ' if keep_newest else ''}certificate that is still valid")
    for place in chosen:
        kept[place] = replace(kept[place], revoked_at=now.replace(microsecond=0))
    return kept


def revocations(issued: Iterable[Issued]) -> list[Revocation]:
    """What stands on the list of revoked certificates."""
    return [Revocation(one.serial, one.revoked_at) for one in issued if one.revoked_at is not None]
