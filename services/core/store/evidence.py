"""Everything that stood behind an alert, as it was known when it was concluded, gathered for a bundle."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from services.core.code_version import code_version
from services.core.detector_model import DetectorModel
from services.core.evidence_bundle import Bundle, EvidenceReading, digest_of
from services.core.evidence_register import CoveringNetwork, EvidenceRegister
from services.core.sensor import Sensor
from services.core.store import audit, detector_models, network, networks, sensors, storms, works_permits

_CLOCKS_APART = timedelta(seconds=5)
"""The clocks of ingest and database may differ by so much; what came in meanwhile changes no earlier result."""
_MOST_READINGS = 2_000_000
_SILENCE = "gap"
"""The detector that looks at the time of the whole city."""
_EVER = "-infinity"


class UnknownAlertError(LookupError):
    """There is no such alert."""


class TooMuchEvidenceError(Exception):
    """More readings stand behind the alert than one bundle may hold."""


@dataclass(frozen=True, slots=True)
class _Window:
    """What was known until ``known_at``, judged from the states taken at ``state_at``; ``None``: from nothing."""

    known_at: datetime
    state_at: datetime | None
    states: Mapping[str, Mapping[str, Any]]
    note: str | None = None


async def gather(
    connection: AsyncConnection, alert: UUID, *, now: datetime, allowed_lateness: timedelta, actor: str
) -> Bundle:
    """The bundle of an alert, and a line of the audit trail that says who took it; the caller's transaction.

    Raises:
        UnknownAlertError: there is no such alert.
        TooMuchEvidenceError: even up to its first finding, more readings stand behind it than a bundle may hold.
    """
    row = await _one(connection, "select * from alert where id = %s", alert)
    if row is None:
        raise UnknownAlertError(f"there is no alert {alert}")
    findings = await _rows(connection, "select * from finding where alert = %s order by time, id", alert)
    covering = [each for each in await networks.load_networks(connection) if row["zone"] in each.zones]
    covering += [each for each in await networks.load_networks(connection) if row["zone"] == f"supply:{each.file.name}"]
    zones = sorted({row["zone"]} | {zone for each in covering for zone in each.zones})
    units = [*zones, *(f"supply:{each.file.name}" for each in covering)]
    first = min((each["stored_at"] for each in findings), default=row["created_at"])
    last = max((each["stored_at"] for each in findings), default=row["created_at"])
    register = await _register(connection, zones, covering, first)
    window = await _states(connection, units, first, last)
    keys = {sensor.key: sensor.id for sensor in register.sensors}
    try:
        readings = await _readings(connection, keys, window)
    except TooMuchEvidenceError:
        note = "too many readings for the whole episode: the window ends with the first finding"
        window = _Window(first, window.state_at, window.states, note)
        readings = await _readings(connection, keys, window)
    concluded = [each for each in findings if each["stored_at"] <= window.known_at]
    parts = {
        "alert": _plain(row),
        "alert-versions": await _plain_rows(
            connection,
            "select version, known_at, row, trace from alert_version where alert = %s order by version",
            alert,
        ),
        "findings": [_plain(each) for each in concluded],
        "findings-around": await _plain_rows(
            connection,
            """
            select id, alert, rule, state, time, stored_at from finding
            where asset = %s and kind = %s and stored_at >= coalesce(%s::timestamptz, '-infinity') and stored_at <= %s
            order by time, id
            """,
            row["asset"],
            row["kind"],
            window.state_at,
            window.known_at + _CLOCKS_APART,
        ),
        "register": register.as_json(),
        "state": dict(window.states),
        "city-times": await _city_times(connection, readings, concluded, window),
        **await _versions(connection, register.sensors, window.known_at),
        **await _decisions(connection, row),
    }
    configuration = {name: parts[name] for name in ("register", "sensor-versions", "quantity-versions", "policies")}
    facts = {
        "alert": str(alert),
        "exported_at": now.isoformat(),
        "exported_by": actor,
        "known_at": window.known_at.isoformat(),
        "starts_from": "nothing" if window.state_at is None else f"state of {window.state_at.isoformat()}",
        "allowed_lateness_s": allowed_lateness.total_seconds(),
        "zone": row["zone"],
        "detector": {"name": row["detector"], "version": row["detector_version"], "rule": row["rule"]},
        "code": await asyncio.to_thread(code_version),
        "code_when_detected": await _code_at(connection, first),
        "configuration_hash": digest_of(configuration),
        "note": window.note,
    }
    bundle = Bundle(facts, parts, readings)
    await audit.record(
        connection,
        actor=actor,
        action="evidence.export",
        subject_kind="alert",
        subject=alert,
        after={"known_at": facts["known_at"], "readings": len(readings), "configuration": facts["configuration_hash"]},
    )
    return bundle


async def _register(
    connection: AsyncConnection, zones: Sequence[str], covering: Sequence[networks.RegisteredNetwork], moment: datetime
) -> EvidenceRegister:
    """What detection looks at: sensors as they were at a moment, the rest as it is."""
    known = await sensors.sensors_as_of(connection, zones, moment)
    assets = await network.load_assets(connection)
    inside = {asset.id for asset in assets if asset.zone in zones}
    links = [each for each in await network.load_links(connection) if {each.source, each.target} & inside]
    near = inside | {end for each in links for end in (each.source, each.target)}
    targets = {sensor.id for sensor in known} | {f"zone:{zone}" for zone in zones}
    models = await detector_models.list_models(connection)
    in_use: dict[tuple[str, str], DetectorModel] = {}
    for model in sorted(models, key=lambda each: each.version):
        if model.promoted_at is not None and model.promoted_at <= moment:
            held = in_use.get((model.rule, model.target))
            if held is None or held.promoted_at is None or held.promoted_at <= model.promoted_at:
                in_use[model.rule, model.target] = model
    return EvidenceRegister(
        sensors=tuple(known),
        assets=tuple(asset for asset in assets if asset.id in near),
        links=tuple(links),
        works=tuple(await works_permits.load(connection)),
        low_points=tuple(each for each in await storms.load_low_points(connection) if each.asset in near),
        networks=tuple(CoveringNetwork(each.lifeline, each.file, each.zones) for each in covering),
        models=tuple(model for model in in_use.values() if model.target in targets or model.zone in zones),
    )


async def _states(connection: AsyncConnection, units: Sequence[str], first: datetime, known_at: datetime) -> _Window:
    """The newest states from before the first finding; all units from the same moment, or all from nothing."""
    row = await _one(
        connection,
        """
        select taken_at from detector_state_past where unit = any(%s) and taken_at < %s
        order by taken_at desc limit 1
        """,
        list(units),
        first,
    )
    if row is None:
        return _Window(known_at, None, {})
    rows = await _rows(
        connection,
        """
        select distinct on (unit) unit, states from detector_state_past
        where unit = any(%s) and taken_at <= %s order by unit, taken_at desc
        """,
        list(units),
        row["taken_at"],
    )
    return _Window(known_at, row["taken_at"], {each["unit"]: each["states"] for each in rows})


def known_until_s(state: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """The event time of each sensor's newest reading that a unit's state already holds, seconds since 1970."""
    known = {
        target: part["watch"]["last_s"]
        for target, part in state.items()
        if "watch" in part and part["watch"]["last_s"] is not None
    }
    for time_s, sensor, *_ in state.get("buffer", {}).get("held", ()):
        known[sensor] = max(time_s, known.get(sensor, time_s))
    return known


async def _readings(
    connection: AsyncConnection, keys: Mapping[int, str], window: _Window
) -> tuple[EvidenceReading, ...]:
    """Every value of the sensors that came in before it was known what was known, and is not in the states already."""
    held: dict[str, float] = {}
    for state in window.states.values():
        for sensor, time_s in known_until_s(state).items():
            held[sensor] = min(time_s, held.get(sensor, time_s))
    starts = [held.get(sensor) for sensor in keys.values()]
    cursor = connection.cursor(binary=True)
    await cursor.execute(
        """
        with wanted as (
            select sensor_key, coalesce(to_timestamp(start_s) , '-infinity') as start
            from unnest(%(keys)s::integer[], %(starts)s::double precision[]) as given (sensor_key, start_s)
        ), told as (
            select r.sensor_key, r.time, r.value, r.quality, r.reason, r.received_at, null::timestamptz as superseded_at
            from wanted w join reading r on r.sensor_key = w.sensor_key and r.time > w.start
            where r.received_at <= %(until)s
            union all
            select s.sensor_key, s.time, s.value, s.quality, s.reason, s.received_at, s.superseded_at
            from wanted w join superseded_reading s on s.sensor_key = w.sensor_key and s.time > w.start
            where s.received_at <= %(until)s
        )
        select sensor_key, (extract(epoch from time) * 1000000)::bigint, value, quality, reason,
            (extract(epoch from received_at) * 1000000)::bigint, (extract(epoch from superseded_at) * 1000000)::bigint
        from told order by received_at, time, sensor_key limit %(limit)s
        """,
        {"keys": list(keys), "starts": starts, "until": window.known_at + _CLOCKS_APART, "limit": _MOST_READINGS + 1},
    )
    found = await cursor.fetchall()
    if len(found) > _MOST_READINGS:
        raise TooMuchEvidenceError(f"more than {_MOST_READINGS} readings stand behind the alert")
    return tuple(EvidenceReading(keys[row[0]], *row[1:]) for row in found)


async def _city_times(
    connection: AsyncConnection,
    readings: Sequence[EvidenceReading],
    findings: Sequence[Mapping[str, Any]],
    window: _Window,
) -> list[int]:
    """How the time of the whole city went on, minute by minute, epoch microseconds; only silence is judged by it."""
    if not readings or not any(each["detector"] == _SILENCE for each in findings):
        return []
    cursor = await connection.execute(
        """
        select (extract(epoch from max(time)) * 1000000)::bigint from reading
        where time >= %s and time <= %s and received_at <= %s group by date_bin('1 minute', time, 'epoch') order by 1
        """,
        (
            datetime.fromtimestamp(min(each.time_us for each in readings) / 1e6, tz=window.known_at.tzinfo),
            window.known_at + timedelta(days=1),
            window.known_at + _CLOCKS_APART,
        ),
    )
    return [row[0] for row in await cursor.fetchall()]


async def _versions(
    connection: AsyncConnection, known: Sequence[Sensor], known_at: datetime
) -> dict[str, list[dict[str, Any]]]:
    return {
        "sensor-versions": await _plain_rows(
            connection,
            "select * from sensor_version where sensor = any(%s) and valid_from <= %s order by sensor, version",
            [sensor.id for sensor in known],
            known_at,
        ),
        "quantity-versions": await _plain_rows(
            connection,
            "select * from quantity_version where lifeline = any(%s) and valid_from <= %s order by 1, 2, 3",
            sorted({sensor.lifeline.value for sensor in known}),
            known_at,
        ),
    }


async def _decisions(connection: AsyncConnection, alert: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Warnings, orders, who was told, what keeps alerts quiet, and the lines of the trail with their links."""
    identifier = alert["id"]
    warnings = await _plain_rows(connection, "select * from warning where alert = %s order by created_at", identifier)
    orders = await _plain_rows(connection, "select * from work_order where alert = %s order by created_at", identifier)
    subjects = [str(identifier), *(each["id"] for each in (*warnings, *orders))]
    return {
        "warnings": warnings,
        "work-orders": orders,
        "notifications": await _plain_rows(
            connection,
            """
            select n.id, n.receiver, n.type, n.subject_kind, n.subject, n.state, n.attempts, n.created_at,
                n.delivered_at, r.organisation from notification n join receiver r on r.id = n.receiver
            where n.subject::text = any(%s) order by n.created_at, n.id
            """,
            subjects,
        ),
        "silences": await _plain_rows(
            connection,
            """
            select * from silence where starts_at <= %(until)s and ends_at >= %(since)s
              and (zone is null or zone = %(zone)s) and (lifeline is null or lifeline = %(lifeline)s) order by id
            """,
            {
                "since": alert["started_at"],
                "until": alert["cleared_at"] or alert["last_at"],
                "zone": alert["zone"],
                "lifeline": alert["lifeline"],
            },
        ),
        "inhibitions": await _plain_rows(
            connection, "select * from inhibition where lifeline = %s order by id", alert["lifeline"]
        ),
        "policies": await _plain_rows(connection, "select * from warning_policy order by version"),
        "new-normals": await _plain_rows(
            connection, "select * from new_normal where alert = %s order by id", identifier
        ),
        "audit": await _plain_rows(
            connection,
            """
            select a.id, a.at, a.actor, a.action, a.subject_kind, a.subject, a.before, a.after, a.address, a.key_name,
                l.position, encode(l.content_hash, 'hex') as content_hash, encode(l.hash, 'hex') as hash
            from audit a left join audit_link l on l.entry = a.id where a.subject = any(%s) order by a.id
            """,
            subjects,
        ),
    }


