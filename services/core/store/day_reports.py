"""What the report of a day is made of, and which days' reports were mailed."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from psycopg import AsyncConnection

from services.core.day_report import DayReport
from services.core.duty import Shift, holes
from services.core.store import alarm_figures, delivery_figures, duty_shifts

_AHEAD = timedelta(days=7)


async def gather(
    connection: AsyncConnection, city: str, since: datetime, until: datetime, *, now: datetime, exercise: bool
) -> DayReport:
    """Everything that the report of a span says; holes in the rota are those of the seven days after ``now``."""
    ahead = await duty_shifts.between(connection, now, now + _AHEAD)
    return DayReport(
        city=city,
        start=since,
        end=until,
        figures=await alarm_figures.count(connection, since, until, now),
        deliveries=await delivery_figures.figures_within(connection, since, until),
        holes=holes(ahead, now, now + _AHEAD),
        operators=await operators(connection, since, until),
        exercise=exercise,
    )


async def operators(connection: AsyncConnection, since: datetime, until: datetime) -> float:
    """How many were on duty at the centre on average, at least one; substitutes and whom they replace count once."""
    cursor = await connection.execute("select id from organisation where role = 'centre'")
    centres = {row[0] async for row in cursor}
    shifts = [shift for shift in await duty_shifts.between(connection, since, until) if shift.organisation in centres]
    held = sum((_within(shift, since, until) for shift in shifts if shift.substitutes is None), timedelta(0))
    return max(1.0, held / (until - since))


def _within(shift: Shift, since: datetime, until: datetime) -> timedelta:
    return min(shift.ends_at, until) - max(shift.starts_at, since)


async def claim_mail(connection: AsyncConnection, day: date, recipients: Sequence[str], now: datetime) -> bool:
    """Whether the report of a day still has to be mailed; if the transaction commits, it counts as mailed.

    Somebody else who asks meanwhile waits for the end of this transaction.
    """
    cursor = await connection.execute(
        "insert into day_report (day, recipients, sent_at) values (%s, %s, %s) on conflict (day) do nothing",
        (day, list(recipients), now),
    )
    return cursor.rowcount == 1
