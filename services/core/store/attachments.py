"""Files of work orders: the content once by its SHA-256, and who put it to which order."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from psycopg import AsyncConnection
from psycopg.rows import class_row

from services.core.field_feedback import Attachment
from services.core.file_content import FileContent
from services.core.store import audit, events
from services.core.work_order import WorkOrder

MOST_FILES = 100
"""So many files an order may have."""
_COLUMNS = """
    attachment.id, work_order, feedback, encode(attachment.sha256, 'hex') as sha256, name, media_type, size_bytes,
    width, height, thumbnail is not null as has_thumbnail, author, at
"""


async def add(
    connection: AsyncConnection,
    order: WorkOrder,
    *,
    name: str,
    content: bytes,
    kind: FileContent,
    feedback: UUID | None,
    actor: str,
    now: datetime,
) -> Attachment:
    """Keep a file; what is there already is not stored a second time."""
    digest = hashlib.sha256(content)
    kept = Attachment(
        id=uuid4(),
        work_order=order.id,
        feedback=feedback,
        sha256=digest.hexdigest(),
        name=name,
        media_type=kind.media_type,
        size_bytes=len(content),
        width=kind.width,
        height=kind.height,
        has_thumbnail=kind.thumbnail is not None,
        author=actor,
        at=now,
    )
    await connection.execute(
        """
        insert into stored_file (sha256, content, media_type, thumbnail, width, height)
        values (%s, %s, %s, %s, %s, %s) on conflict (sha256) do nothing
        """,
        (digest.digest(), content, kind.media_type, kind.thumbnail, kind.width, kind.height),
    )
    await connection.execute(
        """
        insert into attachment (id, work_order, feedback, sha256, name, size_bytes, author, at)
        values (%s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (kept.id, order.id, feedback, digest.digest(), name, len(content), actor, now),
    )
    await audit.record(
        connection,
        actor=actor,
        action="work-order.attach",
        subject_kind="work-order",
        subject=order.id,
        after={"attachment": str(kept.id), "name": name, "sha256": kept.sha256, "media_type": kind.media_type},
    )
    await events.announce(connection, "work-order", str(order.id))
    return kept


async def count_of(connection: AsyncConnection, order: UUID) -> int:
    """How many files an order has."""
    cursor = await connection.execute("select count(*) from attachment where work_order = %s", (order,))
    row = await cursor.fetchone()
    return 0 if row is None else int(row[0])


async def of_orders(connection: AsyncConnection, orders: Sequence[UUID]) -> list[Attachment]:
    """The files of some orders, oldest first."""
    async with connection.cursor(row_factory=class_row(Attachment)) as cursor:
        await cursor.execute(
            f"select {_COLUMNS} from attachment join stored_file using (sha256) "
            "where work_order = any(%s) order by at, attachment.id",
            (list(orders),),
        )
        return await cursor.fetchall()


async def find(connection: AsyncConnection, order: UUID, attachment: UUID) -> Attachment | None:
    """One file of an order, without its content."""
    async with connection.cursor(row_factory=class_row(Attachment)) as cursor:
        await cursor.execute(
            f"select {_COLUMNS} from attachment join stored_file using (sha256) "
            "where attachment.id = %s and work_order = %s",
            (attachment, order),
        )
        return await cursor.fetchone()


async def content_of(connection: AsyncConnection, attachment: Attachment) -> bytes:
    """The bytes of a file, as they came.

    Raises:
        LookupError: the content is not there.
    """
    return await _bytes(connection, "content", attachment)


async def thumbnail_of(connection: AsyncConnection, attachment: Attachment) -> bytes:
    """A small picture of an image, as JPEG.

    Raises:
        LookupError: there is none.
    """
    return await _bytes(connection, "thumbnail", attachment)


async def _bytes(connection: AsyncConnection, column: str, attachment: Attachment) -> bytes:
    cursor = await connection.execute(
        f"select {column} from stored_file where sha256 = %s".encode(), (bytes.fromhex(attachment.sha256),)
    )
    row = await cursor.fetchone()
    if row is None or row[0] is None:
        raise LookupError(f"attachment {attachment.id} has no {column}")
    return bytes(row[0])
