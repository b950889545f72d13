"""Disposal rules as rows: never changed, only followed by a newer one."""

from dataclasses import dataclass
from datetime import datetime

from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from services.core.disposal_rule import DisposalRule, default_rule
from services.core.lifeline import Lifeline
from services.core.store import audit


@dataclass(frozen=True, slots=True)
class KeptRule:
    """A rule with its version, who made it and why; version 0 is the default."""

    lifeline: Lifeline
    version: int
    rule: DisposalRule
    author: str | None = None
    reason: str | None = None
    created_at: datetime | None = None


async def in_force(connection: AsyncConnection, lifeline: Lifeline) -> KeptRule:
    """The newest rule of a lifeline, else the default."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            "select * from disposal_rule where lifeline = %s order by version desc limit 1", (lifeline,)
        )
        row = await cursor.fetchone()
    if row is None:
        return KeptRule(lifeline, 0, default_rule(lifeline))
    rule = DisposalRule.model_validate(row["rule"])
    return KeptRule(lifeline, row["version"], rule, row["author"], row["reason"], row["created_at"])


async def add(
    connection: AsyncConnection, lifeline: Lifeline, rule: DisposalRule, *, author: str, reason: str, now: datetime
) -> KeptRule:
    """Put a rule in force for orders from now on; those that run keep theirs.

    Raises:
        psycopg.errors.UniqueViolation: somebody else has just done so.
    """
    kept = rule.model_copy(update={"is_default": False})
    cursor = await connection.execute(
        """
        insert into disposal_rule (lifeline, version, rule, author, reason, created_at)
        select %(lifeline)s, coalesce(max(version), 0) + 1, %(rule)s, %(author)s, %(reason)s, %(now)s
        from disposal_rule where lifeline = %(lifeline)s returning version
        """,
        {
            "lifeline": lifeline,
            "rule": Jsonb(kept.model_dump(mode="json")),
            "author": author,
            "reason": reason,
            "now": now,
        },
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - the statement inserts one row
    await audit.record(
        connection,
        actor=author,
        action="disposal-rule.add",
        subject_kind="disposal-rule",
        subject=lifeline,
        after={"version": row[0], "rule": kept.model_dump(mode="json"), "reason": reason},
    )
    return KeptRule(lifeline, row[0], kept, author, reason, now)
