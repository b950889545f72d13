"""One message's way from the broker to its acknowledgement."""

from collections.abc import Callable
from datetime import datetime

from services.ingest.batch import Batcher
from services.ingest.decode import Message, decode
from services.ingest.metrics import Metrics
from services.ingest.register import Register
from services.ingest.validate import ClockLimits, validate


class Intake:
    """Decodes and checks messages and waits until what they held is committed."""

    def __init__(
        self,
        batcher: Batcher,
        register: Register,
        limits: ClockLimits,
        metrics: Metrics,
        *,
        unconfirmed: int,
        now: Callable[[], datetime],
    ) -> None:
        self._batcher = batcher
        self._register = register
        self._limits = limits
        self._metrics = metrics
        self._unconfirmed = unconfirmed
        self._waiting = 0
        self._now = now

    async def accept(self, topic: str, payload: bytes, qos: int, is_connected: Callable[[], bool]) -> None:
        """Return when the message may be acknowledged, or when its connection is gone and nobody would hear it.

        Messages of QoS 0, of which the broker may send any number, are dropped and counted when as many messages
        wait already as it may send of QoS 1.
        """
        self._metrics.received.inc()
        if qos == 0 and self._waiting >= self._unconfirmed:
            self._metrics.dropped.inc()
            return
        self._waiting += 1
        try:
            await self._store(Message(topic, payload, self._now()), is_connected)
        finally:
            self._waiting -= 1

    async def _store(self, message: Message, is_connected: Callable[[], bool]) -> None:
        await self._batcher.room()
        if not is_connected():
            return
        decoded = decode(message)
        if any(sensor not in self._register.sensors for sensor, _ in decoded.readings):
            await self._register.load_early()
        await self._batcher.add(validate(decoded, message, self._register.sensors, self._limits))
