"""Detectors begin with what a model in use has taught them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from services.alerts import detector_memory
from services.alerts.detectors.contract import Detector, RowDetector, SearchDetector, Trainable
from services.alerts.lifelines.contract import LifelineRules, SearchRule, SensorRule, Site, ZoneRule
from services.core.detector_model import DetectorModel
from services.core.sensor import Sensor

Models = Mapping[tuple[str, str], DetectorModel]
"""The models in use by rule and target."""


def with_models(rules: LifelineRules, models: Models) -> LifelineRules:
    """The same rules, whose detectors begin with their model where there is one that fits.

    A model of another version or configuration of the detector does not fit and is left alone. A detector with a model
    has an identity of its own, so that what it had learnt without is not mixed in; a search keeps what it was taught
    apart from what it has seen, and goes on with its memory.
    """
    taught = {rule for rule, _ in models}
    return replace(
        rules,
        sensor_rules=tuple(_sensor_rule(rule, models) if rule.name in taught else rule for rule in rules.sensor_rules),
        zone_rules=tuple(_zone_rule(rule, models) if rule.name in taught else rule for rule in rules.zone_rules),
        searches=tuple(_search(rule, models) if rule.name in taught else rule for rule in rules.searches),
    )


def _sensor_rule(rule: SensorRule, models: Models) -> SensorRule:
    make: Callable[[Sensor], Detector] = rule.detector

    def taught(sensor: Sensor) -> Detector:
        detector = make(sensor)
        _adopt(detector, models.get((rule.name, sensor.id)))
        return detector

    return replace(rule, detector=taught)


def _zone_rule(rule: ZoneRule, models: Models) -> ZoneRule:
    make: Callable[[Sequence[Sensor]], RowDetector] = rule.detector

    def taught(sensors: Sequence[Sensor]) -> RowDetector:
        detector = make(sensors)
        _adopt(detector, models.get((rule.name, f"zone:{sensors[0].zone}")))
        return detector

    return replace(rule, detector=taught)


def _search(rule: SearchRule, models: Models) -> SearchRule:
    make: Callable[[Site], SearchDetector | None] = rule.detector

    def taught(site: Site) -> SearchDetector | None:
        detector = make(site)
        if detector is not None:
            _adopt(detector, models.get((rule.name, f"zone:{site.sensors[0].zone}")))
        return detector

    return replace(rule, detector=taught)


def _adopt(detector: Detector | RowDetector | SearchDetector, model: DetectorModel | None) -> None:
    if (
        model is not None
        and isinstance(detector, Trainable)
        and detector_memory.identity(detector) == model.configuration
    ):
        detector.adopt(model.parameters, f"{model.rule} {model.target} {model.version}")
