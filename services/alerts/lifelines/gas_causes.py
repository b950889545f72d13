"""Where methane in the spaces beside the pipes comes from: a leak, sewage, or the device itself."""

from datetime import timedelta

from services.alerts.detectors.contract import SearchDetector
from services.alerts.gas.gas_search import GasSearch
from services.alerts.gas.readings import QUANTITIES
from services.alerts.gas.town import town_of
from services.alerts.lifelines.contract import Rule, SearchRule, Site
from services.core.alert_kind import AlertKind
from services.core.lifeline import Lifeline
from services.core.severity import Scheme, Severity
from services.core.text import Text

METHANE_HIGH = AlertKind(
    lifeline=Lifeline.GAS,
    kind="methane-high",
    label=Text("Methane too high", "甲烷浓度超限"),
    instruction=Text(
        "Keep people and sparks away, sample the neighbouring manholes, find the leaking pipe and shut it off.",
        "疏散人员、严禁火源，检测相邻井室，查找泄漏管段并关阀。",
    ),
    scheme=Scheme.EMERGENCY,
    sensor_fault=False,
    publishes_from=Severity.MAJOR,
)

LEAK = Rule(
    name="gas-leak-into-ground",
    kind=AlertKind(
        lifeline=Lifeline.GAS,
        kind="gas-leak",
        label=Text("Gas leak into the ground", "燃气泄漏"),
        instruction=Text(
            "Go with a gas detector to the next spaces to sample, keep sparks away within the radius, be ready to shut"
            " the listed valves.",
            "携带检测仪到下一采样点位检测，在警戒半径内严禁火源，做好关闭所列阀门的准备。",
        ),
        scheme=Scheme.EMERGENCY,
        sensor_fault=False,
        publishes_from=Severity.MAJOR,
    ),
    raised=Text(
        "Gas leaks into the ground ({probability} %), likeliest from {places}. {space} shows {value} {unit}:"
        " {reasons}. {causes}.",
        "燃气正在泄漏（概率{probability}%），最可能的管段：{places}。{space}为{value} {unit}：{reasons}。{causes}。",
    ),
    cleared=Text(
        "Nothing speaks for a leak around {place} any more, after {lasting}: {ending}.",
        "{place}周边已无泄漏迹象，历时{lasting}：{ending}。",
    ),
)
SEWER_GAS = Rule(
    name="gas-from-sewage",
    kind=AlertKind(
        lifeline=Lifeline.GAS,
        kind="sewer-gas",
        label=Text("Sewer gas", "沼气积聚"),
        instruction=Text(
            "No leak is suspected. Ventilate before anybody climbs in; have the sewer flushed if it lasts.",
            "未怀疑燃气泄漏。下井作业前须通风检测；长期积聚时安排疏通。",
        ),
        scheme=Scheme.EMERGENCY,
        sensor_fault=False,
        publishes_from=None,
    ),
    raised=Text(
        "Methane at {place} comes from sewage ({probability} %), not from a pipe: {value} {unit}; {reasons}. {causes}.",
        "{place}的甲烷来自污水（概率{probability}%），并非管道泄漏：{value} {unit}；{reasons}。{causes}。",
    ),
    cleared=Text(
        "The sewer gas at {place} is gone after {lasting}: {ending}.",
        "{place}的沼气已消散，历时{lasting}：{ending}。",
    ),
)
DRIFT = Rule(
    name="gas-methane-device-drifts",
    kind=AlertKind(
        lifeline=Lifeline.GAS,
        kind="methane-sensor-drift",
        label=Text("Methane device drifts", "甲烷监测仪漂移"),
        instruction=Text(
            "Check the device with test gas and dry its head; its place is not reliably watched meanwhile.",
            "用标准气校验并检查探头受潮情况；在此期间该点位监测不可靠。",
        ),
        scheme=Scheme.DEVICE,
        sensor_fault=True,
        publishes_from=None,
    ),
    raised=Text(
        "{sensor} shows {value} {unit} although nothing speaks for gas at {place} ({probability} %): {reasons}."
        " {causes}.",
        "{sensor}显示{value} {unit}，但{place}没有燃气迹象（概率{probability}%）：{reasons}。{causes}。",
    ),
    cleared=Text(
        "{sensor} shows what is usual at {place} again, after {lasting}: {ending}.",
        "{sensor}在{place}的读数恢复正常，历时{lasting}：{ending}。",
    ),
)
LEVEL_EXPLAINED = Rule(
    name="gas-methane-explained",
    kind=METHANE_HIGH,
    raised=Text(
        "Methane {value} {unit} at {place}: a leak until a sample on site says otherwise. Judged so far: {causes}"
        " ({reasons}).",
        "{place}甲烷浓度{value} {unit}：现场检测排除之前一律按泄漏处置。初步判断：{causes}（{reasons}）。",
    ),
    cleared=Text(
        "Methane at {place} is back to {value} {unit} after {lasting}.",
        "{place}甲烷浓度已回落至{value} {unit}，历时{lasting}。",
    ),
)


def gas_search(site: Site) -> SearchDetector | None:
    """The search among the spaces; ``None`` without a main, or without a methane device in a known space."""
    town = town_of(site.surroundings.assets.values(), site.surroundings.links)
    if town is None:
        return None
    channels = [(s.id, s.quantity, s.asset, s.longitude, s.latitude) for s in site.sensors]
    permits = [
        (p.start.timestamp(), p.end.timestamp(), p.longitude, p.latitude, p.radius_m) for p in site.surroundings.works
    ]
    search = GasSearch(channels, town.as_json(), site.learn_until_s, permits)
    return search if search.watches else None


GAS_CAUSES = SearchRule(
    name="gas-causes",
    outcomes=(LEAK, SEWER_GAS, DRIFT, LEVEL_EXPLAINED),
    quantities=QUANTITIES,
    detector=gas_search,
    fields=frozenset({"causes", "ending", "place", "places", "probability", "reasons", "space"}),
    step=timedelta(minutes=5),
)
