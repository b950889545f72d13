"""Reports become findings like any other."""

from uuid import UUID

from psycopg import AsyncConnection

from services.alerts import loop
from services.alerts.suppression.city import standing_city
from services.core.finding import Finding, FindingState
from services.core.report import SOURCE_LABELS, Report
from services.core.store import network, reports
from services.core.text import Text

_DETECTOR_VERSION = "1"


async def take_report(connection: AsyncConnection, identifier: UUID) -> None:
    """Take one report through the loop, in the caller's transaction; a second time nothing happens.

    One that ends a trouble is left aside when the trouble was reported again meanwhile.
    """
    report = await reports.find(connection, identifier)
    if report is None:
        return
    if report.state is FindingState.CLEARED and not await reports.is_newest(connection, report):
        return
    assets = await network.find_assets(connection, [report.asset])
    await loop.conclude(connection, await standing_city(connection, assets), finding_of(report))


def finding_of(report: Report) -> Finding:
    """What a report claims, in a detector's form."""
    who = SOURCE_LABELS[report.source]
    return Finding(
        id=str(report.id),
        state=report.state,
        lifeline=report.lifeline,
        kind=report.kind,
        zone=report.zone,
        asset=report.asset,
        sensors=(),
        severity=report.severity,
        time=report.time,
        started_at=report.time,
        score=1.0,
        value=None,
        threshold=None,
        rule=f"reported-by-{report.source}",
        detector=f"report-{report.source}",
        detector_version=_DETECTOR_VERSION,
        explanation=Text(f"{who.en}: {report.text}", f"{who.zh}：{report.text}"),
        evidence={"report": str(report.id), "reporter": report.reporter, "labels": dict(report.labels)},
        target=report.target,
    )
