"""What a bridge's gauges say of its structure once its weather is explained, and of one another."""

from datetime import timedelta

from services.alerts.detectors.contract import SearchDetector
from services.alerts.lifelines.contract import Rule, SearchRule, Site
from services.alerts.structures.causes import (
    BEARING,
    CABLE,
    COLLISION,
    SCOURED,
    SENSOR,
    SETTLEMENT,
    STIFFNESS,
    UNEXPLAINED,
)
from services.alerts.structures.channels import AIR_TEMPERATURES, ALL, DECK_TEMPERATURES, FREQUENCIES
from services.alerts.structures.mode_novelty import ModeNovelty
from services.alerts.structures.structure_search import StructureSearch
from services.alerts.structures.supports import spans_on
from services.core.alert_kind import AlertKind
from services.core.lifeline import Lifeline
from services.core.severity import Scheme, Severity
from services.core.text import Text

_THERMOMETERS = DECK_TEMPERATURES | AIR_TEMPERATURES
_FEWEST_MODES = 2


def _kind(
    kind: str, label: Text, instruction: Text, *, publishes_from: Severity | None = None, sensor_fault: bool = False
) -> AlertKind:
    return AlertKind(
        lifeline=Lifeline.BRIDGE,
        kind=kind,
        label=label,
        instruction=instruction,
        scheme=Scheme.DEVICE if sensor_fault else Scheme.BRIDGE,
        sensor_fault=sensor_fault,
        publishes_from=publishes_from,
    )


_CLEARED = Text(
    "The gauges at {places} are again where the weather lets expect them, or what they show is taken as usual now"
    " (after {lasting}).",
    "{places}的监测值已回到环境因素可解释的范围，或已作为新的常态（历时{lasting}）。",
)


def _rule(name: str, kind: AlertKind, raised: Text, cleared: Text = _CLEARED) -> Rule:
    return Rule(name=name, kind=kind, raised=raised, cleared=cleared)


