"""Bursts of water networks, found and located within minutes where customers have no meters."""

from datetime import timedelta

import structlog

from services.alerts.bursts.burst_claims import BURST, DRAW, METER_OFF, NIGHT, PRESSURE_OFF, SOURCE, VALVE
from services.alerts.bursts.burst_search import BurstSearch
from services.alerts.detectors.contract import SearchDetector
from services.alerts.hydraulics.metering import DEMAND, FLOW, LEVEL, PRESSURE
from services.alerts.lifelines.contract import Rule, SearchRule, Site
from services.alerts.lifelines.water_kinds import LEAK, NIGHT_FLOW_HIGH, water_kind
from services.alerts.lifelines.water_leaks import PRESSURE_OFF as GAUGE_OFF_KIND
from services.alerts.lifelines.water_operation import FLOW_PATH, SCHEDULE
from services.core.alert_kind import AlertKind
from services.core.lifeline import Lifeline
from services.core.network_file import NetworkFormat
from services.core.severity import Scheme
from services.core.text import Text

log = structlog.get_logger()

_LEAST_PRESSURES = 4
"""Fewer pressures cannot tell one place from another."""
_LEAST_METERS = 2
"""A district with one inlet is searched by its inlet flow."""
_SLOWEST = timedelta(minutes=15)
"""What begins within minutes shows as a step only where readings come as often; hourly values follow the demand."""


def burst_search(site: Site) -> SearchDetector | None:
    """The search with the network's model where pressures and some flows are known, but no customer's demand.

    Where customers are metered, or only one inlet is, the leak search of ``water_leaks`` applies.
    """
    if site.network is None or site.network.format is not NetworkFormat.EPANET:
        return None
    counted = [sensor.quantity for sensor in site.sensors]
    if sum(each in PRESSURE for each in counted) < _LEAST_PRESSURES or any(each in DEMAND for each in counted):
        return None
    if sum(each in FLOW for each in counted) < _LEAST_METERS:
        return None
    if max(sensor.interval for sensor in site.sensors) > _SLOWEST:
        return None
    channels = [(sensor.id, sensor.quantity, sensor.asset, sensor.unit) for sensor in site.sensors]
    try:
        search = BurstSearch(site.network.text, channels)
    except (ValueError, ArithmeticError) as error:
        log.warning("no search for bursts with the network's model", model=site.network.name, reason=str(error))
        return None
    return search if search.locates else None


UNUSUAL_DRAW = water_kind(
    "unusual-draw",
    Text("Unusual draw", "异常取水"),
    Text(
        "Ask the fire brigade and the network's crews whether a hydrant is open; if nobody draws water, listen along"
        " the listed pipes.",
        "向消防和管网班组核实是否有消火栓取水；若无人取水，对所列管段进行听漏排查。",
    ),
)
METER_OFF_KIND = AlertKind(
    lifeline=Lifeline.WATER,
    kind="meter-off-model",
    label=Text("Flow meter disagrees with the network model", "流量计与管网模型不符"),
    instruction=Text(
        "Check the meter against a second one, and whether a valve near it stands as recorded.",
        "用另一台流量计核对，并核对附近阀门状态与台账是否一致。",
    ),
    scheme=Scheme.DEVICE,
    sensor_fault=True,
    publishes_from=None,
)
_OFF_RAISED = Text(
    "{asset} shows {value} {unit}, which no leak, no draw and no valve in the network model explains.",
    "{asset}显示{value} {unit}，管网模型中的任何漏损、用水或阀门动作均无法解释。",
)
_OFF_CLEARED = Text("{asset} agrees with the network model again.", "{asset}已与管网模型恢复一致。")

BURST_SEARCH = SearchRule(
    name="water-burst-search",
    outcomes=(
        Rule(
            name=BURST,
            kind=LEAK,
            raised=Text(
                "About {flow} m3/h has been leaving the network near {place} for {lasting}, by the pressures and flows"
                " around it and the network's model; likeliest pipes: {places}.",
                "根据周边压力、流量和管网模型，{place}附近约有{flow} m3/h的水量流失，已持续{lasting}；"
                "最可能的管段：{places}。",
            ),
            cleared=Text(
                "The loss near {place}: {ending}; it was told for {lasting}.",
                "{place}附近的水量流失：{ending}，历时{lasting}。",
            ),
        ),
        Rule(
            name=DRAW,
            kind=UNUSUAL_DRAW,
            raised=Text(
                "About {flow} m3/h has been drawn near {place} for {lasting}, no more than a hydrant gives: somebody"
                " takes water, or a pipe has burst; likeliest pipes: {places}.",
                "{place}附近约有{flow} m3/h的异常出水，已持续{lasting}，不超过单个消火栓的出水量："
                "可能为取水，也可能为爆管；最可能的管段：{places}。",
            ),
            cleared=Text(
                "The draw near {place}: {ending}; it was told for {lasting}.",
                "{place}附近的异常取水：{ending}，历时{lasting}。",
            ),
        ),
        Rule(
            name=VALVE,
            kind=FLOW_PATH.kind,
            raised=Text(
                "A valve near {place} has been shut: by the pressures and flows around it no water is lost, it takes"
                " another way.",
                "{place}附近的阀门已关闭：根据周边压力和流量，水量未流失，而是改道输送。",
            ),
            cleared=Text(
                "The valve near {place} is open again after {lasting}.",
                "{place}附近的阀门已重新开启，历时{lasting}。",
            ),
        ),
        Rule(
            name=SOURCE,
            kind=SCHEDULE.kind,
            raised=Text(
                "{place} stands {change} m {direction} its usual head: its pumps are run otherwise than usual.",
                "{place}的水头{direction}平常{change} m：其水泵运行方式与平常不同。",
            ),
            cleared=Text(
                "{place} stands at its usual head again after {lasting}.",
                "{place}的水头已恢复平常，历时{lasting}。",
            ),
        ),
        Rule(
            name=NIGHT,
            kind=NIGHT_FLOW_HIGH,
            raised=Text(
                "Behind the meters at {places}, {change} m3/h more than in the nights before was drawn last night.",
                "{places}流量计控制区域昨夜用水量比往夜高出{change} m3/h。",
            ),
            cleared=Text(
                "The night's draw behind the meters at {places} is back to what is usual.",
                "{places}流量计控制区域夜间用水量已恢复正常。",
            ),
        ),
        Rule(name=PRESSURE_OFF, kind=GAUGE_OFF_KIND, raised=_OFF_RAISED, cleared=_OFF_CLEARED),
        Rule(name=METER_OFF, kind=METER_OFF_KIND, raised=_OFF_RAISED, cleared=_OFF_CLEARED),
    ),
    quantities=tuple(sorted(PRESSURE | FLOW | DEMAND | LEVEL)),
    detector=burst_search,
    fields=frozenset({"flow", "place", "places", "ending", "change", "direction"}),
    replaces=frozenset({"water-neighbour-residual", "water-night-flow", "water-flow-above-usual"}),
    leaves_out_faulty=True,
)
