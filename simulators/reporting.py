"""How often devices report: as registered, or as they were asked over the broker.

A wish counts from the next measuring instant on and is kept with it, so that a simulation that goes on after a restart
measures at the same instants again.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

import aiomqtt
import msgspec
import structlog

from services.core.wire import (
    WireAnswer,
    WireCommand,
    decode_command,
    device_answer_topic,
    device_command_topic,
    encode_answer,
)
from simulators.city import City
from simulators.progress import Asked

_STEP_S = 60
_log = structlog.get_logger(__name__)


class Reporting:
    """The intervals of all sensors that were asked for another one than the registered."""

    def __init__(self, city: City, asked: Iterable[Asked] = (), keep: Callable[[Asked], None] = lambda _: None) -> None:
        """Go on with what was ``asked`` before, in the order in which it was; ``keep`` gets what is asked anew."""
        self._city = city
        self._keep = keep
        self._later = deque(asked)
        self._new: deque[tuple[str, int]] = deque()
        self._wished_s = {each.sensor: each.interval_s for each in self._later}
        self._intervals_s: dict[str, int] = {}

    def ask(self, device: str, command: WireCommand) -> WireAnswer:
        """What a device answers to a command; one it can carry out counts from the next measuring instant on."""
        reason = self._refusal(device, command)
        if reason is not None:
            return WireAnswer(id=command.id, done=False, reason=reason)
        interval_s = int(command.interval_s)
        # A command comes again until it is answered.
        if self._wished_s.get(command.sensor) != interval_s:
            self._wished_s[command.sensor] = interval_s
            self._new.append((command.sensor, interval_s))
        return WireAnswer(id=command.id, done=True)

    def begin(self, instant: datetime) -> Mapping[str, int]:
        """Seconds between the readings of the sensors that were asked, from ``instant`` on."""
        while self._later and self._later[0].since <= instant:
            known = self._later.popleft()
            self._intervals_s[known.sensor] = known.interval_s
        # What a device is asked while the past is replayed counts once that has been caught up with.
        while self._new and not self._later:
            sensor, interval_s = self._new.popleft()
            self._intervals_s[sensor] = interval_s
            self._keep(Asked(since=instant, sensor=sensor, interval_s=interval_s))
        return self._intervals_s

    def _refusal(self, device: str, command: WireCommand) -> str | None:
        sensor = self._city.sensor.get(command.sensor)
        if sensor is None or device != (sensor.gateway or sensor.id):
            return f"{command.sensor} is not measured here"
        if command.interval_s % _STEP_S:
            return f"reports every {_STEP_S} s or a multiple of it"
        return None


class CommandEar:
    """Hears commands to the devices of a city and answers for them."""

    def __init__(self, city: str, reporting: Reporting) -> None:
        self._city = city
        self._reporting = reporting

    @property
    def topic(self) -> str:
        """Where commands come in."""
        return device_command_topic(self._city, "+")

    async def hear(self, client: aiomqtt.Client, message: aiomqtt.Message) -> None:
        """Carry out a command and answer; what is no command gets no answer.

        Raises:
            aiomqtt.MqttError: the answer does not reach the broker; the service asks again.
        """
        device = message.topic.value.split("/")[-2]
        payload = message.payload if isinstance(message.payload, bytes) else b""
        try:
            command = decode_command(payload)
        except msgspec.MsgspecError as error:
            _log.warning("a command cannot be read", device=device, reason=str(error))
            return
        answer = self._reporting.ask(device, command)
        await client.publish(device_answer_topic(self._city, device), encode_answer(answer), qos=1)
