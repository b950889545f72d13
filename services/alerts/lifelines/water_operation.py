"""Water: how plants and networks are run, and what in it is unusual: pumps, valves, tanks, motors."""

from dataclasses import replace
from datetime import timedelta

from services.alerts.detectors.channel_residual import ChannelResidual
from services.alerts.detectors.level_shift import LevelShift
from services.alerts.detectors.value import Value
from services.alerts.lifelines.contract import Rule, SearchRule, SensorRule, Site, limits_of
from services.core.alert_kind import AlertKind
from services.core.lifeline import Lifeline
from services.core.quantity import Quantity
from services.core.severity import Scheme
from services.core.text import Text
from services.core.threshold import Side

_NETWORK_QUANTITIES = ("level", "tank_level", "status", "pressure", "flow")
_LOOP_QUANTITIES = ("vibration", "current", "voltage", "pressure", "flow")
"""Temperatures are left out: they follow the weather, the load and what is refilled, with a lag."""
_MACHINE = frozenset({"vibration", "current", "voltage"})
_LEAST_SENSORS = 3
_FASTEST_NETWORK_S = 60.0
_SLOWEST_LOOP_S = 10.0
_LOOP_HISTORY_ROWS = 3600
"""An hour at a row a second, where nobody says how long the history is."""
_LEAST_SHARES = {"vibration": 0.03, "current": 0.05, "voltage": 0.02, "pressure": 0.0, "flow": 0.02}
"""Changes of the level that mean nothing: the class of a flow meter, what a supply may vary, what a bearing does. A
gauge pressure may be about zero, of which no share can be taken."""
_REPLACED = frozenset(
    {
        "water-neighbour-residual",
        "water-flow-above-usual",
        "water-night-flow",
        "water-pressure-below-limit",
        "water-pressure-above-limit",
        "sensor-spiky",
    }
)
"""Pumps that start are no leak, what they deliver has no usual time of day and jumps there and back when one runs for a
short while, and nobody is supplied from their suction side: what is unusual at such instruments, their level and their
relations tell better."""

QUANTITIES = (
    Quantity(Lifeline.WATER, "level", "m", Text("Level", "液位"), (-1, 100)),
    Quantity(Lifeline.WATER, "status", "1", Text("State of a pump or valve", "泵阀状态"), (0, 100)),
    Quantity(Lifeline.WATER, "vibration", "m/s2", Text("Vibration (RMS)", "振动（均方根）"), (0, 1000)),
    Quantity(Lifeline.WATER, "current", "A", Text("Motor current", "电机电流"), (0, 10_000)),
    Quantity(Lifeline.WATER, "voltage", "V", Text("Voltage", "电压"), (0, 50_000)),
    Quantity(Lifeline.WATER, "temperature", "degC", Text("Temperature", "温度"), (-60, 200)),
    Quantity(Lifeline.WATER, "demand", "m3/h", Text("Demand", "用水量"), (-20_000, 20_000)),
)
RESTING = {"vibration": 0.0, "current": 0.0}
"""Where the quantities may rightly stand still: a machine that is off."""
SWITCHED = frozenset({"status"})
"""Quantities that stand still for as long as nobody switches, and then jump."""


def _outcome(name: str, label: Text, instruction: Text, raised: Text) -> Rule:
    return Rule(
        name=name,
        kind=AlertKind(
            lifeline=Lifeline.WATER,
            kind=name.removeprefix("water-"),
            label=label,
            instruction=instruction,
            scheme=Scheme.EMERGENCY,
            sensor_fault=False,
            publishes_from=None,
        ),
        raised=raised,
        cleared=Text(
            "{asset}: the instruments agree again after {lasting}; {sensor} shows {value} {unit}.",
            "{asset}：各测点已恢复一致，历时{lasting}；{sensor}为{value} {unit}。",
        ),
        score_unit=Text("times the usual limit", "倍常规限值"),
    )


