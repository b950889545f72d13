"""Bridges: what crosses them and how the structure answers."""

from datetime import timedelta

from services.alerts.detectors.value import Value
from services.alerts.lifelines.bridge_structure import COLLIDED, MODES, STRUCTURE
from services.alerts.lifelines.contract import LifelineRules, SensorRule, limits_of
from services.alerts.lifelines.faults import faults_of
from services.core.alert_kind import AlertKind
from services.core.lifeline import Lifeline
from services.core.quantity import Quantity
from services.core.severity import Scheme, Severity
from services.core.text import Text
from services.core.threshold import Side, Threshold

OVERLOAD = AlertKind(
    lifeline=Lifeline.BRIDGE,
    kind="overload",
    label=Text("Overweight vehicle", "超重车辆"),
    instruction=Text(
        "Stop the vehicle, keep others off the bridge, inspect the span.", "拦停车辆，禁止其他车辆上桥，检查桥跨结构。"
    ),
    scheme=Scheme.BRIDGE,
    sensor_fault=False,
    publishes_from=Severity.MAJOR,
)
STRUCTURE_LIMIT = AlertKind(
    lifeline=Lifeline.BRIDGE,
    kind="structure-limit",
    label=Text("Structural limit exceeded", "结构响应超限"),
    instruction=Text(
        "Compare with traffic and temperature, inspect; at limit 3 close the bridge.",
        "结合交通荷载和温度研判并现场检查；达到三级时封闭桥梁。",
    ),
    scheme=Scheme.BRIDGE,
    sensor_fault=False,
    publishes_from=Severity.CRITICAL,
)

VEHICLE_WEIGHT = (
    Threshold(
        Severity.MAJOR,
        Side.ABOVE,
        raise_at=55,
        clear_at=52,
        source="default: to be set from the bridge's posted limit",
    ),
    Threshold(
        Severity.CRITICAL,
        Side.ABOVE,
        raise_at=85,
        clear_at=80,
        source="default: first limit reported of one bridge, to be set from the bridge's design",
    ),
)
BLOWS = tuple(
    Threshold(
        severity,
        Side.ABOVE,
        raise_at=metres_per_s2,
        clear_at=0.2 * metres_per_s2,
        off_delay=timedelta(minutes=10),
        source=f"default: {metres_per_s2} m/s2, from background knowledge, to be set from the pier's own vibration",
    )
    for severity, metres_per_s2 in ((Severity.MAJOR, 5.0), (Severity.CRITICAL, 15.0))
)


_RAISED = Text(
    "{label}: {value} {unit} at {asset} (limit {limit} {unit}).",
    "{label}：{asset}为{value} {unit}（限值{limit} {unit}）。",
)
_CLEARED = Text("{asset} is back to {value} {unit} after {lasting}.", "{asset}已恢复至{value} {unit}，历时{lasting}。")
_MODES = tuple(f"spectral_peak_{mode}" for mode in range(1, 7))
_TRACKED = tuple(f"tracked_mode_{mode}" for mode in range(1, 7))
_STRUCTURE = (
    "strain",
    "deflection",
    "displacement",
    "tilt",
    "crack_width",
    "cable_force",
    "scour_depth",
    "natural_frequency",
    *_MODES,
    *_TRACKED,
    "deck_temperature",
    "wind_speed",
    "acceleration",
    "acceleration_rms",
    "acceleration_peak",
)

VEHICLE_OVER_LIMIT = SensorRule(
    name="bridge-vehicle-weight",
    kind=OVERLOAD,
    raised=Text(
        "A vehicle of {value} {unit} is on {asset}; the limit is {limit} {unit}.",
        "{asset}上有{value} {unit}的车辆，限值{limit} {unit}。",
    ),
    cleared=Text("The overweight vehicle has left {asset}.", "超重车辆已驶离{asset}。"),
    quantities=("vehicle_weight",),
    detector=lambda _: Value(),
    grades=limits_of(Side.ABOVE),
)
ABOVE_LIMIT = SensorRule(
    name="bridge-above-limit",
    kind=STRUCTURE_LIMIT,
    raised=_RAISED,
    cleared=_CLEARED,
    quantities=_STRUCTURE,
    detector=lambda _: Value(),
    grades=limits_of(Side.ABOVE),
)
BELOW_LIMIT = SensorRule(
    name="bridge-below-limit",
    kind=STRUCTURE_LIMIT,
    raised=_RAISED,
    cleared=_CLEARED,
    quantities=_STRUCTURE,
    detector=lambda _: Value(),
    grades=limits_of(Side.BELOW),
)

