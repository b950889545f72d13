"""Batches go into the database, each in one transaction; what the database refuses is set aside."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

import numpy as np
import psycopg
import structlog
from psycopg import AsyncConnection, errors

from services.core.rejection import Rejection, RejectionReason
from services.core.store import gateway_sequences, vibration_windows
from services.core.store.gateway_sequences import BatchNumber, GatewayProgress
from services.core.store.pool import Pool
from services.core.store.readings import ReadingColumns, WriteResult, copy_readings, merge_readings, moment
from services.core.store.rejections import write_rejections
from services.core.traces import TRACER
from services.ingest.batch import Batch, Batcher
from services.ingest.check import ClockLimits, Judged, Resolved, judge
from services.ingest.metrics import Metrics
from services.ingest.outage import LONGEST_WAIT_S, Outage
from services.ingest.register import Register

DATABASE_AWAY = (psycopg.Error, OSError)
"""Errors that pass: the same batch is tried again. What the database refuses for good is caught before."""
_REFUSED = (psycopg.DataError, psycopg.IntegrityError, ValueError, OverflowError)
"""Errors that trying again cannot mend, because they lie in a row."""
_MERGES_AFTER_REPEAT = 20
"""After a batch that held readings stored before, so many go in by merge without trying COPY first: repeats come in
runs, when a gateway replays its buffer or the broker delivers again."""

Tell = Callable[[BatchNumber, GatewayProgress], None]


@dataclass(frozen=True, slots=True)
class _Written:
    result: WriteResult = field(default_factory=lambda: WriteResult(0, 0))
    rejections: Sequence[Rejection] = ()
    progress: Sequence[GatewayProgress] = ()
    known: AbstractSet[BatchNumber] = frozenset()


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A batch before its transaction; ``judged`` holds if none of its numbers is committed already."""

    parts: Sequence[Resolved]
    numbers: Sequence[BatchNumber]
    judged: Judged


Write = Callable[[AsyncConnection], Awaitable[_Written]]