UNUSUAL = _outcome(
    "water-operation-unusual",
    Text("Unusual operation", "运行异常"),
    Text(
        "Compare the named instruments with the place itself; check pumps, valves and the control system.",
        "将所列测点与现场核对，检查水泵、阀门和控制系统。",
    ),
    Text(
        "{sensor} shows {value} {unit}, where {expected} {unit} was to be expected from the {count} other instruments"
        " and the time before.",
        "{sensor}为{value} {unit}，而按其余{count}个测点及此前运行情况应为{expected} {unit}。",
    ),
)
LOOP_UNUSUAL = replace(UNUSUAL, name="water-loop-unusual")
SCHEDULE = _outcome(
    "water-pump-schedule-changed",
    Text("Pump schedule changed", "泵阀启停异常"),
    Text(
        "Ask the control room whether the pump or valve was switched on purpose; check the controller.",
        "向调度确认泵阀是否为人为操作，检查控制器。",
    ),
    Text(
        "{sensor} shows {value} where {expected} was to be expected:"
        " a pump or valve at {asset} does not run as it usually does.",
        "{sensor}为{value}，预期为{expected}：{asset}的水泵或阀门未按常规运行。",
    ),
)
TANK = _outcome(
    "water-tank-level-inconsistent",
    Text("Tank level inconsistent", "水池液位矛盾"),
    Text(
        "Read the level on site; check its sensor, the pumps that fill the tank and their controller.",
        "现场核对液位，检查液位计、进水泵及其控制器。",
    ),
    Text(
        "{sensor} shows {value} {unit}; what flows in and out lets expect {expected} {unit}.",
        "{sensor}为{value} {unit}，按进出水量应为{expected} {unit}。",
    ),
)
FLOW_PATH = _outcome(
    "water-flow-path-changed",
    Text("Valve or flow path changed", "阀门或流路变化"),
    Text("Check the valves of the loop and look for what blocks or loses water.", "检查管路阀门，排查堵塞或漏水。"),
    Text(
        "Flow at {sensor} went from {expected} to {value} {unit}: a valve was moved, or the path has changed.",
        "{sensor}流量由{expected} {unit}变为{value} {unit}：阀门动作或流路发生变化。",
    ),
)


def _network(site: Site) -> ChannelResidual | None:
    """For networks without a model whose pumps or valves report their state, minutes or hours apart."""
    sensors = site.sensors
    slow = max(sensor.interval.total_seconds() for sensor in sensors) >= _FASTEST_NETWORK_S
    switched = any(sensor.quantity in SWITCHED for sensor in sensors)
    if site.network is not None or not slow or not switched or len(sensors) < _LEAST_SENSORS:
        return None
    return ChannelResidual(
        [sensor.id for sensor in sensors],
        [sensor.quantity for sensor in sensors],
        sorted(SWITCHED),
        {"level": TANK.name, "tank_level": TANK.name, "status": SCHEDULE.name},
        UNUSUAL.name,
        step_s=max(sensor.interval.total_seconds() for sensor in sensors),
        learn_until_s=site.learn_until_s,
    )


def _loop(site: Site) -> LevelShift | None:
    """For machines whose motor is measured every few seconds."""
    sensors = site.sensors
    fast = max(sensor.interval.total_seconds() for sensor in sensors) <= _SLOWEST_LOOP_S
    machine = any(sensor.quantity in _MACHINE for sensor in sensors)
    if not fast or not machine or len(sensors) < _LEAST_SENSORS:
        return None
    return LevelShift(
        [sensor.id for sensor in sensors],
        [sensor.quantity for sensor in sensors],
        [_LEAST_SHARES[sensor.quantity] for sensor in sensors],
        {"flow": FLOW_PATH.name},
        LOOP_UNUSUAL.name,
        learn_until_s=site.learn_until_s,
        learn_rows=_LOOP_HISTORY_ROWS,
    )


NETWORK_OPERATION = SearchRule(
    name="water-network-operation",
    outcomes=(UNUSUAL, SCHEDULE, TANK),
    quantities=_NETWORK_QUANTITIES,
    detector=_network,
    replaces=_REPLACED,
)
LOOP_OPERATION = SearchRule(
    name="water-loop-operation",
    outcomes=(LOOP_UNUSUAL, FLOW_PATH),
    quantities=_LOOP_QUANTITIES,
    detector=_loop,
    replaces=_REPLACED,
    step=timedelta(seconds=1),
)
SEARCHES = (NETWORK_OPERATION, LOOP_OPERATION)

PLANT_LIMIT = AlertKind(
    lifeline=Lifeline.WATER,
    kind="plant-limit",
    label=Text("Plant limit exceeded", "设备运行参数超限"),
    instruction=Text(
        "Check the machine or tank at the named place; its limit was set for it.",
        "检查所列位置的设备或水池，限值由现场设定。",
    ),
    scheme=Scheme.EMERGENCY,
    sensor_fault=False,
    publishes_from=None,
)


def _limit_rule(side: Side) -> SensorRule:
    """For sensors that have limits of their own; there is none that suits every machine."""
    return SensorRule(
        name=f"water-plant-{side}-limit",
        kind=PLANT_LIMIT,
        raised=Text(
            "{asset}: {sensor} is at {value} {unit} (limit {limit} {unit}, for {lasting}).",
            "{asset}：{sensor}为{value} {unit}（限值{limit} {unit}，已持续{lasting}）。",
        ),
        cleared=Text(
            "{asset} is back to {value} {unit} after {lasting}.",
            "{asset}已恢复至{value} {unit}，历时{lasting}。",
        ),
        quantities=tuple(quantity.name for quantity in QUANTITIES if quantity.name not in SWITCHED),
        detector=lambda _: Value(),
        grades=limits_of(side),
    )


SENSOR_RULES = tuple(_limit_rule(side) for side in Side)