BLOW = SensorRule(
    name="bridge-blow",
    kind=COLLIDED.kind,
    raised=Text(
        "A blow of {value} {unit} at {asset} (limit {limit} {unit}).",
        "{asset}受到{value} {unit}的撞击（限值{limit} {unit}）。",
    ),
    cleared=Text("No further blow at {asset} within {lasting}.", "{asset}在{lasting}内未再受撞击。"),
    quantities=("collision_acceleration",),
    detector=lambda _: Value(),
    grades=limits_of(Side.ABOVE),
)

_EVENTS = frozenset({"vehicle_weight", "collision_acceleration", "acceleration", *_TRACKED})
"""What is told when something happens: a vehicle, a blow, a window of raw vibration and the modes in it."""
_JUMPING = _EVENTS | {"acceleration_peak", "natural_frequency", "wind_speed", *_MODES}
"""Vehicles, gusts and the picking of a neighbouring peak make isolated jumps."""
_RESTING = {"vehicle_weight": 0.0, "collision_acceleration": 0.0, "wind_speed": 0.0, "humidity": 100.0}
_FAULTS = faults_of(Lifeline.BRIDGE, _RESTING, jumping=_JUMPING)

RULES = LifelineRules(
    lifeline=Lifeline.BRIDGE,
    quantities=(
        Quantity(Lifeline.BRIDGE, "strain", "µε", Text("Strain", "应变"), (-5000, 5000)),
        Quantity(Lifeline.BRIDGE, "deflection", "mm", Text("Deflection", "挠度"), (-2000, 2000)),
        Quantity(Lifeline.BRIDGE, "vehicle_weight", "t", Text("Vehicle weight", "车辆总重"), (0, 500), VEHICLE_WEIGHT),
        Quantity(Lifeline.BRIDGE, "deck_temperature", "degC", Text("Deck temperature", "桥面温度"), (-60, 90)),
        Quantity(Lifeline.BRIDGE, "acceleration_rms", "m/s2", Text("Acceleration (RMS)", "加速度均方根"), (0, 100)),
        Quantity(Lifeline.BRIDGE, "acceleration_peak", "m/s2", Text("Acceleration (peak)", "加速度峰值"), (0, 1000)),
        Quantity(
            Lifeline.BRIDGE, "collision_acceleration", "m/s2", Text("Blow on a pier", "撞击加速度"), (0, 5000), BLOWS
        ),
        Quantity(Lifeline.BRIDGE, "displacement", "mm", Text("Displacement", "位移"), (-5000, 5000)),
        Quantity(Lifeline.BRIDGE, "tilt", "deg", Text("Tilt", "倾角"), (-45, 45)),
        Quantity(Lifeline.BRIDGE, "crack_width", "mm", Text("Crack width", "裂缝宽度"), (-1, 100)),
        Quantity(Lifeline.BRIDGE, "cable_force", "kN", Text("Cable force", "索力"), (-1000, 50_000)),
        Quantity(Lifeline.BRIDGE, "scour_depth", "m", Text("Scour depth", "冲刷深度"), (-5, 50)),
        Quantity(Lifeline.BRIDGE, "natural_frequency", "Hz", Text("Natural frequency", "自振频率"), (0.001, 200)),
        *(
            Quantity(Lifeline.BRIDGE, name, "Hz", Text(f"Spectral peak {mode}", f"第{mode}阶频谱峰值"), (0.001, 200))
            for mode, name in enumerate(_MODES, start=1)
        ),
        *(
            Quantity(
                Lifeline.BRIDGE, name, "Hz", Text(f"Frequency of mode {mode}", f"第{mode}阶模态频率"), (0.001, 200)
            )
            for mode, name in enumerate(_TRACKED, start=1)
        ),
        Quantity(
            Lifeline.BRIDGE, "acceleration", "m/s2", Text("Acceleration (raw)", "加速度（原始波形）"), (-1000, 1000)
        ),
        Quantity(Lifeline.BRIDGE, "air_temperature", "degC", Text("Air temperature", "气温"), (-60, 60)),
        Quantity(Lifeline.BRIDGE, "wind_speed", "m/s", Text("Wind speed", "风速"), (0, 120)),
        Quantity(Lifeline.BRIDGE, "humidity", "%", Text("Humidity", "相对湿度"), (0, 100)),
    ),
    sensor_rules=(VEHICLE_OVER_LIMIT, BLOW, ABOVE_LIMIT, BELOW_LIMIT, *_FAULTS.sensor_rules),
    searches=(STRUCTURE, MODES),
    sensor_silent=_FAULTS.sensor_silent,
    gateway_silent=_FAULTS.gateway_silent,
    event_driven=_EVENTS,
)
