"""What commands show on a terminal."""

from collections.abc import Sequence
from datetime import UTC, datetime


def printable(text: str) -> str:
    r"""The text without anything that moves a cursor, turns the line or hides itself: that is shown as ``\n``."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def utc(moment: datetime) -> str:
    """The moment to the second, in UTC whatever zone it came in."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows below their head, each column as wide as its longest cell."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (head, *rows))
    return "\n".join(line.rstrip() for line in lines)
