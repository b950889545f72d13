"""Alerts as rows."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from services.core.alert import Alert, AlertState, Verdict
from services.core.geometry import METRES_PER_DEGREE
from services.core.inhibition import Inhibition
from services.core.lifeline import Lifeline
from services.core.move import ChangedMeanwhileError
from services.core.root_cause import RootCause
from services.core.severity import Scheme, Severity
from services.core.store import audit, cases, events
from services.core.suppression import Suppression
from services.core.text import Text

EVENT = "alert"


def alert_from_row(row: Mapping[str, Any]) -> Alert:
    """The record of one row of table ``alert``."""
    return Alert(
        id=row["id"],
        state=AlertState(row["state"]),
        lifeline=Lifeline(row["lifeline"]),
        kind=row["kind"],
        zone=row["zone"],
        asset=row["asset"],
        sensors=tuple(row["sensors"]),
        severity=Severity(row["severity"]),
        highest_severity=Severity(row["highest_severity"]),
        scheme=Scheme(row["scheme"]),
        sensor_fault=row["sensor_fault"],
        started_at=row["started_at"],
        detected_at=row["detected_at"],
        last_at=row["last_at"],
        cleared_at=row["cleared_at"],
        finding_count=row["finding_count"],
        open_rules=row["open_rules"],
        peak_value=row["peak_value"],
        peak_at=row["peak_at"],
        threshold=row["threshold"],
        rule=row["rule"],
        detector=row["detector"],
        detector_version=row["detector_version"],
        explanation=Text(row["explanation_en"], row["explanation_zh"]),
        trace=row["trace"],
        acknowledged_by=row["acknowledged_by"],
        acknowledged_at=row["acknowledged_at"],
        verdict=None if row["verdict"] is None else Verdict(row["verdict"]),
        verdict_reason=row["verdict_reason"],
        created_at=row["created_at"],
        version=row["version"],
        suppression=None if row["suppression"] is None else Suppression.from_json(row["suppression"]),
        explained_by=row["explained_by"],
        reopened=row["reopened"],
        assignee=row["assignee"],
        root_cause=None if row["root_cause"] is None else RootCause(row["root_cause"]),
    )


def _columns(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.id,
        "state": alert.state,
        "lifeline": alert.lifeline,
        "kind": alert.kind,
        "zone": alert.zone,
        "asset": alert.asset,
        "sensors": list(alert.sensors),
        "severity": int(alert.severity),
        "highest_severity": int(alert.highest_severity),
        "scheme": alert.scheme,
        "sensor_fault": alert.sensor_fault,
        "started_at": alert.started_at,
        "detected_at": alert.detected_at,
        "last_at": alert.last_at,
        "cleared_at": alert.cleared_at,
        "finding_count": alert.finding_count,
        "open_rules": Jsonb(dict(alert.open_rules)),
        "peak_value": alert.peak_value,
        "peak_at": alert.peak_at,
        "threshold": alert.threshold,
        "rule": alert.rule,
        "detector": alert.detector,
        "detector_version": alert.detector_version,
        "explanation_en": alert.explanation.en,
        "explanation_zh": alert.explanation.zh,
        "trace": None if alert.trace is None else Jsonb(dict(alert.trace)),
        "acknowledged_by": alert.acknowledged_by,
        "acknowledged_at": alert.acknowledged_at,
        "verdict": alert.verdict,
        "verdict_reason": alert.verdict_reason,
        "suppression": None if alert.suppression is None else Jsonb(alert.suppression.as_json()),
        "explained_by": alert.explained_by,
        "reopened": alert.reopened,
        "assignee": alert.assignee,
        "root_cause": alert.root_cause,
    }


async def _one(connection: AsyncConnection, where: str, parameters: Sequence[Any]) -> Alert | None:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(f"select * from alert where {where}", parameters)
        row = await cursor.fetchone()
    return None if row is None else alert_from_row(row)


async def find(connection: AsyncConnection, alert: UUID, *, lock: bool = False) -> Alert | None:
    """One alert; with ``lock`` nobody else changes it until the transaction ends."""
    return await _one(connection, "id = %s" + (" for update" if lock else ""), (alert,))


async def find_as_of(connection: AsyncConnection, alert: UUID, known_at: datetime) -> Alert | None:
    """An alert as it was at a moment of the world's clock; ``None`` where nothing was known of it."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            """
            select (jsonb_populate_record(null::alert, v.row || jsonb_build_object('trace', (
                select t.trace from alert_version t where t.alert = v.alert and t.version <= v.version
                and t.trace is not null order by t.version desc limit 1)))).*
            from alert_version v where v.alert = %s and v.known_at <= %s order by v.version desc limit 1
            """,
            (alert, known_at),
        )
        row = await cursor.fetchone()
    return None if row is None else alert_from_row(row)


async def find_open(connection: AsyncConnection, asset: str, kind: str) -> Alert | None:
    """The running episode of a kind at an asset, locked for the transaction."""
    return await _one(connection, "asset = %s and kind = %s and cleared_at is null for update", (asset, kind))


async def find_last(connection: AsyncConnection, alert: Alert) -> Alert:
    """The episode of such trouble at such an asset that stands, or else ended last, since ``alert`` began.

    Often it is the alert itself. What was judged false or a test is no trouble.
    """
    later = await _one(
        connection,
        """
        asset = %s and kind = %s and started_at >= %s and id <> %s
        and coalesce(verdict, '') not in ('false-alarm', 'test')
        order by cleared_at desc nulls first limit 1
        """,
        (alert.asset, alert.kind, alert.started_at, alert.id),
    )
    if later is None or alert.cleared_at is None:
        return alert
    return later if later.cleared_at is None or later.cleared_at > alert.cleared_at else alert


async def find_recent(connection: AsyncConnection, asset: str, kind: str, since: datetime) -> Alert | None:
    """The episode of a kind at an asset that ended last, after ``since``, and that nobody has closed; locked.

    What a person has closed stays closed: its warning was lifted or cancelled, its order closed, or it was judged
    false.
    """
    return await _one(
        connection,
        """
        asset = %s and kind = %s and cleared_at > %s and coalesce(verdict, '') <> 'false-alarm'
        and not exists (select from warning where warning.alert = alert.id and warning.lifted_at is not null)
        and not exists (select from work_order where work_order.alert = alert.id and work_order.closed_at is not null)
        order by cleared_at desc limit 1 for update
        """,
        (asset, kind, since),
    )


async def standing_causes(
    connection: AsyncConnection, effect: Alert, rules: Sequence[Inhibition], place: Sequence[tuple[float, float]] = ()
) -> list[Alert]:
    """Open alerts that may explain another by some rules, the worst first; a few are enough, nothing is locked.

    ``place`` is where the effect is, for rules that reach so many metres: of these the causes around it are found, by
    the assets that they are at.
    """
    found: dict[UUID, Alert] = {}
    async with connection.cursor(row_factory=dict_row) as cursor:
        for rule in rules:
            await cursor.execute(
                """
                select * from alert
                where lifeline = %(lifeline)s and kind = any(%(causes)s) and cleared_at is null and id <> %(effect)s
                  and case %(reach)s
                      when 'nearby' then exists (select from asset where asset.id = alert.asset and extent &&
                          box(point(%(west)s, %(south)s), point(%(east)s, %(north)s)))
                      when 'sensor' then sensors && %(sensors)s when 'asset' then asset = %(asset)s
                      when 'zone' then zone = %(zone)s else true end
                order by severity desc, detected_at, id limit 4
                """,
                {
                    **_around(place, rule.within_m),
                    "effect": effect.id,
                    "lifeline": rule.lifeline,
                    "causes": sorted(rule.causes),
                    "reach": rule.reach,
                    "sensors": list(effect.sensors),
                    "asset": effect.asset,
                    "zone": effect.zone,
                },
            )
            found |= {row["id"]: alert_from_row(row) for row in await cursor.fetchall()}
    return list(found.values())


def _around(place: Sequence[tuple[float, float]], within_m: float | None) -> dict[str, float | None]:
    """The box that holds everything within so many metres of a place; without a place it holds nothing."""
    if not place or within_m is None:
        return dict.fromkeys(("west", "south", "east", "north"))
    longitudes, latitudes = zip(*place, strict=True)
    up = within_m / METRES_PER_DEGREE
    # Degrees of longitude are shortest at the end that is further from the equator.
    aside = up / max(0.01, math.cos(math.radians(max(map(abs, latitudes)) + up)))
    return {
        "west": min(longitudes) - aside,
        "south": min(latitudes) - up,
        "east": max(longitudes) + aside,
        "north": max(latitudes) + up,
    }


async def standing_effects(connection: AsyncConnection, cause: Alert, lifelines: Collection[Lifeline]) -> list[Alert]:
    """Open alerts of some lifelines that one explains, or that are not kept quiet yet; in order of identifiers."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            """
            select * from alert
            where cleared_at is null and (explained_by = %s or (suppression is null and lifeline = any(%s)))
            order by id
            """,
            (cause.id, sorted(lifelines)),
        )
        return [alert_from_row(row) for row in await cursor.fetchall()]


async def standing_in(connection: AsyncConnection) -> list[Alert]:
    """Every open alert, in order of identifiers; nothing is locked."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute("select * from alert where cleared_at is null order by id")
        return [alert_from_row(row) for row in await cursor.fetchall()]


