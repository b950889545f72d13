"""Pressure, flow and corrosion protection of the gas network: limits of one sensor, and what several tell together."""

from dataclasses import replace
from datetime import timedelta

from services.alerts.detectors.contract import SearchDetector
from services.alerts.detectors.seasonal import Seasonal
from services.alerts.detectors.value import Value
from services.alerts.gas.network_search import NetworkSearch
from services.alerts.gas.town import town_of
from services.alerts.lifelines.contract import Rule, SearchRule, SensorRule, Site, limits_of, same_for_all
from services.core.alert_kind import AlertKind
from services.core.lifeline import Lifeline
from services.core.quantity import Quantity
from services.core.sensor import Sensor
from services.core.severity import Scheme, Severity
from services.core.text import Text
from services.core.threshold import Side, Threshold

_OFF = timedelta(minutes=10)

PRESSURE_LOW = AlertKind(
    lifeline=Lifeline.GAS,
    kind="gas-pressure-low",
    label=Text("Gas pressure low", "燃气压力过低"),
    instruction=Text(
        "Check the regulator and the valves upstream, and look for a broken main.",
        "检查上游调压设备和阀门，排查管道破损。",
    ),
    scheme=Scheme.EMERGENCY,
    sensor_fault=False,
    publishes_from=None,
)
PRESSURE_HIGH = replace(
    PRESSURE_LOW,
    kind="gas-pressure-high",
    label=Text("Gas pressure high", "燃气压力过高"),
    instruction=Text("Check the regulator and its relief valve.", "检查调压设备和安全放散阀。"),
)
FLOW_HIGH = replace(
    PRESSURE_LOW,
    kind="gas-flow-high",
    label=Text("Gas flow unusually high", "燃气流量异常偏高"),
    instruction=Text("Compare with customers' use and look for a broken main.", "核对用户用气情况，排查管道破损。"),
)

_LIMIT = Text("{asset}: {value} {unit}, limit {limit} {unit}.", "{asset}：{value} {unit}，限值{limit} {unit}。")
_NORMAL = Text("{asset}: back to {value} {unit} after {lasting}.", "{asset}：已恢复至{value} {unit}，历时{lasting}。")

PRESSURE_BELOW_LIMIT = SensorRule(
    name="gas-pressure-below-limit",
    kind=PRESSURE_LOW,
    raised=_LIMIT,
    cleared=_NORMAL,
    quantities=("gas_pressure", "regulator_outlet_pressure", "regulator_inlet_pressure"),
    detector=lambda _: Value(),
    grades=limits_of(Side.BELOW),
)
PRESSURE_ABOVE_LIMIT = SensorRule(
    name="gas-pressure-above-limit",
    kind=PRESSURE_HIGH,
    raised=_LIMIT,
    cleared=_NORMAL,
    quantities=("gas_pressure", "regulator_outlet_pressure", "regulator_inlet_pressure"),
    detector=lambda _: Value(),
    grades=limits_of(Side.ABOVE),
)


def _usual(sensor: Sensor) -> Seasonal:
    low, high = sensor.plausible
    return Seasonal(floor=(high - low) * 1e-4, relative_floor=0.05)


PRESSURE_UNUSUAL = SensorRule(
    name="gas-pressure-below-usual",
    kind=PRESSURE_LOW,
    raised=Text(
        "Gas pressure at {asset} is {value} {unit}; at this time of day {expected} {unit} is usual.",
        "{asset}燃气压力{value} {unit}，该时段通常为{expected} {unit}。",
    ),
    cleared=_NORMAL,
    quantities=("gas_pressure",),
    detector=_usual,
    grades=same_for_all(
        Threshold(
            Severity.MODERATE,
            Side.BELOW,
            raise_at=-6,
            clear_at=-3,
            on_delay=timedelta(minutes=10),
            off_delay=_OFF,
            source="default: six robust deviations, at least 30 % below usual; no common limit exists",
        )
    ),
    score_unit=Text("deviations", "倍标准差"),
)
FLOW_UNUSUAL = SensorRule(
    name="gas-flow-above-usual",
    kind=FLOW_HIGH,
    raised=Text(
        "Gas flow at {asset} is {value} {unit}; at this time of day {expected} {unit} is usual.",
        "{asset}燃气流量{value} {unit}，该时段通常为{expected} {unit}。",
    ),
    cleared=_NORMAL,
    quantities=("gas_flow",),
    detector=lambda _: Seasonal(floor=5, relative_floor=0.1),
    grades=same_for_all(
        Threshold(
            Severity.MINOR,
            Side.ABOVE,
            raise_at=8,
            clear_at=4,
            on_delay=timedelta(minutes=15),
            off_delay=_OFF,
            source="default: eight robust deviations, at least 80 % above usual; no common limit exists",
        )
    ),
    score_unit=Text("deviations", "倍标准差"),
)

