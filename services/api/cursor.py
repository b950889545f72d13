"""Opaque cursors for lists: where the next page begins."""

import base64
import binascii
from datetime import datetime
from uuid import UUID

from rfc9457 import Problem


def encode(moment: datetime, identifier: UUID | None = None) -> str:
    """The cursor behind an item of a list."""
    text = moment.isoformat() if identifier is None else f"{moment.isoformat()} {identifier}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(cursor: str | None) -> tuple[datetime | None, UUID | None]:
    """The inverse of ``encode``; nothing for no cursor.

    Raises:
        Problem: the cursor is not one of ours.
    """
    if cursor is None:
        return None, None
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        moment, _, identifier = text.partition(" ")
        return _zoned(datetime.fromisoformat(moment)), UUID(identifier) if identifier else None
    except (ValueError, binascii.Error):
        raise Problem(
            "Request not valid",
            type_="not-valid",
            status=422,
            detail="query.cursor: take it from the `next` of an earlier answer",
        ) from None


def _zoned(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a cursor's time has a zone")
    return moment
