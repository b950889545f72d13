"""New normals as rows: asked for by a person, taken up by the process that judges the target."""

from psycopg import AsyncConnection
from psycopg.rows import class_row

from services.core.alert import Alert
from services.core.new_normal import NewNormal, NewNormalOutcome
from services.core.store import audit, register


async def ask(connection: AsyncConnection, alert: Alert, *, actor: str, reason: str) -> int:
    """Ask that every rule which holds the alert open learns afresh; how many were not asked already.

    Detection takes it up at once. The trail says who asked and why.
    """
    asked = 0
    for rule_at in alert.open_rules:
        rule, _, target = rule_at.partition("@")
        cursor = await connection.execute(
            """
            insert into new_normal (alert, zone, rule, target, actor, reason) values (%s, %s, %s, %s, %s, %s)
            on conflict (zone, rule, target) where outcome is null do nothing
            """,
            (alert.id, alert.zone, rule, target, actor, reason),
        )
        asked += cursor.rowcount
    await audit.record(
        connection,
        actor=actor,
        action="alert.new-normal",
        subject_kind="alert",
        subject=alert.id,
        after={"reason": reason, "rules": sorted(alert.open_rules)},
    )
    # The engines look for wishes when they are built, and they are built anew when the register changes.
    await connection.execute("select pg_notify(%s, '')", (register.CHANNEL,))
    return asked


async def waiting(connection: AsyncConnection) -> list[NewNormal]:
    """Every wish that nobody has taken up, in the order in which they were made."""
    async with connection.cursor(row_factory=class_row(NewNormal)) as cursor:
        await cursor.execute(
            "select id, alert, zone, rule, target from new_normal where outcome is null order by id",
        )
        return await cursor.fetchall()


async def settle(connection: AsyncConnection, wish: NewNormal, outcome: NewNormalOutcome) -> None:
    """Say what became of a wish, in the transaction that stores it."""
    await connection.execute(
        "update new_normal set outcome = %s, taken_at = now() where id = %s and outcome is null", (outcome, wish.id)
    )
    await audit.record(
        connection,
        actor=audit.SYSTEM,
        action="alert.new-normal-" + outcome,
        subject_kind="alert",
        subject=wish.alert,
        after={"rule": wish.rule, "target": wish.target},
    )
