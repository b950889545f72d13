"""Who has not been heard for too long: sensors, and gateways with all their sensors."""

from collections.abc import Iterable, Mapping, Sequence
from math import inf
from typing import Any

from services.alerts.detectors.contract import Score
from services.alerts.detectors.gap import Gap
from services.alerts.episode import Grounds, Place, configuration_hash, finding, moment
from services.alerts.explanation import duration
from services.alerts.lifelines.contract import LifelineRules, SilenceRule
from services.core.finding import Finding, FindingState
from services.core.sensor import Sensor
from services.core.severity import Severity
from services.core.text import Text

_NEVER = -inf


class _Source:
    """Something that is heard: a sensor, or a gateway through its sensors. Moments are seconds since 1970.

    ``heard_s`` is the newest judged event time, ``gap`` counts from there or from a later moment of grace,
    ``arrived_s`` is the newest event time received, judged or held, and ``spoke_s`` how far the city's time was
    when something older than it arrived. ``raised`` is since when it is silent and when that was known.
    """

    __slots__ = (
        "arrived_s",
        "gap",
        "gateway",
        "heard_s",
        "members",
        "members_due_s",
        "place",
        "raised",
        "rule",
        "spoke_s",
    )

    def __init__(self, rule: SilenceRule, place: Place, interval_s: float) -> None:
        self.rule = rule
        self.place = place
        self.gap = Gap(interval_s)
        self.gateway: _Source | None = None
        self.members: list[_Source] = []
        self.members_due_s = _NEVER
        self.heard_s = _NEVER
        self.arrived_s = _NEVER
        self.spoke_s = _NEVER
        self.raised: tuple[float, float] | None = None

    @property
    def lost_since_s(self) -> float:
        """The last sign of life, or where the watch began."""
        return self.heard_s if self.heard_s != _NEVER else self.gap.due_s - self.gap.tolerated_s

    def arrive(self, time_s: float, city_s: float) -> bool:
        self.arrived_s = max(self.arrived_s, time_s)
        if time_s >= city_s or city_s <= self.spoke_s:
            return False
        self.spoke_s = city_s
        return True

    def hear(self, time_s: float, known_s: float) -> None:
        self.heard_s = max(self.heard_s, time_s)
        self.gap.hear(known_s)

    def fall_silent(self, time_s: float) -> Finding:
        self.raised = (self.lost_since_s, time_s)
        return self._tell(FindingState.RAISED, self.rule.severity, self.raised)

    def recover(self, time_s: float) -> Finding:
        since_s, known_s = self.raised or (time_s, time_s)
        self.raised = None
        return self._tell(FindingState.CLEARED, Severity.NORMAL, (since_s, max(time_s, known_s)))

    def _tell(self, state: FindingState, severity: Severity, span: tuple[float, float]) -> Finding:
        start_s, end_s = span
        tolerated_s = self.gap.tolerated_s
        evidence = {
            "window": {"start": moment(start_s).isoformat(), "end": moment(end_s).isoformat()},
            "values": {},
            "threshold": {"tolerated_s": tolerated_s, "source": "default: three intervals, at least 15 minutes"},
            "blind": list(self.place.sensors),
            "configuration": configuration_hash(self.rule, self.gap.configuration(), ()),
        }
        fields: dict[str, str | Text] = {
            "gateway": self.place.target,
            "count": str(len(self.place.sensors)),
            "limit": duration(tolerated_s),
        }
        score = Score((end_s - start_s) / tolerated_s)
        grounds = Grounds(score, None, self.gap.name, self.gap.version, fields, evidence)
        return finding(self.rule, state, self.place, severity=severity, span=span, grounds=grounds)

    def state(self) -> dict[str, Any]:
        return {
            "heard_s": None if self.heard_s == _NEVER else self.heard_s,
            "spoke_s": None if self.spoke_s == _NEVER else self.spoke_s,
            "gap": self.gap.state(),
            "raised": None if self.raised is None else list(self.raised),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        self.heard_s = _NEVER if state["heard_s"] is None else state["heard_s"]
        self.spoke_s = _NEVER if state["spoke_s"] is None else state["spoke_s"]
        self.arrived_s = self.heard_s
        self.gap.restore(state["gap"])
        self.raised = None if state["raised"] is None else (state["raised"][0], state["raised"][1])


class Silence:
    """Notices silence in event time, and tells a silent gateway from silent sensors.

    A sensor of a gateway is silent when the gateway is heard through another sensor after the sensor was due; when
    no sensor is heard, the gateway is silent, and that is one finding. Whoever recovers gives the others of the
    same gateway a new start. ``changed`` collects the identifiers of sensors whose state changed.
    """

    def __init__(self, zone: str, rules: LifelineRules, sensors: Sequence[Sensor]) -> None:
        self._sensors: dict[str, _Source] = {}
        self._gateways: dict[str, _Source] = {}
        self._next_s = _NEVER
        self._city_s = _NEVER
        self._anything_came = False
        self.changed: set[str] = set()
        for sensor in sensors:
            place = Place(sensor.lifeline, zone, sensor.id, sensor.asset, (sensor.id,))
            self._sensors[sensor.id] = _Source(rules.sensor_silent, place, sensor.interval.total_seconds())
        regular = [sensor for sensor in sensors if sensor.quantity not in rules.event_driven]
        for name in sorted({sensor.gateway for sensor in regular if sensor.gateway is not None}):
            members = [sensor for sensor in regular if sensor.gateway == name]
            if len(members) > 1:
                self._gateways[name] = self._gateway(zone, name, rules, members)
        for sensor in sensors:
            self._sensors[sensor.id].gateway = self._gateways.get(sensor.gateway or "")
        lone = [self._sensors[sensor.id] for sensor in regular if self._sensors[sensor.id].gateway is None]
        self._watched = [*self._gateways.values(), *lone]

    def _gateway(self, zone: str, name: str, rules: LifelineRules, members: Sequence[Sensor]) -> _Source:
        identifiers = tuple(sorted(sensor.id for sensor in members))
        place = Place(rules.lifeline, zone, f"gateway:{name}", name, identifiers)
        interval_s = min(sensor.interval.total_seconds() for sensor in members)
        source = _Source(rules.gateway_silent, place, interval_s)
        source.members = [self._sensors[identifier] for identifier in identifiers]
        return source

    def arrive(self, sensor: str, time_s: float) -> None:
        """A reading came in, whether it is judged now or held."""
        self._anything_came = True
        source = self._sensors[sensor]
        if source.arrive(time_s, self._city_s):
            self.changed.add(sensor)
        if source.gateway is not None:
            source.gateway.arrive(time_s, self._city_s)

    def hear(self, sensor: str, time_s: float, known_s: float, into: list[Finding]) -> None:
        """A reading of ``time_s`` was judged when event time had come to ``known_s``."""
        source = self._sensors[sensor]
        source.hear(time_s, known_s)
        gateway = source.gateway
        if source.raised:
            into.append(source.recover(known_s))
            self._next_s = min(self._next_s, source.gap.due_s)
            if gateway is not None:
                gateway.members_due_s = min(gateway.members_due_s, source.gap.due_s)
        if gateway is not None:
            self._hear_gateway(gateway, time_s, known_s, into)

    def _hear_gateway(self, gateway: _Source, time_s: float, known_s: float, into: list[Finding]) -> None:
        gateway.hear(time_s, known_s)
        if gateway.raised:
            into.append(gateway.recover(known_s))
            self._next_s = min(self._next_s, gateway.gap.due_s)
            for member in gateway.members:
                member.gap.hear(known_s)
                self.changed.add(member.place.target)
        elif known_s > gateway.members_due_s:
            for member in gateway.members:
                if not member.raised and member.gap.due_s < known_s:
                    into.append(member.fall_silent(known_s))
                    self.changed.add(member.place.target)
            dues = (member.gap.due_s for member in gateway.members if not member.raised)
            gateway.members_due_s = min(dues, default=inf)

    def pass_time(self, time_s: float, into: list[Finding]) -> None:
        """Every reading before ``time_s`` has been judged."""
        if time_s > self._next_s:
            self._begin(time_s)
            self._raise_before(time_s, self._watched, into)
            self._next_s = min((each.gap.due_s for each in self._watched if not each.raised), default=inf)

    def advance(self, city_s: float, into: list[Finding]) -> None:
        """The whole city's readings before ``city_s`` have come in."""
        if city_s <= self._city_s:
            return
        self._city_s = city_s
        if not self._anything_came:
            self._begin(city_s)
        # A source with readings still held is not silent up to them; their own order will tell.
        quiet = (
            each
            for each in self._watched
            if each.arrived_s <= each.heard_s and each.spoke_s + each.gap.tolerated_s < city_s
        )
        self._raise_before(city_s, quiet, into)

    def _begin(self, time_s: float) -> None:
        for sensor, source in self._sensors.items():
            if source.gap.due_s == inf:
                source.gap.hear(time_s)
                self.changed.add(sensor)
        for gateway in self._gateways.values():
            if gateway.gap.due_s == inf:
                gateway.gap.hear(time_s)

    def _raise_before(self, time_s: float, sources: Iterable[_Source], into: list[Finding]) -> None:
        overdue = [each for each in sources if not each.raised and each.gap.due_s < time_s]
        for source in sorted(overdue, key=lambda each: (each.gap.due_s, each.place.target)):
            into.append(source.fall_silent(source.gap.due_s))
            self.changed.add(source.place.target)

    def state_of(self, sensor: str) -> dict[str, Any]:
        """What is remembered of one sensor, as JSON."""
        return self._sensors[sensor].state()

    def state(self) -> dict[str, Any]:
        """What is remembered beside the sensors, as JSON."""
        gateways = {name: gateway.state() for name, gateway in self._gateways.items()}
        return {"city_s": None if self._city_s == _NEVER else self._city_s, "gateways": gateways}

    def restore_sensor(self, sensor: str, state: Mapping[str, Any]) -> None:
        """Take up what ``state_of`` returned."""
        self._sensors[sensor].restore(state)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up what ``state`` returned, after every sensor was restored."""
        self._city_s = _NEVER if state["city_s"] is None else state["city_s"]
        self._anything_came = any(each.heard_s != _NEVER for each in self._sensors.values())
        for name, gateway in self._gateways.items():
            if name in state["gateways"]:
                gateway.restore(state["gateways"][name])
