"""Drainage: water on roads, in manholes, from the sky, and the pumps against it."""

from dataclasses import replace
from datetime import timedelta

from services.alerts.detectors.movement import Movement
from services.alerts.detectors.rate import Rate
from services.alerts.detectors.value import Value
from services.alerts.forecast.expected_rain import HORIZONS_MIN
from services.alerts.lifelines.contract import LifelineRules, SensorRule, limits_of, same_for_all
from services.alerts.lifelines.drainage_causes import DRAINAGE_CAUSES
from services.alerts.lifelines.drainage_forecast import WATERLOGGING_FORECAST
from services.alerts.lifelines.fast_reporting import fast_reporting
from services.alerts.lifelines.faults import faults_of
from services.core.alert_kind import AlertKind
from services.core.lifeline import Lifeline
from services.core.quantity import Quantity
from services.core.severity import Scheme, Severity
from services.core.text import Text
from services.core.threshold import Side, Threshold

_OFF = timedelta(minutes=10)


def _kind(kind: str, label: Text, instruction: Text, publishes_from: Severity | None = None) -> AlertKind:
    return AlertKind(
        lifeline=Lifeline.DRAINAGE,
        kind=kind,
        label=label,
        instruction=instruction,
        scheme=Scheme.EMERGENCY,
        sensor_fault=False,
        publishes_from=publishes_from,
    )


WATERLOGGING = _kind(
    "waterlogging",
    Text("Waterlogging", "道路积水"),
    Text(
        "Close the road at the barrier, start the pumps, warn the people in the underpass.",
        "封闭道路，启动排涝泵，劝离下穿通道内人员和车辆。",
    ),
    Severity.MAJOR,
)
SURCHARGE = _kind(
    "manhole-surcharge",
    Text("Manhole fills up", "检查井水位过高"),
    Text("Check for a blockage downstream, secure the cover.", "排查下游堵塞，加固井盖。"),
)
HEAVY_RAIN = _kind(
    "heavy-rain",
    Text("Heavy rain", "强降雨"),
    Text("Open the storm view and man the low points.", "启动防汛值守，人员到低洼点位。"),
)
PUMP = _kind(
    "pump-overload",
    Text("Pump current too high", "水泵电流过高"),
    Text("Check the pump for blockage and switch to the spare one.", "检查水泵堵塞，切换备用泵。"),
)
RIVER = _kind(
    "river-high",
    Text("River high at the outfall", "排口河道水位过高"),
    Text(
        "Outfalls no longer run freely: close the flap gates and drain by pump.", "排口出流受顶托：关闭拍门，改用泵排。"
    ),
)
PLANT_LIMIT = _kind(
    "plant-limit",
    Text("Plant limit exceeded", "设备运行参数超限"),
    Text(
        "Check the pump, gate or sewer at the named place; its limit was set for it.",
        "检查所列位置的水泵、闸门或管道，限值由现场设定。",
    ),
)
COVER = _kind(
    "cover-displaced",
    Text("Manhole cover displaced", "井盖移位"),
    Text(
        "Secure the place at once: a person can fall in. Put the cover back.", "立即现场警戒，防止人员坠落；复位井盖。"
    ),
)


def _grade(severity: Severity, raise_at: float, clear_at: float, source: str) -> Threshold:
    return Threshold(
        severity, Side.ABOVE, raise_at=raise_at, clear_at=clear_at, off_delay=_OFF, source=f"default: {source}"
    )


# No on-delay: water can skip two grades between two readings, and an underpass fills faster than a second look takes.
ROAD_DEPTH = (
    _grade(Severity.MODERATE, 15, 12, "15 cm, design criterion of GB 50014/51222 as cited, to be confirmed on site"),
    _grade(Severity.MAJOR, 27, 23, "27 cm, heavy waterlogging in a vendor's practice"),
    _grade(Severity.CRITICAL, 40, 35, "40 cm, cars stall and float; to be confirmed on site"),
)
_MILLIMETRES = 10.0
WATER_DEPTH = tuple(
    replace(grade, raise_at=_MILLIMETRES * grade.raise_at, clear_at=_MILLIMETRES * grade.clear_at)
    for grade in ROAD_DEPTH
)
"""The same for street sensors that tell millimetres, and only while there is water."""
RAIN = (
    _grade(Severity.MINOR, 30, 20, "30 mm/h, from background knowledge"),
    _grade(Severity.MODERATE, 60, 45, "60 mm/h, from background knowledge"),
)

TILT = (
    Threshold(
        Severity.MAJOR,
        Side.ABOVE,
        raise_at=15,
        clear_at=8,
        off_delay=_OFF,
        source="default: 15 degrees, where a cover no longer rests on its frame; to be confirmed on site",
    ),
)
_LIMIT = Text(
    "{label}: {value} {unit} at {asset} (limit {limit} {unit}).",
    "{label}：{asset}为{value} {unit}（限值{limit} {unit}）。",
)
_NORMAL = Text("{asset} is back to {value} {unit} after {lasting}.", "{asset}已回落至{value} {unit}，历时{lasting}。")


def _limit_rule(name: str, kind: AlertKind, *quantities: str, side: Side = Side.ABOVE) -> SensorRule:
    return SensorRule(
        name=name,
        kind=kind,
        raised=_LIMIT,
        cleared=_NORMAL,
        quantities=quantities,
        detector=lambda _: Value(),
        grades=limits_of(side),
    )


