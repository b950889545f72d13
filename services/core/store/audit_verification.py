"""Looking for what was changed in the audit trail behind its back."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from psycopg import Connection, IsolationLevel
from psycopg.rows import class_row

from services.core.audit_chain import GENESIS, Checkpoint, CheckpointKind, content_hash, link_hash

_ROWS_AT_ONCE = 20_000
_MOST_FAULTS = 1000
"""More are counted, not named: whoever replaced the trail as a whole did not replace line by line."""

# The text of a line's content, which is what its digest is over. It says the same as the function ``audit_link_after``
# of the database, and does not call it: whoever changes lines may change functions.
CONTENT = """
jsonb_build_array(a.id, (extract(epoch from a.at) * 1000000)::bigint, a.actor, a.action, a.subject_kind, a.subject,
    a.before, a.after, a.address, a.key_name)::text
"""
_LINKS = "select position, entry, content_hash, hash from audit_link where position > %s order by position"
_LINES = f"""
select a.id, {CONTENT}, l.position, l.entry, l.content_hash
from audit a full join audit_link l on l.entry = a.id
where l.position is null or l.position > %s
"""
_GUARDS = (
    "audit_append_only",
    "audit_no_truncate",
    "audit_sealed",
    "audit_link_append_only",
    "audit_link_no_truncate",
    "audit_head_stays",
    "audit_head_no_truncate",
    "audit_checkpoint_append_only",
    "audit_checkpoint_no_truncate",
)


class Change(StrEnum):
    """What was done to the trail."""

    ALTERED = "altered"
    REMOVED = "removed"
    INSERTED = "inserted"
    CHAIN = "chain"
    """A link was made anew, moved or taken out."""
    CUT = "cut"
    """The end is missing."""
    REWRITTEN = "rewritten"
    """The chain fits itself, but not what was signed about it."""
    CHECKPOINT = "checkpoint"
    """A signed statement was changed, removed or made by another key."""
    GUARD = "guard"
    """What keeps the trail from being changed is switched off or gone."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: at which place of the chain, in which line of the trail, and in words."""

    change: Change
    position: int | None
    entry: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification found.

    ``lines`` were looked at, from behind position ``base`` on; what lies before is in an archive. ``sealed_until`` is
    the last position that a checkpoint vouches for: what comes after it is held together by the chain alone.
    """

    lines: int
    base: int
    position: int
    sealed_until: int
    faults: Sequence[Fault]
    more_faults: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


class _Faults:
    """Collects faults, the first thousand by name."""

    def __init__(self) -> None:
        self.named: list[Fault] = []
        self.more = 0

    def add(self, change: Change, text: str, *, position: int | None = None, entry: int | None = None) -> None:
        if len(self.named) < _MOST_FAULTS:
            self.named.append(Fault(change, position, entry, text))
        else:
            self.more += 1


def verify(
    connection: Connection,
    *,
    trusted_key: bytes | None,
    outside: Sequence[Checkpoint] = (),
    progress: Callable[[int], None] = lambda _lines: None,
) -> Verdict:
    """Look at every line, link and checkpoint as they are at one moment.

    Checkpoints of the database count when ``trusted_key`` (the public half, raw) signed them; those from ``outside``
    were kept elsewhere and count as they are. ``progress`` is told how many lines are done. The connection must not be
    in a transaction.
    """
    found = _Faults()
    before = connection.isolation_level
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    try:
        with connection.transaction():
            _look_at_guards(connection, found)
            kept = _kept_checkpoints(connection, trusted_key, found)
            archived = [each for each in kept if each.kind is CheckpointKind.ARCHIVE]
            start = max(archived, key=lambda each: each.position, default=None)
            base, digest = (0, GENESIS) if start is None else (start.position, start.hash)
            seals = {each.position: each for each in (*kept, *outside)}
            clash = [each for each in outside if any(_contradicts(each, other) for other in kept)]
            for each in clash:
                text = f"the checkpoint kept outside and that of the database differ at position {each.position}"
                found.add(Change.REWRITTEN, text, position=each.position)
            last, sealed_until = _follow_links(connection, base, digest, seals, found)
            lines = _look_at_lines(connection, base, found, progress)
            _look_for_missing_checkpoints(connection, kept, found)
    finally:
        connection.isolation_level = before
    return Verdict(lines, base, last, sealed_until, found.named, found.more)


def _contradicts(one: Checkpoint, other: Checkpoint) -> bool:
    return one.position == other.position and one.hash != other.hash


def _look_at_guards(connection: Connection, found: _Faults) -> None:
    on = {row[0] for row in connection.execute("select tgname from pg_trigger where tgenabled in ('O', 'A')")}
    for guard in _GUARDS:
        if guard not in on:
            found.add(Change.GUARD, f"the trigger {guard} is switched off or gone")


def load_checkpoints(connection: Connection) -> list[Checkpoint]:
    """Every checkpoint of the database, by position; whether they are signed is another question."""
    with connection.cursor(row_factory=class_row(Checkpoint)) as cursor:
        cursor.execute("select kind, position, hash, at, public_key, signature from audit_checkpoint order by 2, 1")
        return [
            Checkpoint(CheckpointKind(row.kind), row.position, row.hash, row.at, row.public_key, row.signature)
            for row in cursor
        ]


def _kept_checkpoints(connection: Connection, trusted_key: bytes | None, found: _Faults) -> list[Checkpoint]:
    good = []
    for each in load_checkpoints(connection):
        if not each.is_signed():
            text = f"the {each.kind} checkpoint at position {each.position} was changed: its signature does not fit"
        elif trusted_key is not None and each.public_key != trusted_key:
            text = f"the {each.kind} checkpoint at position {each.position} was signed by another key"
        else:
            good.append(each)
            continue
        found.add(Change.CHECKPOINT, text, position=each.position)
    return good


def _follow_links(
    connection: Connection, base: int, digest: bytes, seals: dict[int, Checkpoint], found: _Faults
) -> tuple[int, int]:
    """The last position there is, and the last one that a checkpoint vouches for."""
    last, sealed_until = base, base
    for position, entry, content, digest_kept in _streamed(connection, _LINKS, base):
        if position != last + 1:
            gap = f"the links {last + 1} to {position - 1} of the chain are gone"
            found.add(Change.CHAIN, gap, position=last + 1)
        elif link_hash(digest, position, bytes(content)) != digest_kept:
            text = f"link {position} of the chain (line {entry}) does not follow from the one before"
            found.add(Change.CHAIN, text, position=position, entry=entry)
        last, digest = position, bytes(digest_kept)
        if (seal := seals.get(position)) is not None:
            if seal.hash == digest:
                sealed_until = position
            else:
                text = f"the chain up to position {position} is not the one that was signed at {seal.at.isoformat()}"
                found.add(Change.REWRITTEN, text, position=position, entry=entry)
    for position in sorted(position for position in seals if position > last):
        text = f"the chain was signed up to position {position} and ends at {last}: its end was cut off"
        found.add(Change.CUT, text, position=last)
    row = connection.execute("select position, hash from audit_head").fetchone()
    if row is None or row[0] != last or bytes(row[1]) != digest:
        noted = "nowhere" if row is None else f"position {row[0]}"
        if row is not None and row[0] > last:
            found.add(Change.CUT, f"the chain should end at {noted} and ends at {last}: its end was cut off")
        else:
            found.add(Change.CHAIN, f"the end of the chain is noted at {noted} and lies at {last}", position=last)
    return last, sealed_until


def _look_at_lines(connection: Connection, base: int, found: _Faults, progress: Callable[[int], None]) -> int:
    lines = 0
    for line, content, position, entry, kept in _streamed(connection, _LINES, base):
        lines += 1
        if lines % _ROWS_AT_ONCE == 0:
            progress(lines)
        if line is None:
            text = f"line {entry} was removed (position {position} of the chain)"
            found.add(Change.REMOVED, text, position=position, entry=entry)
        elif position is None:
            text = f"line {line} was inserted: the chain does not know it"
            found.add(Change.INSERTED, text, entry=line)
        elif content_hash(content) != kept:
            text = f"line {line} is not what was written (position {position} of the chain)"
            found.add(Change.ALTERED, text, position=position, entry=line)
    return lines


def _look_for_missing_checkpoints(connection: Connection, kept: Sequence[Checkpoint], found: _Faults) -> None:
    """Each checkpoint is a line of the trail as well, so that one that is taken away is missed."""
    there = {(each.kind.value, each.position) for each in kept}
    told = connection.execute(
        "select id, after ->> 'kind', (after ->> 'position')::bigint from audit where action = 'audit.checkpoint'"
    )
    for entry, kind, position in told:
        if (kind, position) not in there:
            text = f"the {kind} checkpoint at position {position} is missing (line {entry} says that it was taken)"
            found.add(Change.CHECKPOINT, text, position=position, entry=entry)


def _streamed(connection: Connection, statement: str, base: int) -> Iterator[tuple[Any, ...]]:
    with connection.cursor(name="audit_verification", binary=True) as cursor:
        cursor.itersize = _ROWS_AT_ONCE
        cursor.execute(statement.encode(), (base,))
        yield from cursor
