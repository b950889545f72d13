"""The kinds of alert, declared by the lifelines and kept where every service can read them."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from psycopg import AsyncConnection, Connection
from psycopg.rows import dict_row

from services.core.alert_kind import AlertKind
from services.core.lifeline import Lifeline
from services.core.severity import Scheme, Severity
from services.core.text import Text


def _kind(row: Mapping[str, Any]) -> AlertKind:
    publishes_from = row["publishes_from"]
    return AlertKind(
        lifeline=Lifeline(row["lifeline"]),
        kind=row["kind"],
        label=Text(row["label_en"], row["label_zh"]),
        instruction=Text(row["instruction_en"], row["instruction_zh"]),
        scheme=Scheme(row["scheme"]),
        sensor_fault=row["sensor_fault"],
        publishes_from=None if publishes_from is None else Severity(publishes_from),
        report_every=None if row["report_every_s"] is None else timedelta(seconds=row["report_every_s"]),
    )


def save_alert_kinds(connection: Connection, kinds: Iterable[AlertKind]) -> int:
    """Write the kinds; one that is there already is brought up to date. Returns how many there are."""
    rows = [
        (
            kind.lifeline,
            kind.kind,
            kind.label.en,
            kind.label.zh,
            kind.instruction.en,
            kind.instruction.zh,
            kind.scheme,
            kind.sensor_fault,
            kind.publishes_from,
            None if kind.report_every is None else kind.report_every.total_seconds(),
        )
        for kind in kinds
    ]
    connection.cursor().executemany(
        """
        insert into alert_kind (lifeline, kind, label_en, label_zh, instruction_en, instruction_zh, scheme,
            sensor_fault, publishes_from, report_every_s)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        on conflict (lifeline, kind) do update set label_en = excluded.label_en, label_zh = excluded.label_zh,
            instruction_en = excluded.instruction_en, instruction_zh = excluded.instruction_zh,
            scheme = excluded.scheme, sensor_fault = excluded.sensor_fault,
            publishes_from = excluded.publishes_from, report_every_s = excluded.report_every_s
        """,
        rows,
    )
    return len(rows)


async def load_alert_kinds(connection: AsyncConnection) -> dict[tuple[Lifeline, str], AlertKind]:
    """Every kind by lifeline and name."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute("select * from alert_kind")
        kinds = [_kind(row) for row in await cursor.fetchall()]
    return {(kind.lifeline, kind.kind): kind for kind in kinds}