async def _code_at(connection: AsyncConnection, moment: datetime) -> dict[str, Any] | None:
    """The code that judged at a moment, as the trail says; ``None`` where it does not."""
    row = await _one(
        connection,
        "select after from audit where action = 'alerts.code' and at <= %s order by id desc limit 1",
        moment,
    )
    return None if row is None else row["after"]


async def note_code(connection: AsyncConnection) -> None:
    """Say in the trail which code judges from now on, if it is not the one that it says already."""
    # Reading every source takes a moment on a busy machine.
    code = await asyncio.to_thread(code_version)
    row = await _one(connection, "select after from audit where action = 'alerts.code' order by id desc limit 1")
    if row is None or row["after"] != code:
        before = None if row is None else row["after"]
        await audit.record(
            connection,
            actor=audit.SYSTEM,
            action="alerts.code",
            subject_kind="service",
            subject="alerts",
            before=before,
            after=code,
        )


async def _one(connection: AsyncConnection, statement: str, *values: Any) -> dict[str, Any] | None:
    rows = await _rows(connection, statement, *values)
    return rows[0] if rows else None


async def _rows(connection: AsyncConnection, statement: str, *values: Any) -> list[dict[str, Any]]:
    given = values[0] if len(values) == 1 and isinstance(values[0], dict) else values
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statement.encode(), given)
        return await cursor.fetchall()


async def _plain_rows(connection: AsyncConnection, statement: str, *values: Any) -> list[dict[str, Any]]:
    return [_plain(row) for row in await _rows(connection, statement, *values)]


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as JSON: moments in RFC 3339, identifiers as text."""
    return {name: _plain_value(value) for name, value in row.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value
