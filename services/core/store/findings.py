"""Findings as rows."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from services.core.finding import Finding, FindingState
from services.core.lifeline import Lifeline
from services.core.severity import Severity
from services.core.text import Text


def _finding(row: Mapping[str, Any]) -> Finding:
    return Finding(
        id=str(row["id"]),
        state=FindingState(row["state"]),
        lifeline=Lifeline(row["lifeline"]),
        kind=row["kind"],
        zone=row["zone"],
        asset=row["asset"],
        sensors=tuple(row["sensors"]),
        severity=Severity(row["severity"]),
        time=row["time"],
        started_at=row["started_at"],
        score=row["score"],
        value=row["value"],
        threshold=row["threshold"],
        rule=row["rule"],
        detector=row["detector"],
        detector_version=row["detector_version"],
        explanation=Text(row["explanation_en"], row["explanation_zh"]),
        evidence=row["evidence"],
    )


async def add(connection: AsyncConnection, finding: Finding) -> bool:
    """Keep a finding; ``False`` when it was there already, because the same readings were judged again."""
    cursor = await connection.execute(
        """
        insert into finding (id, state, lifeline, kind, zone, asset, sensors, severity, time, started_at, score, value,
            threshold, rule, detector, detector_version, explanation_en, explanation_zh, evidence)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        on conflict (id) do nothing
        """,
        (
            finding.id,
            finding.state,
            finding.lifeline,
            finding.kind,
            finding.zone,
            finding.asset,
            list(finding.sensors),
            int(finding.severity),
            finding.time,
            finding.started_at,
            finding.score,
            finding.value,
            finding.threshold,
            finding.rule,
            finding.detector,
            finding.detector_version,
            finding.explanation.en,
            finding.explanation.zh,
            Jsonb(dict(finding.evidence)),
        ),
    )
    return cursor.rowcount == 1


async def attach(connection: AsyncConnection, finding: str, alert: UUID) -> None:
    """Say which alert a finding belongs to."""
    await connection.execute("update finding set alert = %s where id = %s", (alert, finding))


async def of_alert(connection: AsyncConnection, alert: UUID, known_at: datetime | None = None) -> list[Finding]:
    """The findings of an alert in event time; with ``known_at``, those that were there at that moment."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            """
            select * from finding where alert = %s and stored_at <= coalesce(%s::timestamptz, 'infinity')
            order by time, id
            """,
            (alert, known_at),
        )
        return [_finding(row) for row in await cursor.fetchall()]
