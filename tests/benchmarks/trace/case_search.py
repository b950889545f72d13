"""Cases like one's own among 100,000, in a real database."""

import asyncio
import random
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from psycopg import AsyncConnection

from services.core.case import Sought, words_of
from services.core.lifeline import Lifeline
from services.core.store import cases

_FIRST = datetime(2016, 1, 1, tzinfo=UTC)
_KINDS = {
    Lifeline.GAS: ("gas-leak", "gas-concentration", "sewer-gas"),
    Lifeline.WATER: ("leak-suspected", "burst-suspected", "pressure-low"),
    Lifeline.DRAINAGE: ("waterlogging", "pipe-blocked", "pump-fault"),
    Lifeline.BRIDGE: ("displacement", "overload"),
}
_ENGLISH = (
    *("corroded", "joint", "renewed", "valve", "shut", "pump", "tripped", "screen", "cleared", "root", "intrusion"),
    *("bearing", "inspected", "cast", "iron", "crack", "clamp", "fitted", "manhole", "flooded", "sensor", "cable"),
    *("cut", "excavator", "strike", "permit", "missing", "water", "meter"),
)
_CHINESE = (
    "接头腐蚀",
    "阀门关闭",
    "水泵跳闸",
    "格栅堵塞",
    "树根侵入",
    "支座检查",
    "铸铁管裂缝",
    "夹具抢修",
    "井盖丢失",
    "电缆挖断",
    "第三方施工",
)


@dataclass(frozen=True, slots=True)
class SearchCost:
    """Milliseconds of one search."""

    question: str
    median_ms: float
    p99_ms: float


def measure_cases(database_url: str, count: int, searches: int, seed: int) -> list[SearchCost]:
    """What searches cost among so many drawn cases, in a migrated database without any."""
    return asyncio.run(_measure(database_url, count, searches, random.Random(seed)))  # noqa: S311 - a drawing


async def _measure(database_url: str, count: int, searches: int, chance: random.Random) -> list[SearchCost]:
    async with await AsyncConnection.connect(database_url, autocommit=True) as connection:
        # The cases stand for alerts that the register of this database does not know.
        await connection.execute("alter table case_record drop constraint case_record_alert_fkey")
        async with (
            connection.cursor() as cursor,
            cursor.copy("copy case_record from stdin") as copy,
        ):
            for row in _rows(count, chance):
                await copy.write_row(row)
        await connection.execute("analyze case_record")
        by_alert, by_text = [_of_an_alert(chance) for _ in range(searches)], [_text(chance) for _ in range(searches)]
        return [
            await _cost(connection, "like an alert", by_alert),
            await _cost(connection, "by words", [Sought(words=words_of(text)) for text in by_text]),
        ]


async def _cost(connection: AsyncConnection, question: str, asked: list[Sought]) -> SearchCost:
    spent_ms = []
    for sought in asked:
        began = time.perf_counter()
        found = await cases.similar(connection, sought, 5)
        spent_ms.append((time.perf_counter() - began) * 1000)
        if not found:
            raise RuntimeError(f"nothing is like {sought}")
    spent_ms.sort()
    return SearchCost(
        question, statistics.median(spent_ms), spent_ms[min(len(spent_ms) - 1, int(0.99 * len(spent_ms)))]
    )


def _of_an_alert(chance: random.Random) -> Sought:
    lifeline = chance.choice(list(_KINDS))
    return Sought(
        lifeline=lifeline,
        kind=chance.choice(_KINDS[lifeline]),
        asset=f"{lifeline}-{chance.randrange(20_000)}",
        asset_kind="pipe",
        place=_place(chance),
        words=words_of(_text(chance)),
    )


def _text(chance: random.Random) -> str:
    return " ".join((*chance.sample(_ENGLISH, 4), *chance.sample(_CHINESE, 2)))


def _place(chance: random.Random) -> tuple[float, float]:
    return 117.0 + chance.random() * 0.3, 31.0 + chance.random() * 0.3


def _rows(count: int, chance: random.Random) -> Iterator[tuple[object, ...]]:
    for number in range(count):
        lifeline = chance.choice(list(_KINDS))
        told = " ".join(_text(chance) for _ in range(3)) + f" order {number}"
        longitude, latitude = _place(chance)
        began = _FIRST + timedelta(minutes=50 * number)
        asset = f"{lifeline}-{chance.randrange(20_000)}"
        yield (
            *(UUID(int=number), str(lifeline), chance.choice(_KINDS[lifeline]), f"Z{number % 40}", asset, "pipe"),
            *(asset, asset, longitude, latitude, chance.randrange(1, 5), began, began + timedelta(hours=6)),
            *("true-alarm", "corrosion", told, told, told, sorted(words_of(told))),
        )
