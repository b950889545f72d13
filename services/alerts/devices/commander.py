"""Sends commands to devices and hears their answers. At least once: a device may be asked the same twice."""

import asyncio
from datetime import timedelta
from uuid import UUID

import aiomqtt
import msgspec
import structlog
from psycopg import AsyncConnection

from services.core import wire
from services.core.broker_address import BrokerAddress
from services.core.device_command import CommandState
from services.core.store import device_commands
from services.core.store.pool import Pool

BROKER_AWAY = (aiomqtt.MqttError, OSError)
ANSWER_WITHIN = timedelta(seconds=30)
"""A command without an answer for so long is sent again."""
MOST_ATTEMPTS = 5
_AT_ONCE = 200
_POLL_S = 1.0
_WAIT_S = 3.0
_PUBLISHED_WITHIN_S = 5.0

log = structlog.get_logger()


class Commander:
    """Takes the open commands of one city to its broker."""

    def __init__(
        self, pool: Pool, address: BrokerAddress, city: str, *, answer_within: timedelta = ANSWER_WITHIN
    ) -> None:
        """Use connections of ``pool``, and one to the broker at ``address``."""
        self._pool = pool
        self._address = address
        self._city = city
        self._answer_within = answer_within

    async def run(self) -> None:
        """Send and listen until cancelled.

        Raises:
            aiomqtt.MqttError: the broker is away.
            OSError: it cannot be reached.
            psycopg.Error: the database is away.
        """
        address = self._address
        client = aiomqtt.Client(
            address.host,
            address.port,
            username=address.user,
            password=address.password,
            tls_context=address.ssl_context(),
            protocol=aiomqtt.ProtocolVersion.V5,
            keepalive=20,
        )
        async with client, asyncio.TaskGroup() as group:
            await client.subscribe(wire.device_answer_topic(self._city, "+"), qos=1)
            group.create_task(self._listen(client))
            while True:
                await self.send_due(client)
                await asyncio.sleep(_POLL_S)

    async def send_due(self, client: aiomqtt.Client) -> int:
        """Send what is due; how many commands were."""
        async with self._pool.connection() as connection:
            commands = await device_commands.due(connection, answer_within=self._answer_within, limit=_AT_ONCE)
            for command in commands:
                if command.attempts >= MOST_ATTEMPTS:
                    await device_commands.give_up(connection, command.id)
                    log.warning("a device does not answer", device=command.device, sensor=command.sensor)
                    continue
                asked = wire.WireCommand(
                    id=str(command.id), sensor=command.sensor, interval_s=command.interval.total_seconds()
                )
                topic = wire.device_command_topic(self._city, command.device)
                await client.publish(topic, wire.encode_command(asked), qos=1, timeout=_PUBLISHED_WITHIN_S)
                await device_commands.note_sent(connection, command.id)
        return len(commands)

    async def _listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            device = message.topic.value.split("/")[-3]
            payload = message.payload if isinstance(message.payload, bytes) else b""
            async with self._pool.connection() as connection:
                await _keep(connection, device, payload)


async def run_commander(commander: Commander) -> None:
    """Send and listen until cancelled; a broker that is away costs one line when it goes and one when it is back.

    Raises:
        ExceptionGroup: the database is away.
    """
    away = False
    while True:
        try:
            async with asyncio.TaskGroup() as group:
                running = group.create_task(commander.run())
                if away:
                    await asyncio.wait([running], timeout=_WAIT_S)
                    if not running.done():
                        log.info("commands reach the broker again")
                        away = False
        except* BROKER_AWAY as errors:
            if not away:
                log.warning("commands do not reach the broker", reason=str(errors.exceptions[0]))
            away = True
        await asyncio.sleep(_WAIT_S)


async def _keep(connection: AsyncConnection, device: str, payload: bytes) -> None:
    """Keep an answer; one that cannot be read is told in one line, one that nobody asked for changes nothing."""
    try:
        answer = wire.decode_answer(payload)
        command = UUID(answer.id)
    except (msgspec.MsgspecError, ValueError) as error:
        log.warning("a device's answer cannot be read", device=device, reason=str(error))
        return
    state = CommandState.DONE if answer.done else CommandState.REFUSED
    # Every process of the city hears every answer; the first one keeps it.
    if await device_commands.answer(connection, command, device, state, answer.reason) and not answer.done:
        log.warning("a device refused a command", device=device, command=answer.id, reason=answer.reason)
