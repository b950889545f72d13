"""Payloads that were set aside are read again when somebody asks for it, as if they had just arrived when they did."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import psycopg
import structlog
from psycopg import AsyncConnection, Rollback

from services.core import wire
from services.core.rejection import ENTRY_ENCODING, Rejection, RejectionReason
from services.core.store import rejected, reprocessing, vibration_windows
from services.core.store.readings import WriteResult, write_readings
from services.core.store.rejected import KeptPayload
from services.core.store.rejections import key_of, write_rejections
from services.core.store.reprocessing import RequestedRejection
from services.ingest.check import ClockLimits, Judged, Resolved, judge, resolve
from services.ingest.decode import decode
from services.ingest.message import Decoded, Message
from services.ingest.metrics import Metrics
from services.ingest.outage import Outage
from services.ingest.register import Register
from services.ingest.sensor_table import SensorTable

LOOK_EVERY_S = 10.0
"""A notification wakes the process at once; this is for one that was lost, or whose process was killed."""
PAYLOADS_AT_ONCE = 100

_REFUSED = (psycopg.DataError, psycopg.IntegrityError, ValueError, OverflowError)
"""Errors that trying again cannot mend, because they lie in a payload."""
_OF_ENTRIES = {RejectionReason.UNKNOWN_SENSOR, RejectionReason.WRONG_UNIT, RejectionReason.BAD_TIME}
"""Why an entry, and not the whole message, is kept of a protocol other than our own."""
_ENTRY = msgspec.json.Decoder(wire.WireReading)


@dataclass(slots=True)
class _Reread:
    """What became of a payload: so many readings or windows, rejections, or both."""

    payload: KeptPayload
    resolved: Resolved
    taken: int
    refused: list[Rejection]

    def stays(self, requested: RequestedRejection) -> bool:
        """Whether nothing came of it, for the reason for which it was refused before."""
        return self.taken == 0 and [key_of(rejection) for rejection in self.refused] == [requested.key]


@dataclass(slots=True)
class _Tally:
    """What became of a rejection's payloads."""

    stored: int = 0
    stored_before: int = 0
    still_refused: int = 0
    unreadable: int = 0


