"""Response plans as rows: a plan is never changed, only followed by its next version."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from services.core.default_plans import DEFAULT_PLANS
from services.core.organisation import Person
from services.core.response_plan import KeptPlan, ResponsePlan, Roster
from services.core.store import audit, depots, forces
from services.core.text import Text


def _kept(row: Mapping[str, Any]) -> KeptPlan:
    return KeptPlan(
        id=row["id"],
        version=row["version"],
        plan=ResponsePlan.model_validate(row["plan"]),
        is_default=row["is_default"],
        author=row["author"],
        reason=row["reason"],
        created_at=row["created_at"],
    )


async def load_plans(connection: AsyncConnection) -> list[KeptPlan]:
    """The newest version of each plan, with the defaults that nobody has changed."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute("select distinct on (id) * from response_plan order by id, version desc")
        rows = await cursor.fetchall()
    kept = {row["id"]: _kept(row) for row in rows if row["retired_at"] is None}
    retired = {row["id"] for row in rows if row["retired_at"] is not None}
    defaults = {name: plan for name, plan in DEFAULT_PLANS.items() if name not in retired}
    return [plan for _, plan in sorted((defaults | kept).items())]


async def versions_of(connection: AsyncConnection, plan: str) -> list[KeptPlan]:
    """Every version of a plan, newest first; a default that nobody has changed has one."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute("select * from response_plan where id = %s order by version desc", (plan,))
        found = [_kept(row) for row in await cursor.fetchall()]
    return found or [kept for name, kept in DEFAULT_PLANS.items() if name == plan]


async def add(
    connection: AsyncConnection,
    identifier: str,
    plan: ResponsePlan,
    *,
    author: str,
    reason: str,
    now: datetime,
    is_default: bool = False,
) -> KeptPlan:
    """Put the next version of a plan in force.

    Raises:
        psycopg.errors.UniqueViolation: somebody else has just done so.
    """
    cursor = await connection.execute(
        """
        insert into response_plan (id, version, plan, is_default, author, reason, created_at)
        select %(id)s, coalesce(max(version), 0) + 1, %(plan)s, %(is_default)s, %(author)s, %(reason)s, %(now)s
        from response_plan where id = %(id)s returning version
        """,
        {
            "id": identifier,
            "plan": Jsonb(plan.model_dump(mode="json")),
            "is_default": is_default,
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
        action="response-plan.add",
        subject_kind="response-plan",
        subject=identifier,
        after={"version": row[0], "plan": plan.model_dump(mode="json"), "reason": reason},
    )
    return KeptPlan(identifier, row[0], plan, is_default, author, reason, now)


async def load_roster(connection: AsyncConnection, now: datetime) -> Roster:
    """Who and what there is now."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute("select * from person order by id")
        people = {
            row["id"]: Person(
                row["id"], row["organisation"], row["name"], Text(row["post_en"], row["post_zh"]), row["phone"]
            )
            for row in await cursor.fetchall()
        }
    there = await forces.load_forces(connection, now)
    return Roster(people, there.on_duty, there.organisations, await depots.stock_by_material(connection))
