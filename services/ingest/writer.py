"""Batches go into the database, each in one transaction; what the database refuses is set aside."""

import time
from collections.abc import Sequence

import psycopg
import structlog

from services.core.rejection import Rejection, RejectionReason
from services.core.store.pool import Pool
from services.core.store.readings import ReadingRow, WriteResult, write_readings
from services.core.store.rejections import write_rejections
from services.ingest.batch import Batch, Batcher
from services.ingest.metrics import Metrics
from services.ingest.outage import LONGEST_WAIT_S, Outage
from services.ingest.register import Register

DATABASE_AWAY = (psycopg.Error, OSError)
"""Errors that pass: the same batch is tried again. What the database refuses for good is caught before."""
_REFUSED = (psycopg.DataError, psycopg.IntegrityError, ValueError, OverflowError)
"""Errors that trying again cannot mend, because they lie in a row."""


class Writer:
    """The only one that stores readings; one batch at a time, in the order the batches were closed."""

    def __init__(self, pool: Pool, database: Outage, register: Register, metrics: Metrics) -> None:
        self._pool = pool
        self._database = database
        self._register = register
        self._metrics = metrics
        self._log = structlog.get_logger()

    async def run(self, batcher: Batcher) -> None:
        """Store batch after batch for ever; waits while the database is away."""
        while True:
            batch = await batcher.take()
            await self.store(batch)
            batch.settle()

    async def store(self, batch: Batch) -> None:
        """Store a batch; when the database refuses it, find the rows at fault and store the rest."""
        refusal = await self._write(batch.rows, batch.rejections)
        if refusal is not None:
            culprits = await self._store_by_halves(batch.rows)
            faults = [self._reject(batch, row, error) for row, error in culprits]
            await self._store_rejections([*batch.rejections, *faults])

    async def _store_by_halves(self, rows: list[ReadingRow]) -> list[tuple[ReadingRow, Exception]]:
        culprits = []
        pending = [rows]
        while pending:
            part = pending.pop()
            refusal = await self._write(part, ())
            if refusal is None:
                continue
            if len(part) == 1:
                culprits.append((part[0], refusal))
            else:
                middle = len(part) // 2
                pending += [part[:middle], part[middle:]]
        return culprits

    async def _store_rejections(self, rejections: list[Rejection]) -> None:
        if await self._write((), rejections) is None:
            return
        for rejection in rejections:
            refusal = await self._write((), (rejection,))
            if refusal is not None:
                self._log.error("a rejection could not be stored", topic=rejection.topic, reason=str(refusal))

    async def _write(self, rows: Sequence[ReadingRow], rejections: Sequence[Rejection]) -> Exception | None:
        """Commit both in one transaction; returns why the database refuses them, if it does."""

        async def attempt() -> WriteResult | Exception:
            try:
                async with self._pool.connection(timeout=LONGEST_WAIT_S) as connection:
                    result = await write_readings(connection, rows)
                    await write_rejections(connection, rejections)
            except _REFUSED as error:
                return error
            return result

        started = time.monotonic()
        outcome = await self._database.keep_trying(attempt)
        if isinstance(outcome, Exception):
            return outcome
        self._metrics.commit_seconds.observe(time.monotonic() - started)
        self._metrics.batch_readings.observe(len(rows))
        self._metrics.stored.inc(outcome.stored)
        self._metrics.duplicates.inc(outcome.duplicates)
        for rejection in rejections:
            self._metrics.rejected.labels(rejection.reason.value).inc()
        return None

    def _reject(self, batch: Batch, row: ReadingRow, error: Exception) -> Rejection:
        message = next(part.message for part in batch.parts if any(row is other for other in part.rows))
        names = (name for name, sensor in self._register.sensors.items() if sensor.key == row.sensor_key)
        reason = str(error).strip().split("\n")[0]
        return message.reject(
            RejectionReason.BAD_FIELD,
            f"value: {row.value} at {row.time.isoformat()} was refused by the database: {reason}",
            sensor=next(names, None),
        )
