"""Buffering gateways that together send a plan's readings, and know what they have sent."""

import asyncio
import random
from collections.abc import Callable

from services.core.wire import WireNumbered
from simulators.load.connection import Login
from simulators.load.gateway import BufferingGateway
from simulators.load.journal import Journal, MemoryJournal
from simulators.load.tally import Tally
from simulators.load.traffic import GatewayTraffic


class Fleet:
    """A buffering gateway for each of the plan's; every form of the plan must be numbered."""

    def __init__(
        self,
        login: Login,
        tally: Tally,
        rng: random.Random,
        *,
        rate: float | None = None,
        window: int = 50,
        journal: Callable[[int], Journal] = lambda _gateway: MemoryJournal(),
    ) -> None:
        """``rate`` is that of all together, in entries a second."""
        plan = self._plan = tally.plan
        if not all(form.numbered for form in plan.forms):
            raise ValueError("buffering gateways number their batches; every form of payload must say so")
        self._tally = tally
        self._rate = None if rate is None else rate / plan.gateways
        self.gateways = [
            BufferingGateway(
                plan.city,
                name,
                login,
                journal(number),
                random.Random(rng.random()),  # noqa: S311 - it spreads waits and keeps no secret
                window=window,
                capacity=2 * window,
                encode=self._counting(number),
            )
            for number, name in enumerate(plan.gateway_names)
        ]

    @property
    def stored(self) -> int:
        """How many batches the service has said it holds."""
        return sum(gateway.stored for gateway in self.gateways)

    async def send(self, batches: float, until: Callable[[], bool] = lambda: False) -> None:
        """Send so many batches of each gateway, or fewer when ``until`` says so; returns when all are stored."""
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(gateway.run()) for gateway in self.gateways]
            async with asyncio.TaskGroup() as feeding:
                for number in range(len(self.gateways)):
                    feeding.create_task(self._feed(number, batches, until))
            for task in running:
                task.cancel()

    async def _feed(self, number: int, batches: float, until: Callable[[], bool]) -> None:
        gateway, loop = self.gateways[number], asyncio.get_running_loop()
        began, entries = loop.time(), 0
        for sent, contents in enumerate(GatewayTraffic(self._plan, number).contents()):
            if sent >= batches or until():
                break
            await gateway.put(contents.readings)
            self._tally.handed_over(number, contents.counts, 0)
            entries += contents.entries
            if self._rate is not None:
                await asyncio.sleep(max(0.0, began + entries / self._rate - loop.time()))
        await gateway.drained()
        self._tally.unconfirmed -= sent

    def _counting(self, number: int) -> Callable[[WireNumbered], bytes]:
        encode = self._plan.form_of(number).encoder()

        def encode_and_count(batch: WireNumbered) -> bytes:
            payload = encode(batch)
            self._tally.payload_bytes += len(payload)
            return payload

        return encode_and_count
