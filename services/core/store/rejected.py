"""What was set aside, as people see it: found, looked at, asked to be read again, dismissed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import class_row

from services.core.rejection import Obstacle, RejectionReason, find_obstacle
from services.core.store import audit
from services.core.store.rejections import KEPT_PAYLOADS

CHANNEL = "lifeline_rejection"
"""Notified when rejections are to be read again."""

_SUBJECT_KIND = "rejection"
_SAMPLE_BYTES = 1_000
_HELD = f"""
select id, topic, reason, sensor, detail, sender, count, first_seen, last_seen, reprocess_requested_at,
    reprocess_requested_by, reprocessed_at,
    (select count(*) from rejected_payload where rejection = rejection.id) as kept,
    (select substring(payload for {_SAMPLE_BYTES}) from rejected_payload where rejection = rejection.id
     order by received_at desc, rejected_payload.id desc limit 1) as sample
from rejection
"""
# Locked in the order in which ingest locks them.
_REQUEST = """
with chosen as (
    select id from rejection where {condition} order by topic, reason, sensor for update
), marked as (
    update rejection set reprocess_requested_at = clock_timestamp(), reprocess_requested_by = %(by)s
    where id in (select id from chosen) returning id
)
select (select count(*) from marked), (select count(*) from rejected_payload where rejection in (select id from marked))
"""


@dataclass(frozen=True, slots=True)
class HeldRejection:
    """One kind of trouble of one sender.

    ``count`` is how often it came and could not be mended, ``kept`` how many of those payloads are still there,
    ``sample`` the beginning of the newest one. ``reprocess_requested_at`` is set until ingest has read them again.
    """

    id: int
    topic: str
    reason: RejectionReason
    sensor: str | None
    detail: str
    sender: str | None
    count: int
    first_seen: datetime
    last_seen: datetime
    reprocess_requested_at: datetime | None
    reprocess_requested_by: str | None
    reprocessed_at: datetime | None
    kept: int
    sample: bytes | None

    def __post_init__(self) -> None:
        """Give the reason its type; the database knows a word alone."""
        object.__setattr__(self, "reason", RejectionReason(self.reason))


@dataclass(frozen=True, slots=True)
class KeptPayload:
    """What arrived, as far as it was kept."""

    id: int
    payload: bytes
    encoding: str
    is_cut: bool
    received_at: datetime

    def obstacle(self, topic: str) -> Obstacle | None:
        """What keeps it from being read again."""
        return find_obstacle(topic, self.encoding, is_cut=self.is_cut)


@dataclass(frozen=True, slots=True)
class RejectionSelection:
    """The rejections that meet every condition given; without any, all of them. ``since`` is when they last came."""

    reason: RejectionReason | None = None
    sensor: str | None = None
    sender: str | None = None
    topic_prefix: str | None = None
    since: datetime | None = None

    def wanted(self) -> dict[str, Any]:
        """The conditions that were given."""
        given = {
            "reason": self.reason,
            "sensor": self.sensor,
            "sender": self.sender,
            "topic_prefix": self.topic_prefix,
            "since": self.since,
        }
        return {name: value for name, value in given.items() if value is not None}

    def condition(self) -> str:
        """What stands behind ``where``, over table ``rejection``; its parameters are what is ``wanted``."""
        conditions = {
            "reason": "reason = %(reason)s",
            "sensor": "sensor = %(sensor)s",
            "sender": "sender = %(sender)s",
            "topic_prefix": "starts_with(topic, %(topic_prefix)s)",
            "since": "last_seen >= %(since)s",
        }
        return " and ".join(conditions[name] for name in self.wanted()) or "true"


@dataclass(frozen=True, slots=True)
class ReprocessRequest:
    """How much was asked to be read again."""

    rejections: int
    payloads: int


async def list_rejections(
    connection: AsyncConnection, selection: RejectionSelection, *, before: tuple[datetime, int] | None, limit: int
) -> list[HeldRejection]:
    """Those that came last first; ``before`` is when the last one of an earlier page last came, and its number."""
    behind = "" if before is None else "and (last_seen, id) < (%(before)s, %(before_id)s)"
    statement = f"{_HELD} where {selection.condition()} {behind} order by last_seen desc, id desc limit %(limit)s"
    position = {} if before is None else {"before": before[0], "before_id": before[1]}
    async with connection.cursor(row_factory=class_row(HeldRejection)) as cursor:
        await cursor.execute(statement.encode(), selection.wanted() | position | {"limit": limit})
        return await cursor.fetchall()


async def find(connection: AsyncConnection, identifier: int) -> HeldRejection | None:
    """One rejection; ``None`` when there is no such."""
    async with connection.cursor(row_factory=class_row(HeldRejection)) as cursor:
        await cursor.execute(f"{_HELD} where id = %s".encode(), (identifier,))
        return await cursor.fetchone()


async def payloads_of(connection: AsyncConnection, identifier: int) -> list[KeptPayload]:
    """What a rejection keeps, newest first."""
    async with connection.cursor(row_factory=class_row(KeptPayload)) as cursor:
        await cursor.execute(
            """
            select id, payload, encoding, is_cut, received_at from rejected_payload
            where rejection = %s order by received_at desc, id desc limit %s
            """,
            (identifier, 2 * KEPT_PAYLOADS),
        )
        return await cursor.fetchall()


async def request_one(connection: AsyncConnection, identifier: int, *, by: str) -> ReprocessRequest | None:
    """Ask ingest to read the payloads of a rejection again; ``None`` when there is no such rejection."""
    requested = await _request(connection, "id = %(id)s", {"id": identifier}, by)
    if requested.rejections == 0:
        return None
    await _record(connection, by, "reprocess", str(identifier), after=_amount(requested))
    return requested


async def request_all(connection: AsyncConnection, selection: RejectionSelection, *, by: str) -> ReprocessRequest:
    """Ask ingest to read the payloads of every rejection that meets the conditions again."""
    wanted = selection.wanted()
    requested = await _request(connection, selection.condition(), wanted, by)
    said = {name: value.isoformat() if isinstance(value, datetime) else str(value) for name, value in wanted.items()}
    await _record(connection, by, "reprocess", "selection", after={"selection": said} | _amount(requested))
    return requested


async def dismiss(connection: AsyncConnection, identifier: int, *, by: str) -> bool:
    """Forget a rejection and what it keeps; ``False`` when there is no such."""
    known = await find(connection, identifier)
    cursor = await connection.execute("delete from rejection where id = %s", (identifier,))
    if known is None or cursor.rowcount == 0:
        return False
    before = {
        "topic": known.topic,
        "reason": known.reason.value,
        "sensor": known.sensor,
        "detail": known.detail,
        "count": known.count,
        "kept": known.kept,
        "last_seen": known.last_seen.isoformat(),
    }
    await _record(connection, by, "dismiss", str(identifier), before=before)
    return True


async def _request(
    connection: AsyncConnection, condition: str, parameters: Mapping[str, Any], by: str
) -> ReprocessRequest:
    async with connection.cursor() as cursor:
        await cursor.execute(_REQUEST.format(condition=condition).encode(), {**parameters, "by": by})
        row = await cursor.fetchone() or (0, 0)
    await connection.execute("select pg_notify(%s, '')", (CHANNEL,))
    return ReprocessRequest(*row)


def _amount(requested: ReprocessRequest) -> dict[str, int]:
    return {"rejections": requested.rejections, "payloads": requested.payloads}


async def _record(
    connection: AsyncConnection,
    by: str,
    action: str,
    subject: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    await audit.record(
        connection,
        actor=by,
        action=f"rejection.{action}",
        subject_kind=_SUBJECT_KIND,
        subject=subject,
        before=before,
        after=after,
    )
