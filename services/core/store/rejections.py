"""Writing down payloads that could not become readings, and forgetting them: whatever devices do, it stays bounded.

There is one row for one kind of trouble of one sender, which counts exactly, and beside it what arrived last. A
rejection holds the newest ``KEPT_PAYLOADS`` payloads, as far as they fit into ``KEPT_BYTES``. At no time there are more
than twice as many payloads and ``MOST_BYTES``: the surplus is taken away once in so many payloads, so that a chattering
device costs little.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from psycopg import AsyncConnection

from services.core.rejection import CUT_MARK, MAX_KEPT_BYTES, Rejection

KEPT_PAYLOADS = 100
KEPT_BYTES = 2 * MAX_KEPT_BYTES
"""One payload of the greatest length leaves room for a hundred ordinary ones."""
MOST_BYTES = KEPT_BYTES + MAX_KEPT_BYTES
PRUNED_AT_ONCE = 100
"""Rejections that are forgotten in one transaction."""
OLD_PAYLOADS_AT_ONCE = 1_000

_TRIM_EVERY = KEPT_PAYLOADS
_LARGE_BYTES = (MOST_BYTES - KEPT_BYTES) // _TRIM_EVERY
"""Payloads no longer than this cannot exceed the bound before their number causes a trim."""
_MAX_KEY_BYTES = 1_024
"""Topic and sensor are part of a key, and a key of PostgreSQL's B-tree has 2,704 bytes at the most."""
_MAX_TEXT = 1_000
_MAX_ENCODING = 200
_PRUNE_LOCK = 7_340_213_551
"""Key of the advisory lock under which one process at a time prunes."""

# In the order of their keys, so that writers never wait for each other in a circle. The rows stay locked until the
# end of the transaction, so that what the following statements see of their payloads is complete.
_COUNT = """
insert into rejection as held (topic, reason, sensor, detail, sender, count, first_seen, last_seen)
select * from unnest(
    %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::bigint[], %b::timestamptz[], %b::timestamptz[]
) as given (topic, reason, sensor, detail, sender, count, first_seen, last_seen)
order by topic, reason, sensor
on conflict (topic, reason, sensor) do update
set count = held.count + excluded.count,
    detail = case when excluded.last_seen >= held.last_seen then excluded.detail else held.detail end,
    sender = case when excluded.last_seen >= held.last_seen then excluded.sender else held.sender end,
    first_seen = least(held.first_seen, excluded.first_seen),
    last_seen = greatest(held.last_seen, excluded.last_seen)
returning id, topic, reason, sensor, count
"""

_KEEP = """
insert into rejected_payload (rejection, payload, encoding, is_cut, received_at)
select rejection, payload, encoding, is_cut, received_at
from unnest(%b::bigint[], %b::bytea[], %b::text[], %b::boolean[], %b::timestamptz[]) with ordinality
    as given (rejection, payload, encoding, is_cut, received_at, position)
order by position
"""

_TRIM = f"""
delete from rejected_payload p using (
    select rejection, id, row_number() over newest as place, sum(octet_length(payload)) over newest as bytes
    from rejected_payload where rejection = any(%b::bigint[])
    window newest as (partition by rejection order by received_at desc, id desc)
) held
where p.rejection = held.rejection and p.id = held.id
  and (held.place > {KEPT_PAYLOADS} or held.bytes > {KEPT_BYTES} and held.place > 1)
"""

# A row that is being written, or was since it was found, is not among the oldest any more.
_PRUNE = f"""
with surplus as (
    select greatest(count(*) - %(keep)s, count(*) filter (where last_seen < %(before)s)) as rejections from rejection
), oldest as materialized (
    select id, last_seen from rejection order by last_seen, id
    limit least({PRUNED_AT_ONCE}, (select rejections from surplus))
)
delete from rejection where id in (
    select r.id from rejection r join oldest on oldest.id = r.id and oldest.last_seen = r.last_seen
    for update of r skip locked)
"""

_PRUNE_PAYLOADS = f"""
delete from rejected_payload where (rejection, id) in (
    select p.rejection, p.id from rejected_payload p join rejection r on r.id = p.rejection
    where r.first_seen < %(before)s and p.received_at < %(before)s
    limit {OLD_PAYLOADS_AT_ONCE} for update of p skip locked)
"""

Key = tuple[str, str, str | None]


@dataclass(slots=True)
class _Group:
    """What one call adds to one row."""

    newest: Rejection
    count: int = 0
    payloads: list[Rejection] = field(default_factory=list)


def _cut(text: str, max_bytes: int) -> str:
    content = text.encode()
    if len(content) <= max_bytes:
        return text
    return content[: max_bytes - len(CUT_MARK.encode())].decode(errors="ignore") + CUT_MARK


