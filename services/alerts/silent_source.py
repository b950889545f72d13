"""What can fall silent: a sensor, or a gateway through its sensors. Moments are seconds since 1970."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import inf
from typing import Any

from services.alerts.detectors.contract import Score
from services.alerts.detectors.gap import Gap
from services.alerts.episode import Grounds, Place, configuration_hash, finding, moment
from services.alerts.explanation import duration
from services.alerts.lifelines.contract import SilenceRule
from services.core.finding import Finding, FindingState
from services.core.sensor import Sensor
from services.core.severity import Severity
from services.core.text import Text

NEVER = -inf
_LIVING_SHARE = 0.2
"""A gateway lives as long as more than this share of its sensors is heard: some may have a way of their own."""


class SilentSource(ABC):
    """Something that is heard or not; ``raised`` is since when it is silent and when that was known."""

    def __init__(self, rule: SilenceRule, place: Place, interval_s: float) -> None:
        self.rule = rule
        self.place = place
        self.gap = Gap(interval_s)
        self.raised: tuple[float, float] | None = None

    @property
    @abstractmethod
    def due_s(self) -> float:
        """When the silence stops being tolerable; infinite before the watch began."""

    @property
    @abstractmethod
    def lost_since_s(self) -> float:
        """The last sign of life, or where the watch began."""

    @abstractmethod
    def overdue_for(self, city_s: float) -> bool:
        """Whether it is overdue at the city's time, too, and nothing of it is still held."""

    @abstractmethod
    def blind(self) -> tuple[str, ...]:
        """The sensors of which nothing is heard now."""

    def fall_silent(self, time_s: float) -> Finding:
        """Open the episode, known at ``time_s``."""
        self.raised = (self.lost_since_s, time_s)
        return self._tell(FindingState.RAISED, self.rule.severity, self.raised, self.blind())

    def recover(self, time_s: float) -> Finding:
        """End the episode, never before it was known."""
        since_s, known_s = self.raised or (time_s, time_s)
        self.raised = None
        span = (since_s, max(time_s, known_s))
        return self._tell(FindingState.CLEARED, Severity.NORMAL, span, self.place.sensors)

    def _tell(
        self, state: FindingState, severity: Severity, span: tuple[float, float], sensors: tuple[str, ...]
    ) -> Finding:
        start_s, end_s = span
        tolerated_s = self.gap.tolerated_s
        evidence = {
            "window": {"start": moment(start_s).isoformat(), "end": moment(end_s).isoformat()},
            "values": {},
            "threshold": {"tolerated_s": tolerated_s, "source": "default: three intervals, at least 15 minutes"},
            "sensors": list(sensors),
            "configuration": configuration_hash(self.rule, self.gap.configuration(), ()),
        }
        fields: dict[str, str | Text] = {
            "count": str(len(sensors)),
            "limit": duration(tolerated_s),
        }
        score = Score((end_s - start_s) / tolerated_s)
        grounds = Grounds(score, None, self.gap.name, self.gap.version, fields, evidence)
        place = replace(self.place, sensors=sensors)
        return finding(self.rule, state, place, severity=severity, span=span, grounds=grounds)


