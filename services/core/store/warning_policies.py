"""Warning policies as rows: never changed, only followed by a newer one."""

from dataclasses import dataclass
from datetime import datetime

from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from services.core.store import audit
from services.core.warning_policy import DEFAULT_POLICY, WarningPolicy


@dataclass(frozen=True, slots=True)
class KeptPolicy:
    """A policy with its version, who made it and why."""

    version: int
    policy: WarningPolicy
    author: str
    reason: str
    created_at: datetime


async def in_force(connection: AsyncConnection) -> tuple[WarningPolicy, int | None]:
    """The newest policy and its version; the default, without a version, where there is none."""
    newest = await list_policies(connection, limit=1)
    return (newest[0].policy, newest[0].version) if newest else (DEFAULT_POLICY, None)


async def find(connection: AsyncConnection, version: int | None) -> WarningPolicy:
    """The policy of a version; the default for none."""
    if version is None:
        return DEFAULT_POLICY
    cursor = await connection.execute("select policy from warning_policy where version = %s", (version,))
    row = await cursor.fetchone()
    return DEFAULT_POLICY if row is None else WarningPolicy.model_validate(row[0])


async def list_policies(connection: AsyncConnection, limit: int) -> list[KeptPolicy]:
    """The newest first."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute("select * from warning_policy order by version desc limit %s", (limit,))
        return [
            KeptPolicy(**(row | {"policy": WarningPolicy.model_validate(row["policy"])}))
            for row in await cursor.fetchall()
        ]


async def add(connection: AsyncConnection, policy: WarningPolicy, *, author: str, reason: str, now: datetime) -> int:
    """Put a policy in force; returns its version.

    Raises:
        psycopg.errors.UniqueViolation: somebody else has just done so.
    """
    cursor = await connection.execute(
        """
        insert into warning_policy (version, policy, author, reason, created_at)
        select coalesce(max(version), 0) + 1, %s, %s, %s, %s from warning_policy returning version
        """,
        (Jsonb(policy.model_dump(mode="json")), author, reason, now),
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - the statement inserts one row
    version = int(row[0])
    await audit.record(
        connection,
        actor=author,
        action="warning-policy.add",
        subject_kind="warning-policy",
        subject=str(version),
        after={"policy": policy.model_dump(mode="json"), "reason": reason},
    )
    return version
