"""Which part of the drainage is to blame when levels are not what rain and sewage explain, and what floods next."""

from collections.abc import Collection
from datetime import timedelta

import structlog

from services.alerts.detectors.contract import SearchDetector
from services.alerts.lifelines.contract import Rule, SearchRule, Site
from services.alerts.sewers.channels import ALL, EXPECTED, RAIN
from services.alerts.sewers.sewer_network import SewerModelError
from services.alerts.sewers.sewer_search import SewerSearch
from services.core.alert_kind import AlertKind
from services.core.lifeline import Lifeline
from services.core.network_file import NetworkFormat
from services.core.severity import Scheme
from services.core.text import Text

log = structlog.get_logger()


def _kind(kind: str, label: Text, instruction: Text, *, sensor_fault: bool = False) -> AlertKind:
    return AlertKind(
        lifeline=Lifeline.DRAINAGE,
        kind=kind,
        label=label,
        instruction=instruction,
        scheme=Scheme.DEVICE if sensor_fault else Scheme.EMERGENCY,
        sensor_fault=sensor_fault,
        publishes_from=None,
    )


_CLEARED = Text(
    "The levels around {place} are again what rain and sewage explain, after {lasting}.",
    "{place}周边水位已恢复到降雨和污水量可以解释的水平，历时{lasting}。",
)


def _rule(name: str, kind: AlertKind, raised: Text) -> Rule:
    return Rule(name=name, kind=kind, raised=raised, cleared=_CLEARED)


