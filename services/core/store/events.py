"""What live listeners are told, in commit order and replayable; the database's notification only wakes them."""

import re
from dataclasses import dataclass

from psycopg import AsyncConnection

CHANNEL = "lifeline_event"
_POSITION = re.compile(r"([0-9]{1,19})-([0-9]{1,19})")
_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True, order=True)
class EventPosition:
    """A place in the stream of events: the writing transaction, then the order within it."""

    transaction_id: int
    id: int

    def __str__(self) -> str:
        """The form that goes into a stream's ``id`` field."""
        return f"{self.transaction_id}-{self.id}"

    @classmethod
    def parse(cls, text: str) -> "EventPosition":
        """The inverse of ``str``.

        Raises:
            ValueError: the text is not a position.
        """
        found = _POSITION.fullmatch(text)
        numbers = [] if found is None else [int(number) for number in found.groups()]
        if not numbers or max(numbers) > _LARGEST:
            raise ValueError(f"{text!r} is not a position in the stream")
        return cls(*numbers)


@dataclass(frozen=True, slots=True)
class Event:
    """Something changed: ``type`` says what kind of thing and ``subject`` which one."""

    position: EventPosition
    type: str
    subject: str


async def announce(connection: AsyncConnection, type_: str, subject: str) -> None:
    """Tell listeners, once the caller's transaction commits."""
    await connection.execute("insert into event (type, subject) values (%s, %s)", (type_, subject))
    await connection.execute("select pg_notify(%s, '')", (CHANNEL,))


async def newest(connection: AsyncConnection) -> EventPosition:
    """Where the stream ends now: a listener without a memory starts here."""
    cursor = await connection.execute(
        "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1, 9223372036854775807"
    )
    row = await cursor.fetchone()
    if row is None:
        raise RuntimeError("the database answered a snapshot query with nothing")
    return EventPosition(*row)


async def after(connection: AsyncConnection, position: EventPosition, limit: int = 500) -> list[Event]:
    """What was committed after a position.

    Rows of transactions that might still be overtaken by an older, open one are held back: sequence order is not
    commit order when several processes write.
    """
    cursor = await connection.execute(
        """
        select transaction_id::text::bigint, id, type, subject from event
        where (transaction_id, id) > (%s::text::xid8, %s)
          and transaction_id < pg_snapshot_xmin(pg_current_snapshot())
        order by transaction_id, id limit %s
        """,
        (position.transaction_id, position.id, limit),
    )
    return [Event(EventPosition(row[0], row[1]), row[2], row[3]) async for row in cursor]
