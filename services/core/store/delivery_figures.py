"""How well messages reach their receivers, in numbers."""

from dataclasses import dataclass
from datetime import datetime

from psycopg import AsyncConnection
from psycopg.rows import class_row


@dataclass(frozen=True, slots=True)
class DeliveryFigures:
    """Messages to one receiver since a moment, and how long its answers to the attempts took."""

    receiver: str
    messages: int
    delivered: int
    failed: int
    pending: int
    attempts: int
    median_ms: float | None
    p95_ms: float | None
    median_delay_s: float | None
    """From the message being written to its delivery."""


async def figures_since(connection: AsyncConnection, since: datetime) -> list[DeliveryFigures]:
    """For each receiver that was told anything since then."""
    return await figures_within(connection, since, None)


async def figures_within(connection: AsyncConnection, since: datetime, until: datetime | None) -> list[DeliveryFigures]:
    """For each receiver that was told anything within a span; without an end, until now."""
    async with connection.cursor(row_factory=class_row(DeliveryFigures)) as cursor:
        await cursor.execute(
            """
            with told as (
                select receiver, count(*) as messages, count(*) filter (where state = 'delivered') as delivered,
                    count(*) filter (where state = 'failed') as failed,
                    count(*) filter (where state = 'pending') as pending,
                    percentile_cont(0.5) within group (
                        order by extract(epoch from delivered_at - coalesce(retried_at, created_at)))
                        filter (where delivered_at is not null) as median_delay_s
                from notification
                where created_at >= %(since)s and created_at < coalesce(%(until)s::timestamptz, 'infinity')
                group by receiver
            ), tried as (
                select n.receiver, count(*) as attempts,
                    percentile_cont(0.5) within group (order by d.duration_ms) as median_ms,
                    percentile_cont(0.95) within group (order by d.duration_ms) as p95_ms
                from notification n join delivery d on d.notification = n.id
                where n.created_at >= %(since)s and n.created_at < coalesce(%(until)s::timestamptz, 'infinity')
                group by n.receiver
            )
            select receiver, messages, delivered, failed, pending, coalesce(attempts, 0) as attempts, median_ms, p95_ms,
                median_delay_s::float8
            from told left join tried using (receiver) order by receiver
            """,
            {"since": since, "until": until},
        )
        return await cursor.fetchall()
