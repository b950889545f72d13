"""Reports as rows, each with the job that makes a finding of it."""

from datetime import datetime
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from services.core import jobs
from services.core.finding import FindingState
from services.core.lifeline import Lifeline
from services.core.report import Report, ReportSource
from services.core.severity import Severity
from services.core.store import audit


async def add(connection: AsyncConnection, report: Report, *, after: datetime | None = None) -> bool:
    """Keep a report and the job that takes it up, at once or ``after`` a moment; false when it is there already."""
    cursor = await connection.execute(
        """
        insert into report (id, source, state, lifeline, kind, zone, asset, target, severity, time, text, labels,
            reporter, received_at)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict (id) do nothing
        """,
        (
            report.id,
            report.source,
            report.state,
            report.lifeline,
            report.kind,
            report.zone,
            report.asset,
            report.target,
            int(report.severity),
            report.time,
            report.text,
            Jsonb(dict(report.labels)),
            report.reporter,
            report.received_at,
        ),
    )
    if cursor.rowcount != 1:
        return False
    await audit.record(
        connection,
        actor=report.reporter,
        action=f"report.{report.state}",
        subject_kind="report",
        subject=report.id,
        after={"source": report.source, "asset": report.asset, "text": report.text},
    )
    await jobs.defer(connection, jobs.TAKE_REPORT, queue=jobs.REVIEWS, schedule_at=after, report=str(report.id))
    return True


async def find(connection: AsyncConnection, report: UUID) -> Report | None:
    """One report."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute("select * from report where id = %s", (report,))
        row = await cursor.fetchone()
    if row is None:
        return None
    return Report(
        **(
            row
            | {
                "source": ReportSource(row["source"]),
                "state": FindingState(row["state"]),
                "lifeline": Lifeline(row["lifeline"]),
                "severity": Severity(row["severity"]),
            }
        )
    )


async def is_newest(connection: AsyncConnection, report: Report) -> bool:
    """Whether nothing was reported of the same target since: what says that it is over may have been overtaken."""
    cursor = await connection.execute(
        "select exists (select from report where target = %s and received_at > %s)",
        (report.target, report.received_at),
    )
    row = await cursor.fetchone()
    return row is not None and not row[0]