async def add(connection: AsyncConnection, alert: Alert, actor: str) -> None:
    """Store a new episode, with its audit line and its event."""
    columns = _columns(alert)
    names = ", ".join(columns)
    places = ", ".join(f"%({name})s" for name in columns)
    await connection.execute(f"insert into alert ({names}) values ({places})", columns)
    await _trace_change(connection, alert, actor, "open", None)


async def save(connection: AsyncConnection, alert: Alert, *, before: Alert, actor: str, action: str) -> Alert:
    """Store a changed alert, with its audit line and its event; returns it with its new version.

    Raises:
        ChangedMeanwhileError: the row is no longer at the version that was read.
    """
    columns = _columns(alert)
    changes = ", ".join(f"{name} = %({name})s" for name in columns if name != "id")
    cursor = await connection.execute(
        f"update alert set {changes}, version = version + 1 where id = %(id)s and version = %(version)s",
        {**columns, "version": before.version},
    )
    if cursor.rowcount != 1:
        raise ChangedMeanwhileError(f"alert {alert.id} was changed by somebody else")
    await _trace_change(connection, alert, actor, action, before)
    if alert.verdict is not None:
        await cases.keep(connection, alert.id)
    return replace(alert, version=before.version + 1)


async def _trace_change(
    connection: AsyncConnection, alert: Alert, actor: str, action: str, before: Alert | None
) -> None:
    await audit.record(
        connection,
        actor=actor,
        action=f"alert.{action}",
        subject_kind="alert",
        subject=alert.id,
        before=None if before is None else _audited(before),
        after=_audited(alert),
    )
    await events.announce(connection, EVENT, str(alert.id))