class Reprocess:
    """Reads payloads again, for ever. Of several processes one does so at a time."""

    def __init__(
        self,
        database_url: str,
        database: Outage,
        register: Register,
        limits: ClockLimits,
        *,
        readings_at_once: int,
        metrics: Metrics,
    ) -> None:
        """One transaction holds so many readings, or those of a single larger payload."""
        self._database_url = database_url
        self._database = database
        self._register = register
        self._limits = limits
        self._readings_at_once = readings_at_once
        self._metrics = metrics
        self._log = structlog.get_logger()

    async def run(self) -> None:
        """Wait for requests and fulfil them; a lost connection costs time only."""
        pauses = self._database.waits()
        while True:
            try:
                async with await AsyncConnection.connect(self._database_url, autocommit=True) as connection:
                    await connection.execute(f"listen {rejected.CHANNEL}")
                    self._database.ended()
                    while True:
                        await self._take_turn(connection)
                        pauses = self._database.waits()
                        async for _ in connection.notifies(timeout=LOOK_EVERY_S, stop_after=1):
                            pass
            except self._database.errors as error:
                self._database.began(error)
            await asyncio.sleep(next(pauses))

    async def _take_turn(self, connection: AsyncConnection) -> None:
        # An error or the end of the process closes the connection, and with it the turn.
        if not await reprocessing.begin(connection):
            return
        known_at: datetime | None = None
        while (requested := await reprocessing.next_requested(connection)) is not None:
            if known_at is None or requested.requested_at > known_at:
                # Whoever asks has just changed the register, and its notification may not have come yet.
                known_at = await reprocessing.moment(connection)
                await self._register.load()
            await self._fulfil(connection, requested)
        await reprocessing.end(connection)

    async def _fulfil(self, connection: AsyncConnection, requested: RequestedRejection) -> None:
        tally, after = _Tally(), 0
        while payloads := await reprocessing.payloads_behind(connection, requested, after, PAYLOADS_AT_ONCE):
            after = payloads[-1].id
            readable = [payload for payload in payloads if payload.obstacle(requested.topic) is None]
            tally.unreadable += len(payloads) - len(readable)
            sensors = self._register.sensors
            reread = [self._read(requested, payload, sensors) for payload in readable]
            for part in self._sliced(reread):
                await self._settle(connection, requested, part, sensors, tally)
        await reprocessing.finish(connection, requested)
        self._log.info(
            "a rejection was read again",
            rejection=requested.id,
            reason=requested.reason.value,
            stored=tally.stored,
            stored_before=tally.stored_before,
            still_refused=tally.still_refused,
            unreadable=tally.unreadable,
        )

    def _read(self, requested: RequestedRejection, payload: KeptPayload, sensors: SensorTable) -> _Reread:
        message = Message(requested.topic, payload.payload, payload.received_at, payload.encoding)
        resolved = resolve(read_again(message, requested.reason, requested.sensor), message, sensors)
        judged = judge([resolved], sensors, self._limits)
        taken = len(judged.readings) + len(judged.windows)
        return _Reread(payload, resolved, taken, [*resolved.rejections, *judged.rejections])

    def _sliced(self, reread: Sequence[_Reread]) -> Iterator[list[_Reread]]:
        part: list[_Reread] = []
        entries = 0
        for one in reread:
            size = len(one.resolved.keys) + len(one.resolved.rejections)
            if part and entries + size > self._readings_at_once:
                yield part
                part, entries = [], 0
            part.append(one)
            entries += size
        if part:
            yield part

    async def _settle(
        self,
        connection: AsyncConnection,
        requested: RequestedRejection,
        reread: Sequence[_Reread],
        sensors: SensorTable,
        tally: _Tally,
    ) -> None:
        """Store what became readings and note what did not, in one transaction; halve it where the database refuses."""
        judged = judge([one.resolved for one in reread], sensors, self._limits)
        try:
            result = await _store(connection, requested, reread, judged)
        except _REFUSED as error:
            if len(reread) > 1:
                middle = len(reread) // 2
                for half in (reread[:middle], reread[middle:]):
                    await self._settle(connection, requested, half, sensors, tally)
                return
            reason = str(error).strip().split("\n")[0]
            await reprocessing.take_out(connection, requested, [], f"value: was refused by the database: {reason}")
            tally.still_refused += 1
            return
        self._count(result)
        tally.stored += result.stored + result.changed
        tally.stored_before += result.duplicates
        tally.still_refused += sum(len(one.refused) for one in reread)

    def _count(self, result: WriteResult) -> None:
        self._metrics.stored.inc(result.stored)
        self._metrics.duplicates.inc(result.duplicates)
        self._metrics.changed.inc(result.changed)


async def _store(
    connection: AsyncConnection,
    requested: RequestedRejection,
    reread: Sequence[_Reread],
    judged: Judged,
) -> WriteResult:
    staying = [one for one in reread if one.stays(requested)]
    leaving = [one for one in reread if not one.stays(requested)]
    refused = [rejection for one in leaving for rejection in one.refused]
    async with connection.transaction() as transaction:
        # In the order in which batches are written: readings first, then rejections.
        result = await write_readings(connection, await reprocessing.set_older_aside(connection, judged.readings))
        await vibration_windows.write(connection, judged.windows)
        if not await reprocessing.lock(connection, requested, refused):
            result = WriteResult(0, 0)
            raise Rollback(transaction)  # somebody has dismissed it meanwhile
        await write_rejections(connection, refused)
        detail = staying[-1].refused[0].detail if staying else None
        await reprocessing.take_out(connection, requested, [one.payload.id for one in leaving], detail)
    return result


def read_again(message: Message, reason: RejectionReason, sensor: str | None) -> Decoded:
    """What was kept of a message, decoded by the protocol it came by.

    Of other protocols than our own a single reading is kept as our own contract writes it, because it was the
    reading and not the message that was refused; its sensor is noted beside it.
    """
    if wire.parse_readings_topic(message.topic) is None and sensor is not None:
        entry = _entry_of(message, reason)
        if entry is not None:
            return Decoded(
                [sensor],
                [wire.epoch_us(entry.time)],
                [entry.value],
                None if entry.unit is None else [entry.unit],
                None if entry.quality is None else [entry.quality],
                sender=sensor,
            )
    return decode(message)


def _entry_of(message: Message, reason: RejectionReason) -> wire.WireReading | None:
    if reason not in _OF_ENTRIES or message.content_type != ENTRY_ENCODING:
        return None
    try:
        entry: wire.WireReading = _ENTRY.decode(message.payload)
    except (msgspec.MsgspecError, ValueError, OverflowError):
        return None
    return entry
