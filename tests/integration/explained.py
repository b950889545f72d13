"""The plans of what is asked of a database, by a connection that explains every statement before it runs it."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any, Self

from psycopg import AsyncConnection, AsyncCursor

READINGS = ("reading", "superseded_reading", "rollup_1m", "rollup_1h", "rollup_1d")


@dataclass
class Plans:
    """The steps of every plan, in the order in which they were asked for."""

    steps: list[dict[str, Any]] = field(default_factory=list)

    def over_readings(self) -> list[dict[str, Any]]:
        """Steps that touch readings or their summaries, whether in one table or in chunks.

        TimescaleDB's own steps only put together what the steps under them read.
        """
        return [
            step
            for step in self.steps
            if _is_of_readings(step.get("Relation Name", "")) and step["Node Type"] != "Custom Scan"
        ]

    def without_sensor(self) -> list[str]:
        """Those of them that no index leads to one sensor: they read what others measured."""
        return [
            f"{step['Node Type']} on {step['Relation Name']} {_condition(step)}"
            for step in self.over_readings()
            if "sensor_key" not in _condition(step)
        ]


def _is_of_readings(relation: str) -> bool:
    return relation in READINGS or relation.startswith(("_hyper_", "compress_hyper_"))


def _condition(step: dict[str, Any]) -> str:
    return str(step.get("Index Cond", "")) + str(step.get("Recheck Cond", ""))


def _steps_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _steps_of(part)


@contextlib.asynccontextmanager
async def explaining(url: str) -> AsyncIterator[tuple[AsyncConnection, Plans]]:
    """A connection in autocommit mode, and the plans of what runs on it."""
    plans = Plans()

    class ExplainingCursor(AsyncCursor[Any]):
        async def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
            text = query if isinstance(query, bytes) else str(query).encode()
            if not text.startswith(b"set "):
                explained = AsyncCursor(self.connection)
                await explained.execute(b"explain (format json) " + text, params)
                row = await explained.fetchone()
                assert row is not None
                plans.steps += _steps_of(row[0][0]["Plan"])
            return await super().execute(query, params, **options)

    async with await AsyncConnection.connect(url, autocommit=True, prepare_threshold=None) as connection:
        connection.cursor_factory = ExplainingCursor
        yield connection, plans
