"""What every lifeline promises, tried on every lifeline that is found."""

import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from string import Formatter

import pytest

from services.alerts.explanation import FIELDS
from services.alerts.lifelines import alert_kinds, catalogue, discover
from services.alerts.lifelines.contract import LifelineRules, SensorRule
from services.alerts.zone_engine import ZoneEngine
from services.core.lifeline import Lifeline
from services.core.sensor import Sensor
from services.core.severity import Severity

UNITS = {
    (Lifeline.GAS, "methane"): "%LEL",
    (Lifeline.GAS, "gas_pressure"): "kPa",
    (Lifeline.GAS, "gas_flow"): "m3/h",
    (Lifeline.GAS, "feeder_pressure"): "kPa",
    (Lifeline.GAS, "feeder_flow"): "m3/h",
    (Lifeline.GAS, "methane_volume"): "%VOL",
    (Lifeline.GAS, "ethane"): "ppm",
    (Lifeline.GAS, "cathodic_potential"): "mV",
    (Lifeline.GAS, "ground_vibration"): "mm/s",
    (Lifeline.WATER, "pressure"): "kPa",
    (Lifeline.WATER, "flow"): "m3/h",
    (Lifeline.WATER, "tank_level"): "m",
    (Lifeline.DRAINAGE, "road_depth"): "cm",
    (Lifeline.DRAINAGE, "manhole_level"): "m",
    (Lifeline.DRAINAGE, "rain_intensity"): "mm/h",
    (Lifeline.DRAINAGE, "pump_current"): "A",
    (Lifeline.BRIDGE, "strain"): "µε",
    (Lifeline.BRIDGE, "deflection"): "mm",
    (Lifeline.BRIDGE, "vehicle_weight"): "t",
    (Lifeline.BRIDGE, "deck_temperature"): "degC",
    (Lifeline.BRIDGE, "acceleration_rms"): "m/s2",
}
FAULTS = {"sensor-silent", "gateway-silent", "sensor-out-of-range", "sensor-stuck", "sensor-spiky"}
MODEL_FAULTS = {
    "bridge-sensor-off",
    "pressure-off-model",
    "meter-off-model",
    "inlet-meter-off-pressures",
    "gauge-off-sewers",
    "methane-sensor-drift",
    "device-battery-low",
    "feeder-meter-off",
}

every = pytest.mark.parametrize("rules", discover().values(), ids=lambda rules: str(rules.lifeline))


def _sensor(rules: LifelineRules, quantity: str) -> Sensor:
    declared = rules.quantity(quantity)
    assert declared is not None
    return Sensor(
        id="s",
        key=1,
        lifeline=rules.lifeline,
        quantity=quantity,
        unit=declared.unit,
        asset="a",
        zone="z",
        longitude=0,
        latitude=0,
        interval=timedelta(minutes=5),
        gateway="g",
        plausible=declared.plausible,
        thresholds=declared.thresholds,
    )


def test_quantities_and_units_are_the_published_ones() -> None:
    found = {(each.lifeline, each.name): each.unit for each in catalogue()}
    assert UNITS.items() <= found.items()


@every
def test_every_quantity_has_a_range_a_label_and_a_rule_that_names_it(rules: LifelineRules) -> None:
    judged = {name for rule in rules.sensor_rules for name in rule.quantities}
    judged |= {name for rule in rules.zone_rules for name in rule.quantities}
    judged |= {name for search in rules.searches for name in search.quantities}
    for quantity in rules.quantities:
        low, high = quantity.plausible
        assert low < high
        assert quantity.label.en
        assert quantity.label.zh
        assert quantity.name in judged


@every
def test_default_thresholds_say_that_they_are_defaults(rules: LifelineRules) -> None:
    for quantity in rules.quantities:
        for threshold in quantity.thresholds:
            assert threshold.source.startswith("default: ")
            assert quantity.plausible[0] <= threshold.raise_at <= quantity.plausible[1]
        for rule in rules.sensor_rules:
            if rule.applies_to(_sensor(rules, quantity.name)):
                for grade in rule.grades(_sensor(rules, quantity.name)):
                    assert "default" in grade.source


@every
def test_sentences_mention_only_known_fields_and_the_same_in_both_languages(rules: LifelineRules) -> None:
    known = {*FIELDS}.union(*(search.fields for search in rules.searches))
    for rule in rules.rules:
        for sentence in (rule.raised, rule.cleared):
            english, chinese = (
                {name for _, name, _, _ in Formatter().parse(text) if name} for text in (sentence.en, sentence.zh)
            )
            assert english == chinese
            assert english <= known


@every
def test_sensor_faults_are_never_published_by_rule(rules: LifelineRules) -> None:
    assert {kind.kind for kind in rules.kinds} >= FAULTS
    for kind in rules.kinds:
        assert kind.lifeline is rules.lifeline
        assert kind.sensor_fault == (kind.kind in FAULTS | MODEL_FAULTS)
        assert kind.label.zh
        assert kind.instruction.en
        assert kind.instruction.zh
        if kind.sensor_fault:
            assert kind.publishes_from is None


@every
def test_names_of_rules_are_unique_and_found_again(rules: LifelineRules) -> None:
    names = [rule.name for rule in rules.rules]
    assert len(set(names)) == len(names)
    assert all(rules.rule(name).name == name for name in names)
    with pytest.raises(KeyError):
        rules.rule("no-such-rule")


@every
def test_one_sensor_of_each_quantity_makes_an_engine(rules: LifelineRules) -> None:
    sensors = [_sensor(rules, quantity.name) for quantity in rules.quantities]
    named = [replace(each, id=each.quantity) for each in sensors]
    engine = ZoneEngine("z", rules, named, allowed_lateness=timedelta(seconds=2))
    assert engine.observe([]) == []


def test_life_safety_is_published_by_rule() -> None:
    from_severity = {kind.kind: kind.publishes_from for kind in alert_kinds()}
    assert from_severity["methane-high"] is Severity.MAJOR
    assert from_severity["waterlogging"] is Severity.MAJOR
    assert from_severity["overload"] is Severity.MAJOR
    assert from_severity["leak-suspected"] is Severity.MAJOR


def test_waterlogging_at_27_cm_reaches_the_published_grade() -> None:
    depth = discover()[Lifeline.DRAINAGE].quantity("road_depth")
    assert depth is not None
    assert [(each.raise_at, each.severity) for each in depth.thresholds] == [
        (15, Severity.MODERATE),
        (27, Severity.MAJOR),
        (40, Severity.CRITICAL),
    ]


def test_a_rule_applies_to_all_quantities_or_to_those_it_names() -> None:
    rules = discover()[Lifeline.GAS]
    level = rules.rule("gas-methane-level")
    assert isinstance(level, SensorRule)
    assert level.applies_to(_sensor(rules, "methane"))
    assert not level.applies_to(_sensor(rules, "gas_flow"))


def test_the_rules_load_without_what_only_a_teacher_needs() -> None:
    """Every process that knows the rules starts with them; scikit-learn alone takes longer to load than all of them."""
    look = "import sys; from services.alerts.lifelines import discover; discover(); print('sklearn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "False"