SETTLED = _rule(
    "bridge-support-settlement",
    _kind(
        "bridge-settlement",
        Text("Support settles", "支座沉降"),
        Text(
            "Level the named support and its neighbours, look at bearings and joints; at limit 3 close the bridge to"
            " traffic.",
            "对所列支座及相邻支座进行水准测量，检查支座和伸缩缝；达到三级时封闭交通。",
        ),
    ),
    Text(
        "The deck at {places} lies differently: {value} {unit} at {sensor}, {expected} {unit} is what the weather"
        " explains ({temperature} °C); {count} gauges agree, no measured frequency has fallen. Lasting for {lasting}."
        " {chance}",
        "{places}处桥面线形改变：{sensor}为{value} {unit}，按环境因素（{temperature} °C）应为{expected} {unit}；"
        "{count}个监测点一致，未见实测自振频率下降。已持续{lasting}。{chance}",
    ),
)
SOFTENED = _rule(
    "bridge-stiffness",
    _kind(
        "bridge-stiffness-loss",
        Text("Structure has lost stiffness", "结构刚度下降"),
        Text(
            "Inspect the named span for cracks, prestress and bearings, test it under a known load; at limit 3 close"
            " the bridge to traffic.",
            "检查所列桥跨的裂缝、预应力和支座，必要时进行荷载试验；达到三级时封闭交通。",
        ),
    ),
    Text(
        "The bridge swings more slowly than the weather explains ({temperature} °C): {count} gauges at {places} show"
        " it; {sensor} is at {value} {unit} instead of {expected} {unit}. Lasting for {lasting}. {chance}",
        "扣除环境因素（{temperature} °C）后桥梁自振频率下降：{places}处{count}个监测点有反映；"
        "{sensor}为{value} {unit}，应为{expected} {unit}。已持续{lasting}。{chance}",
    ),
)
CABLE_LOST = _rule(
    "bridge-cable-force",
    _kind(
        "cable-force-lost",
        Text("Cable has lost its force", "拉索索力丧失"),
        Text(
            "Close the bridge to traffic now; inspect the cable, its anchors and its neighbours.",
            "立即封闭交通；检查该拉索及锚固端和相邻拉索。",
        ),
        publishes_from=Severity.CRITICAL,
    ),
    Text(
        "A cable at {place} has lost force: {sensor} is at {value} {unit} instead of {expected} {unit}, its neighbours"
        " have taken it over ({places}).",
        "{place}处拉索索力丧失：{sensor}为{value} {unit}，应为{expected} {unit}，相邻构件（{places}）内力随之增大。",
    ),
)
SCOUR = _rule(
    "bridge-scour",
    _kind(
        "scour",
        Text("Scour at a pier", "桥墩冲刷"),
        Text(
            "Sound the river bed at the named pier, compare with its foundation; at limit 3 close the bridge to"
            " traffic.",
            "测量所列桥墩处河床高程，与基础埋深核对；达到三级时封闭交通。",
        ),
    ),
    Text(
        "The river bed at {place} has been washed out: {value} {unit}, usually {expected} {unit}; {count} gauges show"
        " it.",
        "{place}处河床受冲刷：{value} {unit}，通常为{expected} {unit}；{count}个监测点有反映。",
    ),
)
BEARING_STUCK = _rule(
    "bridge-bearing",
    _kind(
        "bearing-stuck",
        Text("Bearing or joint does not slide", "支座或伸缩缝卡死"),
        Text(
            "Look at the bearing and the joint: dirt, rust, ice, a bent plate. Free them before the temperature turns.",
            "检查支座和伸缩缝有无积尘、锈蚀、结冰或变形，在气温反转前恢复滑动。",
        ),
    ),
    Text(
        "The joint at {place} follows the temperature by less than half as much as usual: {value} {unit}, {expected}"
        " {unit} would be usual at {temperature} °C.",
        "{place}处伸缩量随温度的变化不足平时一半：{value} {unit}，{temperature} °C时通常为{expected} {unit}。",
    ),
)
COLLIDED = _rule(
    "bridge-collision",
    _kind(
        "bridge-collision",
        Text("Something hit the bridge", "桥梁受撞击"),
        Text(
            "Stop traffic on and under the bridge at the named place and inspect; at limit 3 close the bridge to"
            " traffic.",
            "暂停所列位置桥上、桥下通行并检查；达到三级时封闭交通。",
        ),
        publishes_from=Severity.CRITICAL,
    ),
    Text(
        "A blow at {place}, or what it has left: {sensor} shows {value} {unit} where {expected} {unit} is usual.",
        "{place}受到撞击或撞击后留有变形：{sensor}为{value} {unit}，平时为{expected} {unit}。",
    ),
    Text(
        "No further blow at {place} within {lasting}; what has moved since is told by itself.",
        "{place}在{lasting}内未再受撞击；此后仍存在的变形另行报出。",
    ),
)
CHANGED = _rule(
    "bridge-change",
    _kind(
        "bridge-change-unexplained",
        Text("Bridge has changed, cause unclear", "桥梁状态改变，原因不明"),
        Text(
            "Compare the named gauges with traffic and works of these days, inspect; at limit 3 close the bridge to"
            " traffic.",
            "结合近日交通和施工情况核对所列监测点并现场检查；达到三级时封闭交通。",
        ),
    ),
    Text(
        "{count} gauges at {places} show what neither weather nor chance explains: {sensor} is at {value} {unit}"
        " instead of {expected} {unit}. Lasting for {lasting}. {chance}",
        "{places}处{count}个监测点的变化无法由环境因素或偶然误差解释：{sensor}为{value} {unit}，应为{expected} {unit}。"
        "已持续{lasting}。{chance}",
    ),
)
GAUGE_OFF = _rule(
    "bridge-gauge-off",
    _kind(
        "bridge-sensor-off",
        Text("Bridge sensor disagrees with the others", "桥梁监测点与其他监测点不符"),
        Text(
            "Check the sensor and its mounting; nothing else on the bridge shows what it shows.",
            "检查该传感器及其安装；桥上其他监测点均无相应变化。",
        ),
        sensor_fault=True,
    ),
    Text(
        "{sensor} shows {value} {unit} where the weather explains {expected} {unit}, or trembles or stands still as it"
        " never did; no other gauge of the bridge agrees with it.",
        "{sensor}为{value} {unit}，按环境因素应为{expected} {unit}，或其波动异常；桥上其他监测点均不支持该读数。",
    ),
)
_RULES = {
    SETTLEMENT: SETTLED,
    STIFFNESS: SOFTENED,
    CABLE: CABLE_LOST,
    SCOURED: SCOUR,
    BEARING: BEARING_STUCK,
    COLLISION: COLLIDED,
    UNEXPLAINED: CHANGED,
    SENSOR: GAUGE_OFF,
}
MODES_SHIFTED = _rule(
    "bridge-modes",
    _kind(
        "bridge-modes-shifted",
        Text("Natural frequencies unlike any known hour", "自振频率偏离已知状态"),
        Text(
            "Compare with temperature and traffic, which are not measured here; inspect the bridge if it lasts.",
            "结合气温和交通（此处未监测）研判；持续时现场检查。",
        ),
    ),
    Text(
        "The natural frequencies of {place} are unlike those of every healthy hour: {value} {unit} at {sensor}, next to"
        " it {expected} {unit}; {score} times the limit. No temperature is measured that could explain it.",
        "{place}的自振频率与所有健康时段均不相似：{sensor}为{value} {unit}，最接近的为{expected} {unit}；"
        "为限值的{score}倍。无温度监测可供解释。",
    ),
    Text("The frequencies of {place} are like those known again.", "{place}的自振频率已恢复到已知范围。"),
)


def structure_search(site: Site) -> SearchDetector | None:
    """The search behind the weather; ``None`` without a thermometer, or without anything that it explains."""
    channels = [(sensor.id, sensor.quantity, sensor.asset, sensor.unit) for sensor in site.sensors]
    outcomes = {cause: rule.name for cause, rule in _RULES.items()}
    supports = spans_on(site.surroundings.assets.values())
    search = StructureSearch(channels, outcomes, site.learn_until_s, supports=supports)
    return search if search.watches else None


def mode_novelty(site: Site) -> SearchDetector | None:
    """The comparison of frequencies with all healthy hours, where no thermometer explains them."""
    if any(sensor.quantity in _THERMOMETERS for sensor in site.sensors):
        return None
    modes = [(sensor.id, sensor.asset) for sensor in site.sensors if sensor.quantity in FREQUENCIES]
    if len(modes) < _FEWEST_MODES:
        return None
    return ModeNovelty(modes, MODES_SHIFTED.name, site.learn_until_s)


STRUCTURE = SearchRule(
    name="bridge-structure",
    outcomes=tuple(_RULES.values()),
    quantities=tuple(sorted(ALL)),
    detector=structure_search,
    fields=frozenset({"place", "places", "temperature", "chance"}),
    leaves_out_faulty=True,
    step=timedelta(minutes=10),
)
MODES = SearchRule(
    name="bridge-mode-novelty",
    outcomes=(MODES_SHIFTED,),
    quantities=tuple(sorted(FREQUENCIES | _THERMOMETERS)),
    detector=mode_novelty,
    fields=frozenset({"place"}),
    step=timedelta(minutes=10),
)