BLOCKAGE = _rule(
    "drainage-blockage",
    _kind(
        "sewer-blockage",
        Text("Sewer blocked", "排水管道堵塞"),
        Text(
            "Look into the manholes at both ends of the likeliest sewer: full above and empty below means flush it.",
            "打开最可能管段两端的检查井查看：上游满、下游空即为堵塞，安排疏通。",
        ),
    ),
    Text(
        "A sewer is blocked ({probability} %): water stands above it and is missing below; likeliest {places}."
        " Rain and sewage alone explain {expected} {unit}, {value} {unit} is measured.",
        "管道堵塞（概率{probability}%）：上游壅水、下游缺水；最可能的管段：{places}。"
        "按降雨和污水量应为{expected} {unit}，实测{value} {unit}。",
    ),
)
PUMP = _rule(
    "drainage-pump-failure",
    _kind(
        "pump-failure",
        Text("Pump out of action", "排水泵停机"),
        Text(
            "Start the spare pump, send a mobile one, find out why it stands still.",
            "启动备用泵，调派移动泵车，查明停机原因。",
        ),
    ),
    Text(
        "A pump does not deliver although it should ({probability} %): {places}. It explains the levels around it:"
        " {value} {unit} is measured, {expected} {unit} with the pump running.",
        "水泵应运行而未排水（概率{probability}%）：{places}。周边水位与此相符：实测{value} {unit}，"
        "正常运行时应为{expected} {unit}。",
    ),
)
GATE = _rule(
    "drainage-gate-closed",
    _kind(
        "gate-closed",
        Text("Gate closed", "闸门关闭"),
        Text("Check the gate's position on site and open it.", "现场核实闸门位置并开启。"),
    ),
    Text(
        "A gate is closed ({probability} %): {places}. Water backs up before it: {value} {unit} is measured,"
        " {expected} {unit} would be with the gate open.",
        "闸门处于关闭状态（概率{probability}%）：{places}。闸前壅水：实测{value} {unit}，开启时应为{expected} {unit}。",
    ),
)
OUTFALL = _rule(
    "drainage-outfall-drowned",
    _kind(
        "outfall-drowned",
        Text("Outfall drowned", "排口受河水顶托"),
        Text(
            "Close the flap gates, drain by pump, warn the low points above it.",
            "关闭拍门，改用泵排，提醒上游低洼点位。",
        ),
    ),
    Text(
        "The river backs up into the sewers ({probability} %) at {places}: {value} {unit} is measured, {expected}"
        " {unit} would be with the river as usual.",
        "河水顶托倒灌（概率{probability}%），排口：{places}；实测{value} {unit}，河道正常时应为{expected} {unit}。",
    ),
)
INFLOW = _rule(
    "drainage-foreign-inflow",
    _kind(
        "foreign-inflow",
        Text("Foreign water in the sewer", "外来水进入管道"),
        Text(
            "Go up the sewer from the named place, look for clear water, a site's pump, broken pipes in groundwater.",
            "自所列位置沿管道向上游排查清水、工地排水和地下水位以下的破损管段。",
        ),
    ),
    Text(
        "More water runs than rain and sewage explain ({probability} %), at or above {places}: {value} {unit} instead"
        " of {expected} {unit}.",
        "管道流量超出降雨和污水量可解释的范围（概率{probability}%），位置在{places}或其上游：{value} {unit}，"
        "应为{expected} {unit}。",
    ),
)
INFILTRATION = _rule(
    "drainage-infiltration",
    _kind(
        "sewer-infiltration",
        Text("Groundwater seeps into the sewer", "地下水渗入管道"),
        Text(
            "Inspect the sewers around the place by camera for broken joints; compare with the groundwater level.",
            "对所列位置周边管段做视频检测，排查破损接口，并对照地下水位。",
        ),
    ),
    Text(
        "Without rain more and more water runs than sewage explains ({probability} %), grown over hours, at or above"
        " {places}: {value} {unit} instead of {expected} {unit}.",
        "无降雨时管道水量在数小时内持续增加，超出污水量可解释的范围（概率{probability}%），位置在{places}或其上游："
        "{value} {unit}，应为{expected} {unit}。",
    ),
)
SENSOR = _rule(
    "drainage-gauge-off",
    _kind(
        "gauge-off-sewers",
        Text("Sewer gauge disagrees with the sewers", "监测值与管网不符"),
        Text(
            "Clean and check the sensor; nothing in the sewers explains what it shows.",
            "清洗并校验该传感器；管网状态无法解释其读数。",
        ),
        sensor_fault=True,
    ),
    Text(
        "{sensor} shows {value} {unit}; the sewers explain {expected} {unit}, and no trouble in them explains the rest"
        " ({probability} %, {place}).",
        "{sensor}显示{value} {unit}，按管网状态应为{expected} {unit}，且管网中没有可解释该差异的异常"
        "（概率{probability}%，{place}）。",
    ),
)
TRUNK = Rule(
    name="drainage-trunk-surcharge",
    kind=_kind(
        "trunk-surcharge",
        Text("Trunk sewer full", "主干管满管顶托"),
        Text(
            "Nothing is out of order: pump from the named places to another catchment or the river, hold back inflow.",
            "管网无异常：将受顶托处的积水泵送至其他片区或河道，并控制上游来水。",
        ),
    ),
    raised=Text(
        "The trunk sewer at {places} is full and holds water back at {sensor}: {value} {unit}, as the rain explains"
        " ({expected} {unit}); nothing is out of order.",
        "主干管{places}满管，对{sensor}形成顶托：实测{value} {unit}，与降雨相符（{expected} {unit}），管网无异常。",
    ),
    cleared=Text(
        "The trunk sewer at {place} no longer holds water back, after {lasting}.",
        "主干管{place}已不再顶托，历时{lasting}。",
    ),
)
FLOODING = Rule(
    name="drainage-sewer-flooding-expected",
    kind=_kind(
        "sewer-flooding-expected",
        Text("Sewers are going to flood streets", "预计管网冒水"),
        Text(
            "Warn the named streets, bring pumps and barriers there; the list tells what floods next and when.",
            "提醒所列路段，调派泵车和围挡；清单列出接下来何处、何时冒水。",
        ),
    ),
    raised=Text(
        "With the rain of {value} {unit} the sewers are going to flood the street at {nodes} nodes without a gauge,"
        " first in about {minutes} min, up to {expected} cm deep: {places} ({probability} %).",
        "按当前降雨{value} {unit}，预计{nodes}个无监测节点将冒水上路，最早约{minutes}分钟后，最深{expected}厘米："
        "{places}（概率{probability}%）。",
    ),
    cleared=Text(
        "Water from the sewers is no longer expected around {place}, after {lasting}.",
        "{place}周边已不再预计冒水，历时{lasting}。",
    ),
)
_TOLD = {
    "blockage": BLOCKAGE,
    "pump": PUMP,
    "gate": GATE,
    "outfall": OUTFALL,
    "inflow": INFLOW,
    "infiltration": INFILTRATION,
    "sensor": SENSOR,
    "trunk": TRUNK,
    "flooding": FLOODING,
}


def sewer_search(site: Site, told: Collection[Rule] = tuple(_TOLD.values())) -> SearchDetector | None:
    """The search with the model of the sewers; ``None`` without a SWMM model, rain, or a gauge at one of its assets.

    Only the rules in ``told`` are told of.
    """
    if site.network is None or site.network.format is not NetworkFormat.SWMM:
        return None
    if not any(sensor.quantity in RAIN for sensor in site.sensors):
        return None
    channels = [(s.id, s.quantity, s.asset, s.unit, s.longitude, s.latitude) for s in site.sensors]
    outcomes = {cause: rule.name for cause, rule in _TOLD.items() if rule in told}
    try:
        search = SewerSearch(site.network.text, channels, outcomes, site.learn_until_s)
    except (SewerModelError, ArithmeticError) as error:
        log.warning("no search for causes with the model of the sewers", model=site.network.name, reason=str(error))
        return None
    return search if search.watches else None


DRAINAGE_CAUSES = SearchRule(
    name="drainage-causes",
    outcomes=tuple(_TOLD.values()),
    quantities=tuple(sorted(ALL)),
    detector=sewer_search,
    fields=frozenset({"place", "places", "probability", "expected", "nodes", "minutes"}),
    seldom=EXPECTED,
    step=timedelta(minutes=5),
)
