"""Opaque cursors for lists: behind which item the next page begins."""

import base64
from datetime import datetime
from uuid import UUID

from services.api import problems


def encode(moment: datetime, identifier: UUID) -> str:
    """The cursor behind an item of a list; many items may share a moment, so it names the item too."""
    return base64.urlsafe_b64encode(f"{moment.isoformat()} {identifier}".encode()).decode().rstrip("=")


def decode(cursor: str | None) -> tuple[datetime, UUID] | None:
    """The inverse of ``encode``; nothing for no cursor.

    Raises:
        Problem: the cursor is not one of ours.
    """
    if cursor is None:
        return None
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        moment, _, identifier = text.partition(" ")
        return _zoned(datetime.fromisoformat(moment)), UUID(identifier)
    except ValueError:
        raise problems.not_valid("query.cursor", "take it from the `next` of an earlier answer") from None


def _zoned(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a cursor's time has a zone")
    return moment
