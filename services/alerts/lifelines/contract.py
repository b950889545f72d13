"""What one lifeline declares: its quantities and its rules."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from services.alerts.detectors.contract import Detector, RowDetector, SearchDetector
from services.alerts.surroundings import NOWHERE, Surroundings
from services.core.alert_kind import AlertKind
from services.core.lifeline import Lifeline
from services.core.network_file import NetworkFile
from services.core.quantity import Quantity
from services.core.sensor import Sensor
from services.core.severity import Severity
from services.core.text import Text
from services.core.threshold import Side, Threshold


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What all rules have: which trouble they notice and how it is said.

    ``kind`` is the trouble, which says whether it is a danger or a sensor fault and from which severity a warning
    is published without waiting for a person; several rules may notice the same one. ``raised`` and ``cleared`` are
    sentences with the fields that ``explanation.py`` lists. ``score_unit`` is set where the grades are not in the
    quantity's own unit.
    """

    name: str
    kind: AlertKind
    raised: Text
    cleared: Text
    score_unit: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorRule(Rule):
    """A rule that judges each sensor by itself.

    ``quantities`` names what it applies to; empty means every quantity. ``detector`` and ``grades`` are asked once
    for each sensor; a sensor without grades is not judged by the rule. ``judges_bad`` also hands over readings of
    bad quality, as the fault rules need them.
    """

    quantities: tuple[str, ...]
    detector: Callable[[Sensor], Detector]
    grades: Callable[[Sensor], tuple[Threshold, ...]]
    judges_bad: bool = False

    def applies_to(self, sensor: Sensor) -> bool:
        """Whether the sensor measures one of the rule's quantities."""
        return not self.quantities or sensor.quantity in self.quantities


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneRule(Rule):
    """A rule that judges the sensors of one zone together, on a grid of event time with cells of ``step``.

    ``detector`` is built with the identifiers of the zone's sensors of ``quantities``, in alphabetical order; a
    zone with fewer than ``minimum_sensors`` of them is not judged.
    """

    quantities: tuple[str, ...]
    detector: Callable[[Sequence[Sensor]], RowDetector]
    grades: tuple[Threshold, ...]
    step: timedelta = timedelta(minutes=5)
    minimum_sensors: int = 2


@dataclass(frozen=True, slots=True)
class Site:
    """Where a search looks: its sensors of the rule's quantities, in alphabetical order, and the model, if any.

    ``learn_until_s`` (seconds since 1970) ends the history that was given to learn from; ``None`` where nobody says.
    ``surroundings`` is what the register knows of the zone and of what touches it.
    """

    sensors: tuple[Sensor, ...]
    network: NetworkFile | None = None
    learn_until_s: float | None = None
    surroundings: Surroundings = NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRule:
    """A rule that looks for several troubles at once among the sensors of a site, on a grid of event time.

    ``outcomes`` are what it may find, each a rule of its own with its kind and its sentences; claims name them and fill
    ``fields`` beside those that every sentence has.
    ``detector`` answers ``None`` where the site has not what the method needs. Where it applies, the rules named in
    ``replaces`` are not asked at the same sensors: two methods that see the same trouble would tell it twice.
    ``leaves_out_faulty`` keeps from it what a sensor says while the fault rules tell that it is faulty. Rows are as far
    apart as its slowest sensor reports, except those of the quantities in ``seldom``.
    """

    name: str
    outcomes: tuple[Rule, ...]
    quantities: tuple[str, ...]
    detector: Callable[[Site], SearchDetector | None]
    replaces: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()
    leaves_out_faulty: bool = False
    seldom: frozenset[str] = frozenset()
    step: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceRule(Rule):
    """A rule about hearing nothing, of a sensor or of a gateway with all its sensors."""

    severity: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class LifelineRules:
    """All that the service knows about one lifeline.

    ``event_driven`` names quantities that are reported when something happens: their silence means nothing.
    """

    lifeline: Lifeline
    quantities: tuple[Quantity, ...]
    sensor_rules: tuple[SensorRule, ...]
    zone_rules: tuple[ZoneRule, ...] = ()
    searches: tuple[SearchRule, ...] = ()
    sensor_silent: SilenceRule
    gateway_silent: SilenceRule
    event_driven: frozenset[str] = frozenset()

    @property
    def kinds(self) -> tuple[AlertKind, ...]:
        """Every kind of trouble its rules notice, each once."""
        return tuple({rule.kind.kind: rule.kind for rule in self.rules}.values())

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule."""
        outcomes = (outcome for search in self.searches for outcome in search.outcomes)
        return (*self.sensor_rules, *self.zone_rules, *outcomes, self.sensor_silent, self.gateway_silent)

    def without(self, names: frozenset[str]) -> "LifelineRules":
        """The same without some sensor and zone rules."""
        return replace(
            self,
            sensor_rules=tuple(rule for rule in self.sensor_rules if rule.name not in names),
            zone_rules=tuple(rule for rule in self.zone_rules if rule.name not in names),
        )

    def rule(self, name: str) -> Rule:
        """The rule a finding names.

        Raises:
            KeyError: there is no such rule (any more).
        """
        for rule in self.rules:
            if rule.name == name:
                return rule
        raise KeyError(name)

    def quantity(self, name: str) -> Quantity | None:
        """The catalogue entry of a quantity; ``None`` for one that this lifeline does not declare."""
        return next((quantity for quantity in self.quantities if quantity.name == name), None)


def limits_of(side: Side) -> Callable[[Sensor], tuple[Threshold, ...]]:
    """The sensor's own limits on one side, which are its quantity's defaults where it declares none."""

    def grades(sensor: Sensor) -> tuple[Threshold, ...]:
        return tuple(threshold for threshold in sensor.thresholds if threshold.side is side)

    return grades


def same_for_all(*grades: Threshold) -> Callable[[Sensor], tuple[Threshold, ...]]:
    """The same grades for every sensor, for rules that grade a score instead of the value."""
    return lambda _: grades
