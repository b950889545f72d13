"""What a crew has to know beside the alert: last values at places, and whom to call."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from services.core.organisation import Person
from services.core.text import Text


@dataclass(frozen=True, slots=True)
class LastValue:
    """The newest value at an asset."""

    asset: str
    label: Text
    quantity: str
    value: float
    unit: str
    time: datetime


async def last_values(connection: AsyncConnection, assets: Sequence[str]) -> list[LastValue]:
    """The newest value of every sensor at some assets; sensors that never reported are absent."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            """
            select sensor.asset, sensor.quantity, sensor.unit, quantity.label_en, quantity.label_zh, held.value,
                held.time
            from sensor
            join latest held on held.sensor_key = sensor.key
            join quantity on quantity.lifeline = sensor.lifeline and quantity.name = sensor.quantity
            where sensor.asset = any(%s)
            order by sensor.asset, sensor.id
            """,
            (list(assets),),
        )
        return [
            LastValue(
                asset=row["asset"],
                label=Text(row["label_en"], row["label_zh"]),
                quantity=row["quantity"],
                value=row["value"],
                unit=row["unit"],
                time=row["time"],
            )
            for row in await cursor.fetchall()
        ]


async def people_of(connection: AsyncConnection, organisation: str) -> list[Person]:
    """The people of an organisation whom the register knows, by identifier."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute("select * from person where organisation = %s order by id", (organisation,))
        return [
            Person(row["id"], row["organisation"], row["name"], Text(row["post_en"], row["post_zh"]), row["phone"])
            for row in await cursor.fetchall()
        ]
