"""Who has not been heard for too long: sensors, and gateways with all their sensors."""

from collections.abc import Iterable, Mapping, Sequence
from math import inf
from typing import Any

from services.alerts.lifelines.contract import LifelineRules
from services.alerts.silent_source import NEVER, SilentGateway, SilentSensor, SilentSource
from services.core.finding import Finding
from services.core.sensor import Sensor


class Silence:
    """Notices silence in event time, and tells a silent gateway from silent sensors.

    A gateway is silent when hardly any of its sensors is heard, and that is one finding. A sensor of a gateway is
    silent when the gateway lives beyond the moment the sensor was due. A gateway that recovers gives its sensors a
    new start. ``changed`` collects the identifiers of sensors whose state changed other than by a judged reading, and
    before ``next_s`` (seconds since 1970) ``pass_time`` has nothing to do.
    """

    def __init__(self, zone: str, rules: LifelineRules, sensors: Sequence[Sensor]) -> None:
        self._sensors = {sensor.id: SilentSensor(zone, sensor, rules.sensor_silent) for sensor in sensors}
        self._gateways: dict[str, SilentGateway] = {}
        regular = [sensor for sensor in sensors if sensor.quantity not in rules.event_driven]
        for name in sorted({sensor.gateway for sensor in regular if sensor.gateway is not None}):
            members = [self._sensors[sensor.id] for sensor in regular if sensor.gateway == name]
            if len(members) > 1:
                self._gateways[name] = SilentGateway(zone, name, rules.gateway_silent, members)
        lone = [self._sensors[sensor.id] for sensor in regular if self._sensors[sensor.id].gateway is None]
        self._watched: list[SilentSource] = [*self._gateways.values(), *lone]
        self.next_s = NEVER
        self._city_s = NEVER
        self._anything_came = False
        self.changed: set[str] = set()

    def arrive(self, sensor: str, time_s: float) -> None:
        """A reading came in, whether it is judged now or held."""
        self._anything_came = True
        source = self._sensors[sensor]
        # Nearly every reading ends here.
        if time_s >= self._city_s:
            source.arrived_s = max(source.arrived_s, time_s)
        elif source.arrive(time_s, self._city_s):
            self.changed.add(sensor)

    def hear(self, sensor: str, time_s: float, known_s: float, into: list[Finding]) -> None:
        """A reading of ``time_s`` was judged when event time had come to ``known_s``."""
        source = self._sensors[sensor]
        source.hear(time_s, known_s)
        gateway = source.gateway
        if source.raised:
            into.append(source.recover(known_s))
            self.next_s = min(self.next_s, source.due_s)
            if gateway is not None:
                gateway.members_due_s = min(gateway.members_due_s, source.due_s)
        if gateway is None:
            return
        if gateway.raised:
            self._try_recovery(gateway, known_s, into)
        elif known_s > gateway.members_due_s:
            self._raise_members(gateway, known_s, into)

    def _try_recovery(self, gateway: SilentGateway, known_s: float, into: list[Finding]) -> None:
        if gateway.raised is None or gateway.alive_s <= gateway.raised[0]:
            return
        into.append(gateway.recover(known_s))
        for member in gateway.members:
            member.grant(known_s)
            self.changed.add(member.place.target)
        self.next_s = min(self.next_s, gateway.due_s)

    def _raise_members(self, gateway: SilentGateway, known_s: float, into: list[Finding]) -> None:
        alive_s = gateway.alive_s
        for member in gateway.members:
            if not member.raised and member.due_s < alive_s:
                into.append(member.fall_silent(known_s))
                self.changed.add(member.place.target)
        gateway.members_due_s = min((each.due_s for each in gateway.members if not each.raised), default=inf)

    def pass_time(self, time_s: float, into: list[Finding]) -> None:
        """Every reading before ``time_s`` has been judged."""
        if time_s > self.next_s:
            self._begin(time_s)
            self._raise_before(time_s, self._watched, into)
            self.next_s = min((each.due_s for each in self._watched if not each.raised), default=inf)

    def advance(self, city_s: float, into: list[Finding]) -> None:
        """The whole city's readings before ``city_s`` have come in."""
        if city_s <= self._city_s:
            return
        self._city_s = city_s
        if not self._anything_came:
            self._begin(city_s)
        # A source with readings still held is not silent up to them; their own order will tell.
        quiet = [each for each in self._watched if not each.raised and each.overdue_for(city_s)]
        self._raise_before(city_s, quiet, into)

    def _begin(self, time_s: float) -> None:
        for name, source in self._sensors.items():
            if source.due_s == inf:
                source.grant(time_s)
                self.changed.add(name)

    def _raise_before(self, time_s: float, sources: Iterable[SilentSource], into: list[Finding]) -> None:
        overdue = [(each.due_s, each) for each in sources if not each.raised]
        for due_s, source in sorted(overdue, key=_by_time):
            if due_s < time_s:
                into.append(source.fall_silent(due_s))
                self.changed.add(source.place.target)

    def state_of(self, sensor: str) -> dict[str, Any]:
        """What is remembered of one sensor, as JSON."""
        return self._sensors[sensor].state()

    def state(self) -> dict[str, Any]:
        """What is remembered beside the sensors, as JSON."""
        gateways = {name: list(gateway.raised) for name, gateway in self._gateways.items() if gateway.raised}
        return {"city_s": None if self._city_s == NEVER else self._city_s, "gateways": gateways}

    def restore_sensor(self, sensor: str, state: Mapping[str, Any]) -> None:
        """Take up what ``state_of`` returned."""
        self._sensors[sensor].restore(state)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up what ``state`` returned, after every sensor was restored."""
        self._city_s = NEVER if state["city_s"] is None else state["city_s"]
        self._anything_came = any(each.heard_s != NEVER for each in self._sensors.values())
        for name, (since_s, known_s) in state["gateways"].items():
            if name in self._gateways:
                self._gateways[name].raised = (since_s, known_s)


def _by_time(overdue: tuple[float, SilentSource]) -> tuple[float, str]:
    due_s, source = overdue
    return due_s, source.place.target
