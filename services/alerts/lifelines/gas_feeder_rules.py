"""Feeders between two metering stations: gas that is missing on the way, and meters that err."""

from dataclasses import replace
from datetime import timedelta

from services.alerts.detectors.contract import SearchDetector
from services.alerts.gas.feeder import feeders_of
from services.alerts.gas.feeder_search import FLOW, PRESSURE, FeederSearch
from services.alerts.lifelines.contract import Rule, SearchRule, Site
from services.core.alert_kind import AlertKind
from services.core.lifeline import Lifeline
from services.core.quantity import Quantity
from services.core.severity import Scheme, Severity
from services.core.text import Text

FEEDER_LEAK = Rule(
    name="gas-feeder-leak",
    kind=AlertKind(
        lifeline=Lifeline.GAS,
        kind="gas-feeder-leak",
        label=Text("Gas is missing along a feeder", "输气干线漏失"),
        instruction=Text(
            "Have the line walked where it is suspected, watch its pressures, be ready to shut the valves beside it.",
            "对可疑区段巡线排查，盯守沿线压力，做好关闭两侧阀门的准备。",
        ),
        scheme=Scheme.EMERGENCY,
        sensor_fault=False,
        publishes_from=Severity.CRITICAL,
    ),
    raised=Text(
        "Between {from} and {to} {flow} m3/h ({percent} % of the inflow) are missing: a leak ({probability} %),"
        " likeliest at {place}; {reasons}.",
        "{from}至{to}之间缺失{flow} m3/h（占进口流量{percent}%）：疑似泄漏（概率{probability}%），"
        "最可能在{place}；{reasons}。",
    ),
    cleared=Text(
        "Between {from} and {to} nothing is missing any more, after {lasting}.",
        "{from}至{to}之间输差已恢复正常，历时{lasting}。",
    ),
)
FEEDER_METER = Rule(
    name="gas-feeder-meter-off",
    kind=replace(
        FEEDER_LEAK.kind,
        kind="feeder-meter-off",
        label=Text("A feeder's flow meter errs", "干线流量计失准"),
        instruction=Text(
            "Compare both meters with their reserve runs at once; until they agree a leak is not ruled out.",
            "立即与备用计量路比对两端流量计；未恢复一致前不能排除泄漏。",
        ),
        scheme=Scheme.DEVICE,
        sensor_fault=True,
        publishes_from=None,
    ),
    raised=Text(
        "The meters of {from} and {to} differ by {flow} m3/h ({percent} %) more than they used to: one of them errs"
        " ({probability} %); {reasons}.",
        "{from}与{to}的流量计差值比平时多{flow} m3/h（{percent}%）：其中一台失准（概率{probability}%）；{reasons}。",
    ),
    cleared=Text(
        "The meters of {from} and {to} agree again, after {lasting}.", "{from}与{to}的流量计已恢复一致，历时{lasting}。"
    ),
)


def feeder_search(site: Site) -> SearchDetector | None:
    """The search along the feeders; ``None`` where none has flows and pressures at both ends."""
    gauges = [(sensor.id, sensor.quantity, sensor.asset) for sensor in site.sensors]
    metered = {sensor.asset for sensor in site.sensors if sensor.quantity == FLOW}
    feeders = feeders_of(site.surroundings.assets, site.surroundings.links, metered)
    search = FeederSearch(gauges, [feeder.as_json() for feeder in feeders], site.learn_until_s)
    return search if search.watches else None


GAS_FEEDERS = SearchRule(
    name="gas-feeders",
    outcomes=(FEEDER_LEAK, FEEDER_METER),
    quantities=(FLOW, PRESSURE),
    detector=feeder_search,
    fields=frozenset({"flow", "from", "percent", "place", "probability", "reasons", "to"}),
    seldom=frozenset({FLOW}),
    step=timedelta(seconds=1),
)

QUANTITIES = (
    Quantity(Lifeline.GAS, PRESSURE, "kPa", Text("Pressure along a feeder", "干线沿线压力"), (0, 12_000)),
    Quantity(Lifeline.GAS, FLOW, "m3/h", Text("Flow metered at a feeder's end", "干线端站流量"), (0, 1_000_000)),
)
