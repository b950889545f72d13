"""A city of any size in a database: sensors with places, pipes, alerts of some years and one caller's key."""

import math
from dataclasses import dataclass

import psycopg
from psycopg import AsyncConnection

from services.alerts import lifelines
from services.core.permission import Permission
from services.core.store import alert_kinds, api_keys, catalogue
from tests.integration.ingest_harness import ZONES

KEY = "lk_bench_0123456789"
"""What the callers of the benchmark present."""
_WEST, _SOUTH = 117.0, 31.0
_SPAN_DEGREES = 0.3


@dataclass(frozen=True, slots=True)
class CitySize:
    """How many of each the city has."""

    sensors: int
    pipes: int
    alerts: int


async def furnish(database_url: str, size: CitySize) -> None:
    """Add what ``register_sensors`` leaves out; a city that has its alerts already is left as it is."""
    with psycopg.connect(database_url) as connection:
        if connection.execute("select from alert limit 1").fetchone() is not None:
            return
        catalogue.save_quantities(connection, lifelines.catalogue())
        alert_kinds.save_alert_kinds(connection, lifelines.alert_kinds())
        _place_sensors(connection, size.sensors)
        _lay_pipes(connection, size.pipes)
        _tell_alerts(connection, size)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("vacuum analyze sensor, asset, zone, alert")
    async with await AsyncConnection.connect(database_url) as connection:
        await api_keys.save_key(connection, "bench", KEY, "bench", tuple(Permission))


def _place_sensors(connection: psycopg.Connection, count: int) -> None:
    """On a grid over the city, a fault of none: zones as ``register_sensors`` gave them."""
    side = math.ceil(math.sqrt(count))
    connection.execute(
        """
        update sensor set longitude = %(west)s + %(span)s * (place %% %(side)s) / %(side)s,
            latitude = %(south)s + %(span)s * (place / %(side)s) / %(side)s
        from (select key, substr(id, 2)::int as place from sensor) of where of.key = sensor.key
        """,
        {"west": _WEST, "south": _SOUTH, "span": _SPAN_DEGREES, "side": side},
    )


def _lay_pipes(connection: psycopg.Connection, count: int) -> None:
    """A grid of streets, one pipe from each crossing to the east and one to the north."""
    side = math.ceil(math.sqrt(count / 2))
    connection.execute(
        """
        insert into asset (id, lifeline, kind, zone, name_en, name_zh, geometry, extent)
        select 'pipe-' || number, 'gas', 'pipe', 'zone-' || number %% %(zones)s, 'Pipe ' || number, '管段 ' || number,
            jsonb_build_object('type', 'LineString', 'coordinates',
                jsonb_build_array(jsonb_build_array(x, y), jsonb_build_array(ex, ey))),
            box(point(x, y), point(ex, ey))
        from (
            select number, x, y, x + (number %% 2) * step as ex, y + (1 - number %% 2) * step as ey
            from (
                select number, %(span)s / %(side)s as step,
                    %(west)s + %(span)s * ((number / 2) %% %(side)s) / %(side)s as x,
                    %(south)s + %(span)s * ((number / 2) / %(side)s) / %(side)s as y
                from generate_series(0, %(count)s - 1) number
            ) crossing
        ) stretch
        """,
        {"west": _WEST, "south": _SOUTH, "span": _SPAN_DEGREES, "side": side, "count": count, "zones": ZONES},
    )


def _tell_alerts(connection: psycopg.Connection, size: CitySize) -> None:
    """One an hour back in time; the newest hundredth still stands, at an asset each."""
    connection.execute(
        """
        insert into alert (id, state, lifeline, kind, zone, asset, sensors, severity, highest_severity, scheme,
            sensor_fault, started_at, detected_at, last_at, cleared_at, finding_count, open_rules, peak_value, peak_at,
            threshold, rule, detector, detector_version, explanation_en, explanation_zh, created_at)
        select gen_random_uuid(), case when stands then 'open' else 'cleared' end, 'gas', 'gas-leak',
            'zone-' || number %% %(zones)s, 'pipe-' || number %% %(pipes)s, array['s' || number %% %(sensors)s],
            case when stands then 1 + number %% 4 else 0 end, 1 + number %% 4, 'emergency',
            number %% 10 = 0, began, began, began + interval '20 min',
            case when stands then null else began + interval '30 min' end, 3,
            case when stands then '{"residual": 3}'::jsonb else '{}'::jsonb end, 4.5, began, 3.0,
            'residual', 'residual', '1', 'Pressure fell below what was expected', '压力低于预期', began
        from (
            select number, number < %(standing)s as stands, now() - (number + 1) * interval '1 hour' as began
            from generate_series(0, %(alerts)s - 1) number
        ) episode
        """,
        {
            "zones": ZONES,
            "pipes": size.pipes,
            "sensors": size.sensors,
            "alerts": size.alerts,
            "standing": max(1, size.alerts // 100),
        },
    )
