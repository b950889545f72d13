"""What explains what, by default; every rule can be switched off, and none hides the worst."""

from collections.abc import Iterable, Mapping

from services.alerts.lifelines.contract import LifelineRules
from services.core.inhibition import Inhibition, Reach
from services.core.lifeline import Lifeline
from services.core.report import POWER_OUT
from services.core.severity import Severity
from services.core.text import Text

_GATEWAY_SILENT, _SENSOR_SILENT = "gateway-silent", "sensor-silent"


def _faults(rules: LifelineRules) -> Iterable[Inhibition]:
    """What a device that is out of order says of the city is not to be believed; life safety is told all the same."""
    faults = frozenset(kind.kind for kind in rules.kinds if kind.sensor_fault) - {_GATEWAY_SILENT, _SENSOR_SILENT}
    lifeline = rules.lifeline
    yield Inhibition(
        id=f"{lifeline}-device-fault",
        lifeline=lifeline,
        causes=faults,
        effects=frozenset({"*"}),
        reach=Reach.SENSOR,
        mutes_to=Severity.MINOR if lifeline is Lifeline.GAS else Severity.MODERATE,
        reason=Text("The device itself is out of order: {asset}.", "监测设备本身故障：{asset}。"),
    )


_POWER_REACHES_M = 500.0
"""About the block that one transformer station of a street supplies; a default, to be set by the city's grid."""
_WATER_RUNS_M = 200.0
"""Water of a broken main stands on the street and in the manholes around; a default."""


def _power(lifeline: Lifeline) -> Inhibition:
    """Who reports that power is out explains the devices around that fall silent, whichever lifeline they watch."""
    return Inhibition(
        id=f"{lifeline}-power-out-explains-silence",
        lifeline=lifeline,
        causes=frozenset({POWER_OUT}),
        effects=frozenset({_GATEWAY_SILENT, _SENSOR_SILENT}),
        effect_lifelines=frozenset(Lifeline),
        reach=Reach.NEARBY,
        within_m=_POWER_REACHES_M,
        mutes_to=Severity.MODERATE,
        reason=Text("Power is out nearby: {asset}.", "附近停电：{asset}。"),
    )


_OWN: Mapping[Lifeline, tuple[Inhibition, ...]] = {
    Lifeline.WATER: (
        Inhibition(
            id="water-leak-explains-pressure",
            lifeline=Lifeline.WATER,
            causes=frozenset({"leak-suspected", "burst-suspected"}),
            effects=frozenset({"pressure-low", "demand-above-usual", "night-flow-high", "unusual-draw"}),
            reach=Reach.LIFELINE,
            mutes_to=Severity.MAJOR,
            reason=Text("A leak explains it: {asset}.", "漏损可以解释该现象：{asset}。"),
        ),
        Inhibition(
            id="water-valve-explains-pressure",
            lifeline=Lifeline.WATER,
            causes=frozenset({"flow-path-changed", "pump-schedule-changed"}),
            effects=frozenset({"pressure-low", "pressure-high"}),
            reach=Reach.ZONE,
            mutes_to=Severity.MODERATE,
            reason=Text("A change of valves or pumps explains it: {asset}.", "阀门或水泵工况变化可以解释：{asset}。"),
        ),
        Inhibition(
            id="water-burst-explains-water-in-streets",
            lifeline=Lifeline.WATER,
            causes=frozenset({"burst-suspected"}),
            effects=frozenset({"waterlogging", "manhole-surcharge"}),
            effect_lifelines=frozenset({Lifeline.DRAINAGE}),
            reach=Reach.NEARBY,
            within_m=_WATER_RUNS_M,
            mutes_to=Severity.MODERATE,
            reason=Text("A burst water main nearby explains it: {asset}.", "附近供水主管爆管可以解释：{asset}。"),
        ),
    ),
    Lifeline.DRAINAGE: (
        Inhibition(
            id="drainage-water-on-road-explains-expectation",
            lifeline=Lifeline.DRAINAGE,
            causes=frozenset({"waterlogging"}),
            effects=frozenset({"waterlogging-expected"}),
            reach=Reach.ASSET,
            mutes_to=Severity.MAJOR,
            reason=Text("It has come true: {asset}.", "预计的积水已经出现：{asset}。"),
        ),
        Inhibition(
            id="drainage-storm-explains-levels",
            lifeline=Lifeline.DRAINAGE,
            causes=frozenset({"waterlogging"}),
            effects=frozenset({"manhole-surcharge", "heavy-rain", "pump-overload"}),
            reach=Reach.ZONE,
            mutes_to=Severity.MODERATE,
            reason=Text("Waterlogging in the same catchment explains it: {asset}.", "同片区积水可以解释：{asset}。"),
        ),
    ),
}


def default_inhibitions(declared: Iterable[LifelineRules]) -> list[Inhibition]:
    """The rules of all lifelines."""
    found: list[Inhibition] = []
    for rules in declared:
        found += _faults(rules)
        found.append(_power(rules.lifeline))
        found += _OWN.get(rules.lifeline, ())
    return found