def storable(text: str) -> str:
    """The text without what PostgreSQL cannot hold: NUL and halves of surrogate pairs."""
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def key_of(rejection: Rejection) -> Key:
    """Topic, reason and sensor as they stand in the row that counts the rejection."""
    sensor = None if rejection.sensor is None else _cut(storable(rejection.sensor), _MAX_KEY_BYTES)
    return _cut(storable(rejection.topic), _MAX_KEY_BYTES), rejection.reason.value, sensor


def _grouped(rejections: Iterable[Rejection]) -> dict[Key, _Group]:
    groups: dict[Key, _Group] = {}
    for rejection in rejections:
        group = groups.setdefault(key_of(rejection), _Group(rejection))
        group.count += 1
        group.payloads.append(rejection)
        if rejection.received_at >= group.newest.received_at:
            group.newest = rejection
    return groups


def _newest(rejections: Sequence[Rejection]) -> list[Rejection]:
    """Those that will be kept at the most; what does not fit would be written and deleted again."""
    room = KEPT_BYTES
    kept: list[Rejection] = []
    for rejection in reversed(rejections[-KEPT_PAYLOADS:]):
        room -= min(len(rejection.payload), MAX_KEPT_BYTES)
        if kept and room < 0:
            break
        kept.append(rejection)
    return kept[::-1]


async def write_rejections(connection: AsyncConnection, rejections: Sequence[Rejection]) -> None:
    """Set the payloads aside, inside the caller's transaction.

    Write nothing else into these tables before it in the same transaction, so that all writers lock in one order.

    Raises:
        psycopg.OperationalError: the connection is gone.
    """
    if not rejections:
        return
    groups = _grouped(rejections)
    newest = {key: _newest(sorted(group.payloads, key=lambda r: r.received_at)) for key, group in groups.items()}
    rows = await _count(connection, groups)
    kept = [(rows[key][0], rejection) for key, payloads in newest.items() for rejection in payloads]
    await connection.execute(
        _KEEP,
        (
            [row for row, _ in kept],
            [rejection.payload[:MAX_KEPT_BYTES] for _, rejection in kept],
            [storable(rejection.encoding[:_MAX_ENCODING]) for _, rejection in kept],
            [len(rejection.payload) >= MAX_KEPT_BYTES for _, rejection in kept],
            [rejection.received_at for _, rejection in kept],
        ),
    )
    full = [rows[key][0] for key, group in groups.items() if _is_to_be_trimmed(group.count, rows[key][1], newest[key])]
    if full:
        await connection.execute(_TRIM, (full,))


async def _count(connection: AsyncConnection, groups: dict[Key, _Group]) -> dict[Key, tuple[int, int]]:
    """Count each group in its row; the row's number and its whole count."""
    newest = [group.newest for group in groups.values()]
    columns = (
        [topic for topic, _, _ in groups],
        [reason for _, reason, _ in groups],
        [sensor for _, _, sensor in groups],
        [storable(rejection.detail[:_MAX_TEXT]) for rejection in newest],
        [None if rejection.sender is None else storable(rejection.sender[:_MAX_TEXT]) for rejection in newest],
        [group.count for group in groups.values()],
        [min(rejection.received_at for rejection in group.payloads) for group in groups.values()],
        [rejection.received_at for rejection in newest],
    )
    cursor = await connection.execute(_COUNT, columns)
    return {(row[1], row[2], row[3]): (row[0], row[4]) for row in await cursor.fetchall()}


def _is_to_be_trimmed(added: int, count: int, payloads: Sequence[Rejection]) -> bool:
    """Whether the row passed a round count, which it cannot do without having been given so many payloads."""
    if any(len(rejection.payload) > _LARGE_BYTES for rejection in payloads):
        return True
    return count > KEPT_PAYLOADS and count // _TRIM_EVERY != (count - added) // _TRIM_EVERY


async def prune_rejections(connection: AsyncConnection, before: datetime, keep: int = 20_000) -> int:
    """Forget some of the rejections not seen since the moment, and of more than ``keep`` those not seen for longest.

    Returns how many; when they were ``PRUNED_AT_ONCE``, there may be more.
    """
    if not await _is_alone(connection):
        return 0
    cursor = await connection.execute(_PRUNE, {"before": before, "keep": keep})
    return cursor.rowcount


async def prune_payloads(connection: AsyncConnection, before: datetime) -> int:
    """Forget some of the payloads received before the moment, of rejections that go on.

    Returns how many; when they were ``OLD_PAYLOADS_AT_ONCE``, there may be more.
    """
    if not await _is_alone(connection):
        return 0
    cursor = await connection.execute(_PRUNE_PAYLOADS, {"before": before})
    return cursor.rowcount


async def _is_alone(connection: AsyncConnection) -> bool:
    cursor = await connection.execute("select pg_try_advisory_xact_lock(%s)", (_PRUNE_LOCK,))
    row = await cursor.fetchone()
    return bool(row and row[0])
