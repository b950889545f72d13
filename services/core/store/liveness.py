"""Who is heard: sensors and gateways against the interval in which they are expected to report."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from psycopg import AsyncConnection

from services.core.lifeline import Lifeline
from services.core.store.sensor_selection import SensorSelection

LEAST_SILENCE = timedelta(minutes=2)
"""Nobody is called silent earlier: gateways report in batches, so a fast sensor's values come together."""


class SensorLiveness(StrEnum):
    """Whether a sensor is heard."""

    HEARD = "heard"
    SILENT = "silent"
    NEVER = "never"


class GatewayLiveness(StrEnum):
    """Whether the sensors behind a gateway are heard."""

    HEARD = "heard"
    """All of them."""
    PARTLY = "partly"
    """Some of them: the gateway works, a device does not."""
    SILENT = "silent"
    """None any more: rather the gateway or its line than every device."""
    NEVER = "never"
    """None ever."""


@dataclass(frozen=True, slots=True)
class HeardSensor:
    """When a sensor was last heard, by the service's clock; ``silent_s`` is how long ago that is."""

    sensor: str
    lifeline: Lifeline
    zone: str
    gateway: str | None
    interval_s: float
    state: SensorLiveness
    last_received_at: datetime | None
    silent_s: float | None


@dataclass(frozen=True, slots=True)
class HeardGateway:
    """The sensors behind a gateway; ``silent`` counts those that never reported too."""

    gateway: str
    state: GatewayLiveness
    sensors: int
    silent: int
    never: int
    last_received_at: datetime | None


# A sensor's key leads to its row in latest; what is judged is when the value came in, not when it was measured.
_PATIENCE = "greatest(make_interval(secs => sensor.interval_s * %(missed)s), %(least)s)"
_SENSORS = f"""
select sensor.id as sensor, sensor.lifeline, sensor.zone, sensor.gateway, sensor.interval_s,
    case when held.received_at is null then '{SensorLiveness.NEVER}'
         when %(now)s - held.received_at > {_PATIENCE} then '{SensorLiveness.SILENT}'
         else '{SensorLiveness.HEARD}' end as state,
    held.received_at as last_received_at,
    case when held.received_at is not null
         then greatest(0, extract(epoch from %(now)s - held.received_at))::double precision end as silent_s
from sensor left join latest held on held.sensor_key = sensor.key
"""
_IS_SILENT = f"coalesce(%(now)s - held.received_at > {_PATIENCE}, true)"
_GATEWAYS = f"""
with counted as (
    select sensor.gateway, count(*) as sensors, count(*) filter (where {_IS_SILENT}) as silent,
        count(*) filter (where held.received_at is null) as never, max(held.received_at) as last_received_at
    from sensor left join latest held on held.sensor_key = sensor.key
    where {{condition}}
    group by sensor.gateway
), judged as (
    select gateway,
        case when silent = 0 then '{GatewayLiveness.HEARD}'
             when silent < sensors then '{GatewayLiveness.PARTLY}'
             when never < sensors then '{GatewayLiveness.SILENT}'
             else '{GatewayLiveness.NEVER}' end as state,
        sensors, silent, never, last_received_at
    from counted
)
select * from judged where %(state)s::text is null or state = %(state)s order by gateway limit %(limit)s
"""


async def heard_sensors(
    connection: AsyncConnection,
    selection: SensorSelection,
    *,
    now: datetime,
    missed: float,
    silent: bool | None,
    limit: int,
) -> list[HeardSensor]:
    """The first ``limit`` sensors of a selection by identifier, all or only the (not) silent ones.

    A sensor is silent when nothing was received from it for more than ``missed`` of its intervals, and at least for
    ``LEAST_SILENCE``; one that never reported is silent too.
    """
    condition = selection.condition()
    if silent is not None:
        condition += f" and {_IS_SILENT} = %(silent)s"
    cursor = await connection.execute(
        f"{_SENSORS} where {condition} order by sensor.id limit %(limit)s".encode(),
        selection.parameters()
        | {"now": now, "missed": missed, "least": LEAST_SILENCE, "silent": silent, "limit": limit},
    )
    return [
        HeardSensor(sensor, Lifeline(lifeline), zone, gateway, interval_s, SensorLiveness(state), *heard)
        async for sensor, lifeline, zone, gateway, interval_s, state, *heard in cursor
    ]


async def heard_gateways(
    connection: AsyncConnection,
    selection: SensorSelection,
    *,
    now: datetime,
    missed: float,
    state: GatewayLiveness | None,
    after: str | None,
    limit: int,
) -> list[HeardGateway]:
    """The first ``limit`` gateways behind ``after`` by name, all or those in one state.

    Of a gateway's sensors only those of the selection count.
    """
    condition = selection.condition() + " and sensor.gateway is not null"
    if after is not None:
        condition += " and sensor.gateway > %(after_gateway)s"
    cursor = await connection.execute(
        _GATEWAYS.format(condition=condition).encode(),
        selection.parameters()
        | {"now": now, "missed": missed, "least": LEAST_SILENCE}
        | {"state": state, "after_gateway": after, "limit": limit},
    )
    return [HeardGateway(gateway, GatewayLiveness(found), *counts) async for gateway, found, *counts in cursor]