LEVEL_MOVES = fast_reporting(
    Lifeline.DRAINAGE,
    "drainage-level-moves",
    lambda sensor: Movement(sensor.interval.total_seconds()),
    {"road_depth": 2.0, "manhole_level": 0.05},
    "2 cm of road water in one cycle, a vendor's practice; 5 cm in a manhole, our own",
)

RISING_FAST = SensorRule(
    name="drainage-rising-fast",
    kind=WATERLOGGING,
    raised=Text(
        "Water at {asset} rises by {score} {score_unit} and stands at {value} {unit}.",
        "{asset}积水正以{score} {score_unit}的速度上涨，现为{value} {unit}。",
    ),
    cleared=Text("Water at {asset} no longer rises: {value} {unit}.", "{asset}积水不再上涨：{value} {unit}。"),
    quantities=("road_depth",),
    detector=lambda _: Rate(window_s=1500, floor=10),
    grades=same_for_all(
        Threshold(
            Severity.MODERATE,
            Side.ABOVE,
            raise_at=0.4,
            clear_at=0.1,
            off_delay=_OFF,
            source="default: 2 cm in five minutes, where a vendor's devices switch to fast reporting",
        )
    ),
    score_unit=Text("cm/min", "厘米/分钟"),
)

_PLANT = ("sewer_flow", "pump_state", "gate_position")
"""There is no limit that suits every pump and gate: these rules are for sensors that have limits of their own."""

# Waves, pumps and showers make isolated jumps of all of these, so that jumping is no fault here.
_RESTING = {
    "road_depth": 0.0,
    "water_depth": 0.0,
    "manhole_level": 0.0,
    "rain_intensity": 0.0,
    "pump_current": 0.0,
    **dict.fromkeys(HORIZONS_MIN, 0.0),
}
_SWITCHED = frozenset({"pump_state", "gate_position", "cover_tilt"})
"""These stand still until somebody or something moves them."""
_FAULTS = faults_of(
    Lifeline.DRAINAGE, {**_RESTING, "sewer_flow": 0.0}, jumping=frozenset({*_RESTING, "sewer_flow"}), switched=_SWITCHED
)

RULES = LifelineRules(
    lifeline=Lifeline.DRAINAGE,
    quantities=(
        Quantity(
            Lifeline.DRAINAGE, "road_depth", "cm", Text("Water on the road", "路面积水深度"), (0, 400), ROAD_DEPTH
        ),
        Quantity(
            Lifeline.DRAINAGE,
            "water_depth",
            "mm",
            Text("Water depth, floods only", "积水深度（仅积水时上报）"),
            (0, 4000),
            WATER_DEPTH,
        ),
        Quantity(Lifeline.DRAINAGE, "manhole_level", "m", Text("Manhole level", "检查井水位"), (0, 30)),
        Quantity(Lifeline.DRAINAGE, "rain_intensity", "mm/h", Text("Rain intensity", "雨强"), (0, 500), RAIN),
        *(
            Quantity(
                Lifeline.DRAINAGE,
                name,
                "mm",
                Text(f"Rain expected within {minutes} min", f"未来{minutes}分钟预报雨量"),
                (0, 500),
            )
            for name, minutes in HORIZONS_MIN.items()
        ),
        Quantity(Lifeline.DRAINAGE, "pump_current", "A", Text("Pump current", "水泵电流"), (0, 2000)),
        Quantity(Lifeline.DRAINAGE, "pump_state", "1", Text("Pump running", "水泵运行状态"), (0, 100)),
        Quantity(Lifeline.DRAINAGE, "sewer_flow", "m3/h", Text("Sewer flow", "管道流量"), (-100_000, 200_000)),
        Quantity(Lifeline.DRAINAGE, "gate_position", "%", Text("Gate position", "闸门开度"), (0, 100)),
        Quantity(Lifeline.DRAINAGE, "river_level", "m", Text("River level", "河道水位"), (-10, 60)),
        Quantity(Lifeline.DRAINAGE, "cover_tilt", "deg", Text("Cover tilt", "井盖倾角"), (0, 180), TILT),
    ),
    sensor_rules=(
        _limit_rule("drainage-road-depth", WATERLOGGING, "road_depth", "water_depth"),
        LEVEL_MOVES,
        RISING_FAST,
        _limit_rule("drainage-manhole-level", SURCHARGE, "manhole_level"),
        _limit_rule("drainage-rain", HEAVY_RAIN, "rain_intensity"),
        _limit_rule("drainage-pump-current", PUMP, "pump_current"),
        _limit_rule("drainage-river-level", RIVER, "river_level"),
        _limit_rule("drainage-cover-tilt", COVER, "cover_tilt"),
        _limit_rule("drainage-plant-above-limit", PLANT_LIMIT, *_PLANT),
        _limit_rule("drainage-plant-below-limit", PLANT_LIMIT, *_PLANT, side=Side.BELOW),
        *_FAULTS.sensor_rules,
    ),
    searches=(WATERLOGGING_FORECAST, DRAINAGE_CAUSES),
    sensor_silent=_FAULTS.sensor_silent,
    gateway_silent=_FAULTS.gateway_silent,
    event_driven=frozenset({"water_depth"}),
)