class SilentSensor(SilentSource):
    """A sensor.

    ``heard_s`` is the newest judged event time, ``arrived_s`` the newest received, judged or held, and ``spoke_s`` how
    far the city's time was when something older than it arrived: whoever sends old readings is not silent now.
    """

    def __init__(self, zone: str, sensor: Sensor, rule: SilenceRule) -> None:
        place = Place(sensor.lifeline, zone, sensor.id, sensor.asset, (sensor.id,))
        super().__init__(rule, place, sensor.interval.total_seconds())
        self.gateway: SilentGateway | None = None
        self.interval_s = sensor.interval.total_seconds()
        self.heard_s = NEVER
        self.arrived_s = NEVER
        self.spoke_s = NEVER

    @property
    def due_s(self) -> float:
        """When its silence stops being tolerable."""
        return self.gap.due_s

    @property
    def alive_s(self) -> float:
        """The last sign of life or moment of grace."""
        return NEVER if self.gap.due_s == inf else self.gap.due_s - self.gap.tolerated_s

    @property
    def lost_since_s(self) -> float:
        """The last sign of life, or where the watch began."""
        return self.alive_s if self.heard_s == NEVER else self.heard_s

    def overdue_for(self, city_s: float) -> bool:
        """Whether it is overdue at the city's time, too, and nothing of it is still held."""
        return self.arrived_s <= self.heard_s and self.spoke_s + self.gap.tolerated_s < city_s

    def blind(self) -> tuple[str, ...]:
        """Itself."""
        return self.place.sensors

    def arrive(self, time_s: float, city_s: float) -> bool:
        """A reading came in; whether that is worth remembering beyond the reading itself."""
        self.arrived_s = max(self.arrived_s, time_s)
        if time_s >= city_s or city_s <= self.spoke_s:
            return False
        self.spoke_s = city_s
        return True

    def hear(self, time_s: float, known_s: float) -> None:
        """A reading of ``time_s`` was judged at ``known_s``."""
        self.heard_s = max(self.heard_s, time_s)
        self.gap.hear(known_s)

    def grant(self, time_s: float) -> None:
        """Count silence from ``time_s`` on."""
        self.gap.hear(time_s)

    def state(self) -> dict[str, Any]:
        """All that is remembered, as JSON."""
        return {
            "heard_s": None if self.heard_s == NEVER else self.heard_s,
            "spoke_s": None if self.spoke_s == NEVER else self.spoke_s,
            "gap": self.gap.state(),
            "raised": None if self.raised is None else list(self.raised),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken."""
        self.heard_s = NEVER if state["heard_s"] is None else state["heard_s"]
        self.spoke_s = NEVER if state["spoke_s"] is None else state["spoke_s"]
        self.arrived_s = self.heard_s
        self.gap.restore(state["gap"])
        self.raised = None if state["raised"] is None else (state["raised"][0], state["raised"][1])


class SilentGateway(SilentSource):
    """A gateway with two or more sensors, alive as long as more than a fifth of them is heard.

    ``members_due_s`` is a moment before which none of its sensors is overdue.
    """

    def __init__(self, zone: str, name: str, rule: SilenceRule, members: Sequence[SilentSensor]) -> None:
        identifiers = tuple(sorted(member.place.target for member in members))
        place = Place(members[0].place.lifeline, zone, f"gateway:{name}", name, identifiers)
        self._living = int(len(members) * _LIVING_SHARE)
        super().__init__(rule, place, sorted(member.interval_s for member in members)[self._living])
        self.members = tuple(sorted(members, key=lambda member: member.place.target))
        self.members_due_s = NEVER
        for member in members:
            member.gateway = self

    def _at_most(self, of: Callable[[SilentSensor], float]) -> float:
        """The largest value that more than the living share of the sensors has reached."""
        return sorted((of(member) for member in self.members), reverse=True)[self._living]

    @property
    def alive_s(self) -> float:
        """The last sign of life or moment of grace."""
        return self._at_most(lambda member: member.alive_s)

    @property
    def due_s(self) -> float:
        """When its silence stops being tolerable."""
        alive_s = self.alive_s
        return inf if alive_s == NEVER else alive_s + self.gap.tolerated_s

    @property
    def lost_since_s(self) -> float:
        """The last sign of life, or where the watch began."""
        return self._at_most(lambda member: member.lost_since_s)

    def overdue_for(self, city_s: float) -> bool:
        """Whether it is overdue at the city's time, too, and nothing of it is still held."""
        if any(member.arrived_s > member.heard_s for member in self.members):
            return False
        return self._at_most(lambda member: member.spoke_s) + self.gap.tolerated_s < city_s

    def blind(self) -> tuple[str, ...]:
        """The sensors that were not heard since the gateway was."""
        since_s = self.lost_since_s
        return tuple(member.place.target for member in self.members if member.lost_since_s <= since_s)