def _audited(alert: Alert) -> dict[str, Any]:
    return {
        "state": alert.state,
        "severity": int(alert.severity),
        "highest_severity": int(alert.highest_severity),
        "peak_value": alert.peak_value,
        "event_time": alert.last_at.isoformat(),
        "explanation": alert.explanation.as_json(),
        "verdict": alert.verdict,
        "verdict_reason": alert.verdict_reason,
        "assignee": alert.assignee,
        "root_cause": alert.root_cause,
        "suppression": None if alert.suppression is None else alert.suppression.as_json(),
    }


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts a list shall hold."""

    is_open: bool | None = None
    lifeline: Lifeline | None = None
    severity_from: int = 0
    sensor_fault: bool | None = None
    zone: str | None = None
    asset: str | None = None


async def list_alerts(
    connection: AsyncConnection, wanted: AlertFilter, *, before: tuple[datetime, UUID] | None, limit: int
) -> list[Alert]:
    """Alerts that match, newest first, behind a cursor of detection time and identifier."""
    moment, identifier = before or (None, None)
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            """
            select * from alert
            where (%(is_open)s::boolean is null or (cleared_at is null) = %(is_open)s)
              and (%(lifeline)s::text is null or lifeline = %(lifeline)s)
              and highest_severity >= %(severity_from)s
              and (%(sensor_fault)s::boolean is null or sensor_fault = %(sensor_fault)s)
              and (%(zone)s::text is null or zone = %(zone)s)
              and (%(asset)s::text is null or asset = %(asset)s)
              and (%(moment)s::timestamptz is null or (detected_at, id) < (%(moment)s, %(identifier)s))
            order by detected_at desc, id desc limit %(limit)s
            """,
            {
                "is_open": wanted.is_open,
                "lifeline": wanted.lifeline,
                "severity_from": wanted.severity_from,
                "sensor_fault": wanted.sensor_fault,
                "zone": wanted.zone,
                "asset": wanted.asset,
                "moment": moment,
                "identifier": identifier,
                "limit": limit,
            },
        )
        return [alert_from_row(row) for row in await cursor.fetchall()]