class Writer:
    """The only one that stores readings; one batch at a time, in the order the batches were closed."""

    def __init__(
        self, pool: Pool, database: Outage, register: Register, limits: ClockLimits, *, metrics: Metrics, tell: Tell
    ) -> None:
        """``tell`` passes on to a gateway which of its numbered batches are committed."""
        self._pool = pool
        self._database = database
        self._register = register
        self._limits = limits
        self._metrics = metrics
        self._tell = tell
        self._merges_left = 0
        self._log = structlog.get_logger()

    async def run(self, batcher: Batcher) -> None:
        """Store batch after batch for ever; waits while the database is away.

        While one batch is in the database the next is judged, so that neither waits for the other.
        """
        async with asyncio.TaskGroup() as group:
            storing: asyncio.Task[None] | None = None
            while True:
                batch = await batcher.take()
                prepared = self._prepare([part.resolved for part in batch.parts])
                if storing is not None:
                    await storing
                storing = group.create_task(self._store_and_settle(batch, prepared))

    async def store(self, batch: Batch) -> None:
        """Store a batch; when the database refuses it, find the rows at fault and store the rest."""
        await self._store(self._prepare([part.resolved for part in batch.parts]))

    async def _store_and_settle(self, batch: Batch, prepared: _Prepared) -> None:
        await self._store(prepared)
        batch.settle()

    def _prepare(self, parts: Sequence[Resolved]) -> _Prepared:
        return _Prepared(parts, _numbers(parts), self._judge(_fresh(parts, set())))

    async def _store(self, prepared: _Prepared) -> None:
        size = {"lifeline.messages": len(prepared.parts), "lifeline.readings": len(prepared.judged.readings)}
        with TRACER.start_as_current_span("store batch", attributes=size):
            written = await self._commit(lambda connection: self._write_all(connection, prepared))
            if isinstance(written, Exception):
                written = await self._store_by_halves(prepared)
        senders = {(number.gateway, number.buffer): number for number in prepared.numbers}
        for progress in written.progress:
            self._tell(senders[progress.gateway, progress.buffer], progress)

    async def _write_all(self, connection: AsyncConnection, prepared: _Prepared) -> _Written:
        numbers, judged = prepared.numbers, prepared.judged
        known = await gateway_sequences.lock_known(connection, numbers) if numbers else set()
        if known:
            judged = self._judge(_fresh(prepared.parts, known))
        result = await self._write_readings(connection, judged.readings)
        await vibration_windows.write(connection, judged.windows)
        await write_rejections(connection, judged.rejections)
        progress = await gateway_sequences.record(connection, numbers) if numbers else []
        return _Written(result, judged.rejections, progress)

    def _judge(self, parts: Sequence[Resolved]) -> Judged:
        judged = judge(parts, self._register.sensors, self._limits)
        refused = [rejection for part in parts for rejection in part.rejections]
        return Judged(judged.readings.in_order_of_keys(), [*refused, *judged.rejections], judged.windows)

    async def _write_readings(self, connection: AsyncConnection, readings: ReadingColumns) -> WriteResult:
        if len(readings) == 0:
            return WriteResult(0, 0)
        if self._merges_left == 0 and not readings.has_repeats:
            return await copy_readings(connection, readings)
        self._merges_left = max(0, self._merges_left - 1)
        return await merge_readings(connection, readings)

    async def _store_by_halves(self, prepared: _Prepared) -> _Written:
        numbers = prepared.numbers

        async def known(connection: AsyncConnection) -> _Written:
            return _Written(known=await gateway_sequences.lock_known(connection, numbers) if numbers else set())

        looked_up = await self._commit(known)
        fresh = _fresh(prepared.parts, set() if isinstance(looked_up, Exception) else looked_up.known)
        judged = self._judge(fresh)
        culprits = await self._find_culprits(judged.readings)
        rejections = [*judged.rejections, *(self._reject(fresh, judged.readings, *culprit) for culprit in culprits)]

        async def rest(connection: AsyncConnection) -> _Written:
            await vibration_windows.write(connection, judged.windows)
            await write_rejections(connection, rejections)
            progress = await gateway_sequences.record(connection, numbers) if numbers else []
            return _Written(rejections=rejections, progress=progress)

        written = await self._commit(rest)
        if isinstance(written, Exception):
            self._log.error("rejections could not be stored", rejections=len(rejections), reason=str(written))
            return _Written()
        return written

    async def _find_culprits(self, readings: ReadingColumns) -> list[tuple[int, Exception]]:
        """Store what the database takes; the positions of what it does not, and why."""
        culprits: list[tuple[int, Exception]] = []
        pending = [np.arange(len(readings))] if len(readings) else []
        while pending:
            rows = pending.pop()
            refusal = await self._commit(self._writing(readings.take(rows)))
            if not isinstance(refusal, Exception):
                continue
            if len(rows) == 1:
                culprits.append((int(rows[0]), refusal))
            else:
                pending += np.array_split(rows, 2)
        return culprits

    def _writing(self, readings: ReadingColumns) -> Write:
        async def write(connection: AsyncConnection) -> _Written:
            return _Written(await self._write_readings(connection, readings))

        return write

    def _reject(self, parts: Sequence[Resolved], readings: ReadingColumns, row: int, error: Exception) -> Rejection:
        key, time_us = int(readings.sensor_keys[row]), int(readings.times_us[row])
        part = next(part for part in parts if (key, time_us) in zip(part.keys, part.times_us, strict=True))
        reason = str(error).strip().split("\n")[0]
        value, time = float(readings.values[row]), moment(time_us).isoformat()
        return part.message.reject(
            RejectionReason.BAD_FIELD,
            f"value: {value} at {time} was refused by the database: {reason}",
            sensor=part.names[part.keys.index(key)],
            sender=part.decoded.sender,
        )

    async def _commit(self, write: Write) -> "_Written | Exception":
        """Write in one transaction, however often it takes; returns why the database refuses it, if it does."""

        async def attempt() -> _Written | Exception:
            try:
                async with self._pool.connection(timeout=LONGEST_WAIT_S) as connection:
                    written = await write(connection)
            except errors.UniqueViolation:
                self._merges_left = _MERGES_AFTER_REPEAT
                return await attempt()
            except _REFUSED as error:
                return error
            return written

        started = time.monotonic()
        outcome = await self._database.keep_trying(attempt)
        if not isinstance(outcome, Exception):
            self._metrics.commit_seconds.observe(time.monotonic() - started)
            self._count(outcome)
        return outcome

    def _count(self, written: _Written) -> None:
        result = written.result
        self._metrics.batch_readings.observe(result.stored + result.duplicates + result.changed)
        self._metrics.stored.inc(result.stored)
        self._metrics.duplicates.inc(result.duplicates)
        self._metrics.changed.inc(result.changed)
        for rejection in written.rejections:
            self._metrics.rejected.labels(rejection.reason.value).inc()


def _numbers(parts: Sequence[Resolved]) -> list[BatchNumber]:
    return sorted({part.decoded.batch_number for part in parts if part.decoded.batch_number is not None})


def _fresh(parts: Sequence[Resolved], known: AbstractSet[BatchNumber]) -> list[Resolved]:
    """The messages without those whose number is committed already or stands before them in the batch."""
    seen = set(known)
    fresh = []
    for part in parts:
        number = part.decoded.batch_number
        if number is None or number not in seen:
            fresh.append(part)
        if number is not None:
            seen.add(number)
    return fresh
