"""Whom a detector is taught about: a sensor or a zone, and the rule that judges it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from services.alerts.detectors.contract import Detector, ForecastDetector, RowDetector, SearchDetector, Trainable
from services.alerts.lifelines.contract import LifelineRules, SearchRule, SensorRule, Site, ZoneRule
from services.core.lifeline import Lifeline
from services.core.sensor import Sensor
from services.core.threshold import Threshold


@dataclass(frozen=True, slots=True)
class Subject:
    """A rule at a target, and its sensors in the order of the detector's columns."""

    rule: SensorRule | ZoneRule | SearchRule
    target: str
    zone: str
    sensors: tuple[Sensor, ...]

    def built(self) -> Detector | RowDetector | SearchDetector:
        """The rule's detector, which knows nothing yet.

        Raises:
            TypeError: the rule is a search that does not look at these sensors.
        """
        if isinstance(self.rule, SearchRule):
            search = self.rule.detector(Site(self.sensors))
            if search is None:
                raise TypeError(f"{self.rule.name} does not look at {self.target}")
            return search
        if isinstance(self.rule, ZoneRule):
            return self.rule.detector(self.sensors)
        return self.rule.detector(self.sensors[0])

    def detector(self) -> Trainable:
        """The same, to be taught.

        Raises:
            TypeError: it cannot be taught.
        """
        built = self.built()
        if not isinstance(built, Trainable):
            raise TypeError(f"{built.name} cannot be taught")
        return built

    @property
    def grades(self) -> tuple[Threshold, ...]:
        """The grades of the rule at the target; a search grades what it finds by itself."""
        if isinstance(self.rule, SearchRule):
            return ()
        return self.rule.grades if isinstance(self.rule, ZoneRule) else self.rule.grades(self.sensors[0])

    @property
    def forecasts(self) -> bool:
        """Whether it says what is coming: such a detector learns from troubles, not from the time between them."""
        return isinstance(self.rule, SearchRule) and isinstance(self.built(), ForecastDetector)


def subjects(rules: Mapping[Lifeline, LifelineRules], sensors: Iterable[Sensor]) -> Iterator[Subject]:
    """Everything in the city that can be taught, by zone, rule and target."""
    zones: dict[str, list[Sensor]] = {}
    for sensor in sorted(sensors, key=lambda each: each.id):
        zones.setdefault(sensor.zone, []).append(sensor)
    for zone, members in sorted(zones.items()):
        lifeline = rules.get(members[0].lifeline)
        if lifeline is not None:
            yield from _subjects(zone, lifeline, members)


def _subjects(zone: str, rules: LifelineRules, members: list[Sensor]) -> Iterator[Subject]:
    for rule in rules.sensor_rules:
        for sensor in members:
            if rule.applies_to(sensor) and rule.grades(sensor) and isinstance(rule.detector(sensor), Trainable):
                yield Subject(rule, sensor.id, zone, (sensor,))
    for zone_rule in rules.zone_rules:
        chosen = tuple(each for each in members if each.quantity in zone_rule.quantities)
        if len(chosen) >= zone_rule.minimum_sensors and isinstance(zone_rule.detector(chosen), Trainable):
            yield Subject(zone_rule, f"zone:{zone}", zone, chosen)
    for search in rules.searches:
        watched = tuple(each for each in members if each.quantity in search.quantities)
        if watched and isinstance(search.detector(Site(watched)), Trainable):
            yield Subject(search, f"zone:{zone}", zone, watched)
