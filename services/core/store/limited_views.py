"""The one place where limits are enforced: a schema that shows a caller's part of the city and nothing else.

For each table that holds something of an organisation, a lifeline or a zone the schema ``limited`` has a view of the
same name. A transaction that is confined looks there first, so that every query and every change that any store makes
in it, without a word about limits, sees that part alone. A row that is written must fall within the limits as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from services.core.lifeline import Lifeline
from services.core.limits import Limits

SCHEMA = "limited"


def _within(part: str, expression: str) -> str:
    """Whether a value is among those of a limit, or the caller has no such limit."""
    setting = f"nullif(current_setting('{SCHEMA}.{part}', true), '')"
    # As sub-selects, because the setting is then read once for a statement instead of once for a row.
    return f"((select {setting}) is null or ({expression}) = any ((select {setting}::text[])::text[]))"


def _owner(asset: str, lifeline: str) -> str:
    """Who owns an asset, as ``organisations.responsible_organisation`` has it."""
    return f"""coalesce((select a.organisation from public.asset a where a.id = {asset}), (select o.id
        from public.organisation o where o.role = 'owner' and {lifeline} = any (o.lifelines) order by o.id limit 1))"""


def _in(table: str, column: str, key: str = "id") -> str:
    """Whether what a row belongs to is seen."""
    return f"exists (select from {SCHEMA}.{table} seen where seen.{key} = {column})"


def _placed(table: str) -> str:
    """Whether the lifeline and the zone of a row are within the limits."""
    return f"{_within('lifelines', f'{table}.lifeline')} and {_within('zones', f'{table}.zone')}"


def _owned(table: str) -> str:
    """The same, and its owner as well."""
    return f"{_placed(table)} and {_within('organisations', _owner(f'{table}.asset', f'{table}.lifeline'))}"


def _organisations_own(table: str) -> str:
    return _within("organisations", f"{table}.organisation")


_SENT_ORDERS = f"""exists (select from public.work_order sent where sent.alert = alert.id
    and {_within("organisations", "sent.organisation")})"""
_ASSETS_ZONE = "(select a.zone from public.asset a where a.id = {0}.asset)"
_SENSORS_ZONE = "(select s.zone from public.sensor s where s.id = {0}.sensor)"


@dataclass(frozen=True, slots=True)
class _Part:
    """Which rows of a table a confined caller sees; ``is_checked``: what they write must be among them."""

    condition: str
    is_checked: bool = False


# In the order in which they refer to one another.
_PARTS: Mapping[str, _Part] = {
    "organisation": _Part(_within("organisations", "organisation.id")),
    "person": _Part(_organisations_own("person")),
    "receiver": _Part(_organisations_own("receiver"), is_checked=True),
    "receiver_health": _Part(_in("receiver", "receiver_health.receiver")),
    "receiver_secret": _Part(_in("receiver", "receiver_secret.receiver")),
    "asset": _Part(
        f"{_placed('asset')} and {_within('organisations', _owner('asset.id', 'asset.lifeline'))}", is_checked=True
    ),
    "zone": _Part(
        f"""{_within("lifelines", "zone.lifeline")} and {_within("zones", "zone.id")}
        and ((select nullif(current_setting('{SCHEMA}.organisations', true), '')) is null
            or {_in("asset", "zone.id", "zone")})"""
    ),
    "link": _Part(f"{_in('asset', 'link.source')} and {_in('asset', 'link.target')}"),
    "sensor": _Part(_owned("sensor"), is_checked=True),
    "sensor_version": _Part(_in("sensor", "sensor_version.sensor")),
    "latest": _Part(_in("sensor", "latest.sensor_key", "key")),
    "forecast": _Part(_in("sensor", "forecast.sensor_key", "key")),
    "rejection": _Part(_in("sensor", "rejection.sensor")),
    "rejected_payload": _Part(_in("rejection", "rejected_payload.rejection")),
    "alert": _Part(
        f"""{_placed("alert")}
        and ({_within("organisations", _owner("alert.asset", "alert.lifeline"))} or {_SENT_ORDERS})"""
    ),
    "alert_version": _Part(_in("alert", "alert_version.alert")),
    "alert_comment": _Part(_in("alert", "alert_comment.alert"), is_checked=True),
    "case_record": _Part(_in("alert", "case_record.alert")),
    "finding": _Part(f"({_owned('finding')} or {_in('alert', 'finding.alert')})"),
    "new_normal": _Part(_in("alert", "new_normal.alert"), is_checked=True),
    "warning": _Part(
        f"""{_placed("warning")}
        and {_within("organisations", f"coalesce(warning.organisation, {_owner('warning.asset', 'warning.lifeline')})")}
        """,
        is_checked=True,
    ),
    "cap_message": _Part(_in("warning", "cap_message.warning")),
    "work_order": _Part(
        f"""{_placed("work_order")} and {
            _within(
                "organisations",
                f"coalesce(work_order.organisation, {_owner('work_order.asset', 'work_order.lifeline')})",
            )
        }""",
        is_checked=True,
    ),
    "work_order_step": _Part(_in("work_order", "work_order_step.work_order")),
    "work_order_notice": _Part(_in("work_order", "work_order_notice.work_order")),
    "supervision": _Part(_in("work_order", "supervision.work_order"), is_checked=True),
    "field_feedback": _Part(_in("work_order", "field_feedback.work_order"), is_checked=True),
    "attachment": _Part(_in("work_order", "attachment.work_order"), is_checked=True),
    "incident_alert": _Part(_in("alert", "incident_alert.alert")),
    # An incident whose alerts are all elsewhere is not theirs, though it is their lifeline.
    "incident": _Part(
        f"""{_within("lifelines", "incident.lifeline")} and ({_in("incident_alert", "incident.id", "incident")} or
        {_in("asset", "incident.asset")} or {_in("work_order", "incident.id", "incident")})"""
    ),
    "incident_cost": _Part(_in("incident", "incident_cost.incident"), is_checked=True),
    "plan_activation": _Part(_in("incident", "plan_activation.incident"), is_checked=True),
    "plan_step": _Part(_in("plan_activation", "plan_step.activation"), is_checked=True),
    "depot": _Part(_organisations_own("depot"), is_checked=True),
    "material": _Part(_in("depot", "material.depot"), is_checked=True),
    "duty_shift": _Part(_organisations_own("duty_shift"), is_checked=True),
    "shift_handover": _Part(_organisations_own("shift_handover"), is_checked=True),
    "silence": _Part(
        f"""{_within("lifelines", "silence.lifeline")} and {
            _within(
                "zones",
                f"coalesce(silence.zone, {_ASSETS_ZONE.format('silence')}, {_SENSORS_ZONE.format('silence')})",
            )
        } and {_within("organisations", _owner("silence.asset", "silence.lifeline"))}""",
        is_checked=True,
    ),
    "report": _Part(_owned("report"), is_checked=True),
    "low_point": _Part(_in("asset", "low_point.asset")),
    "storm_task": _Part(_in("asset", "storm_task.asset"), is_checked=True),
    "health_evaluation": _Part(_in("zone", "health_evaluation.zone")),
    "bridge_mode": _Part(_in("zone", "bridge_mode.zone")),
    "mode_sighting": _Part(_in("zone", "mode_sighting.zone")),
    "vibration_window": _Part(_in("zone", "vibration_window.zone")),
    "detector_model": _Part(_in("zone", "detector_model.zone")),
    "notification": _Part(
        f"""{_in("receiver", "notification.receiver")} and (
            (select coalesce(nullif(current_setting('{SCHEMA}.lifelines', true), ''),
                nullif(current_setting('{SCHEMA}.zones', true), ''))) is null
            or {_in("alert", "notification.subject")} or {_in("warning", "notification.subject")}
            or {_in("work_order", "notification.subject")})"""
    ),
    "delivery": _Part(_in("notification", "delivery.notification")),
    "acknowledgement": _Part(_in("notification", "acknowledgement.notification")),
}


def refresh(connection: psycopg.Connection) -> None:
    """Make the views anew, over the columns that the tables have now.

    Raises:
        psycopg.errors.InsufficientPrivilege: the schema is not there and the role may make none.
    """
    with connection.transaction():
        drop(connection)
        if not _has_schema(connection):
            connection.execute(f"create schema {SCHEMA}")
        for table, part in _PARTS.items():
            check = "with cascaded check option" if part.is_checked else ""
            connection.execute(
                f"""create view {SCHEMA}.{table} with (security_invoker = true) as
                select * from public.{table} where {part.condition} {check}""".encode()
            )


def drop(connection: psycopg.Connection) -> None:
    """Take the views away, so that a migration may change the tables below them.

    The schema stays: somebody else may have made it for a role that may make none.
    """
    found = connection.execute("select viewname from pg_views where schemaname = %s", (SCHEMA,)).fetchall()
    if found:
        names = SQL(", ").join(Identifier(SCHEMA, view) for (view,) in found)
        connection.execute(SQL("drop view {} cascade").format(names))


def are_complete(connection: psycopg.Connection) -> bool:
    """Whether every view is there: behind one that is missing lies the whole table."""
    row = connection.execute("select count(*) from pg_views where schemaname = %s", (SCHEMA,)).fetchone()
    return row is not None and row[0] == len(_PARTS)


def _has_schema(connection: psycopg.Connection) -> bool:
    row = connection.execute("select to_regnamespace(%s) is not null", (SCHEMA,)).fetchone()
    return row is not None and bool(row[0])


async def confine(connection: AsyncConnection, limits: Limits) -> None:
    """Confine the running transaction to a part of the city; what comes after it on the connection is free again."""
    if limits.is_city_wide:
        return
    await connection.execute("select set_config('search_path', %s, true)", (f"{SCHEMA}, public",))
    for part, names in limits.names().items():
        await connection.execute(
            "select set_config(%s, coalesce(%s::text[]::text, ''), true)", (f"{SCHEMA}.{part}", names)
        )


async def is_seen(connection: AsyncConnection, table: str, identifier: str) -> bool:
    """Whether a row can be seen from where the transaction is confined to."""
    cursor = await connection.execute(f"select from {table} where id = %s".encode(), (identifier,))
    return await cursor.fetchone() is not None


async def seen_sensors(
    connection: AsyncConnection, lifeline: Lifeline | None = None, zone: str | None = None
) -> frozenset[str]:
    """The names of all sensors that can be seen from there, or of those of a lifeline or zone."""
    cursor = await connection.execute(
        "select id from sensor where (%(lifeline)s::text is null or lifeline = %(lifeline)s)"
        " and (%(zone)s::text is null or zone = %(zone)s)",
        {"lifeline": lifeline, "zone": zone},
    )
    return frozenset([row[0] for row in await cursor.fetchall()])