_CATHODIC = (
    Threshold(
        Severity.MINOR,
        Side.ABOVE,
        raise_at=-850.0,
        clear_at=-870.0,
        on_delay=timedelta(hours=1),
        off_delay=timedelta(hours=1),
        source="default: background knowledge, protected steel against Cu/CuSO4; to be confirmed on site",
    ),
    Threshold(
        Severity.MINOR,
        Side.BELOW,
        raise_at=-1200.0,
        clear_at=-1180.0,
        on_delay=timedelta(hours=1),
        off_delay=timedelta(hours=1),
        source="default: background knowledge, more negative may loosen the coating; to be confirmed on site",
    ),
)
PROTECTION_OFF = replace(
    PRESSURE_LOW,
    kind="cathodic-protection-off",
    label=Text("Corrosion protection out of range", "阴极保护电位异常"),
    instruction=Text(
        "Check the rectifier or the anodes, the insulating joints, and whether foreign metal touches the pipe.",
        "检查恒电位仪或牺牲阳极、绝缘接头，排查是否与其他金属构筑物搭接。",
    ),
)


def _protection_rule(side: Side) -> SensorRule:
    return SensorRule(
        name=f"gas-protection-{side}-limit",
        kind=PROTECTION_OFF,
        raised=Text(
            "The off potential at {asset} is {value} {unit} (limit {limit} {unit}, for {lasting}): the pipe is not"
            " protected as it should be.",
            "{asset}断电电位为{value} {unit}（限值{limit} {unit}，已持续{lasting}）：管道未处于正常保护状态。",
        ),
        cleared=_NORMAL,
        quantities=("cathodic_potential",),
        detector=lambda _: Value(),
        grades=limits_of(side),
    )


MAIN_BREAK = Rule(
    name="gas-main-break",
    kind=replace(
        PRESSURE_LOW,
        kind="gas-main-break",
        label=Text("Gas main broken", "燃气干管断裂"),
        instruction=Text(
            "Keep fire away, shut the listed valves at once, clear the surroundings, watch the regulators' flow.",
            "严禁烟火，立即关闭所列阀门，疏散周边人员，盯守调压站流量。",
        ),
        publishes_from=Severity.MAJOR,
    ),
    raised=Text(
        "A main seems to be broken ({probability} %) near {places}: {reasons}. About {flow} m3/h more flows in than is"
        " usual.",
        "疑似干管断裂（概率{probability}%），位置在{places}附近：{reasons}。入流量较平时多约{flow} m3/h。",
    ),
    cleared=Text(
        "Pressure and flow around {place} are again as usual, after {lasting}.",
        "{place}周边压力和流量已恢复正常，历时{lasting}。",
    ),
)
REGULATOR = Rule(
    name="gas-regulator-fault",
    kind=replace(
        PRESSURE_LOW,
        kind="regulator-fault",
        label=Text("Pressure regulator faulty", "调压器故障"),
        instruction=Text(
            "Check the regulator on site: seat, pilot, filter; change over to the second line.",
            "现场检查调压器阀座、指挥器和过滤器，切换至备用路。",
        ),
    ),
    raised=Text(
        "The regulator {place} does not keep its outlet pressure: {reasons} ({value} {unit}, usual is {expected}"
        " {unit}).",
        "{place}调压器出口压力失稳：{reasons}（实测{value} {unit}，正常为{expected} {unit}）。",
    ),
    cleared=Text(
        "The regulator {place} keeps its outlet pressure again, after {lasting}.",
        "{place}调压器出口压力恢复正常，历时{lasting}。",
    ),
)


def network_search(site: Site) -> SearchDetector | None:
    """The search among pressures and flows; ``None`` where no pressure is measured."""
    assets = site.surroundings.assets
    gauges = [
        (s.id, s.quantity, s.asset, s.longitude, s.latitude, s.asset in assets and assets[s.asset].kind == "regulator")
        for s in site.sensors
    ]
    town = town_of(assets.values(), site.surroundings.links)
    search = NetworkSearch(gauges, None if town is None else town.as_json(), site.learn_until_s)
    return search if search.watches else None


GAS_NETWORK = SearchRule(
    name="gas-network",
    outcomes=(MAIN_BREAK, REGULATOR),
    quantities=(
        "cut_off_valve_open",
        "gas_flow",
        "gas_pressure",
        "regulator_inlet_pressure",
        "regulator_outlet_pressure",
    ),
    detector=network_search,
    fields=frozenset({"flow", "place", "places", "probability", "reasons"}),
    step=timedelta(minutes=1),
)

QUANTITIES = (
    Quantity(Lifeline.GAS, "gas_pressure", "kPa", Text("Gas pressure", "燃气压力"), (0, 4000)),
    Quantity(Lifeline.GAS, "gas_flow", "m3/h", Text("Gas flow", "燃气流量"), (0, 100_000)),
    Quantity(
        Lifeline.GAS, "regulator_inlet_pressure", "kPa", Text("Regulator inlet pressure", "调压器进口压力"), (0, 4000)
    ),
    Quantity(
        Lifeline.GAS, "regulator_outlet_pressure", "kPa", Text("Regulator outlet pressure", "调压器出口压力"), (0, 4000)
    ),
    Quantity(
        Lifeline.GAS,
        "cathodic_potential",
        "mV",
        Text("Off potential of the pipe", "管道断电电位"),
        (-5000, 2000),
        _CATHODIC,
    ),
    Quantity(Lifeline.GAS, "cut_off_valve_open", "1", Text("Cut-off valve open", "切断阀开启状态"), (0, 1)),
)
SENSOR_RULES = (
    PRESSURE_BELOW_LIMIT,
    PRESSURE_ABOVE_LIMIT,
    PRESSURE_UNUSUAL,
    FLOW_UNUSUAL,
    _protection_rule(Side.ABOVE),
    _protection_rule(Side.BELOW),
)
