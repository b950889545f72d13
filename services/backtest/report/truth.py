"""``truth.csv``: what really happened; only who judges a backtest reads it."""

import csv
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from services.core.recording import RecordingError, moment_of


@dataclass(frozen=True, slots=True)
class Trouble:
    """One line of the truth; ``asset`` is empty where nobody says which."""

    id: str
    kind: str
    asset: str
    start: datetime
    end: datetime
    note: str


def read_truth(folder: Path) -> list[Trouble]:
    """What happened in a recording by the time it began; nothing where the recording does not tell.

    Raises:
        RecordingError: a line of the truth is wrong.
    """
    path = folder / "truth.csv"
    if not path.exists():
        return []
    troubles = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.DictReader(file)
        for row in lines:
            try:
                start, end = moment_of(row["start"]), moment_of(row["end"])
                troubles.append(Trouble(row["id"], row["kind"], row["asset"], start, end, row.get("note") or ""))
            except (ValueError, OverflowError, KeyError, TypeError) as error:
                raise RecordingError(f"{path.name}, line {lines.line_num}: {error}") from None
    return sorted(troubles, key=lambda trouble: (trouble.start, trouble.id))
