"""Leaks of water networks, found and located with the network's model."""

from collections.abc import Callable
from os import cpu_count

import structlog

from services.alerts.detectors.contract import SearchDetector
from services.alerts.hydraulics.leak_search import LEAK as LOCATED
from services.alerts.hydraulics.leak_search import SENSOR_OFF, LeakSearch
from services.alerts.hydraulics.metering import DEMAND, FLOW, LEVEL, PRESSURE
from services.alerts.lifelines.contract import Rule, SearchRule, Site
from services.alerts.lifelines.water_inlet_leaks import inlet_leak_search, inlet_outcomes
from services.alerts.lifelines.water_kinds import LEAK
from services.core.alert_kind import AlertKind
from services.core.lifeline import Lifeline
from services.core.network_file import NetworkFormat
from services.core.severity import Scheme
from services.core.text import Text

log = structlog.get_logger()

Method = Callable[[Site], SearchDetector | None]
"""Makes the search for a site, or answers ``None`` where the site lacks what the method needs."""

_LEAST_PRESSURES = 4
"""Fewer pressures cannot tell one place from another."""
_PROCESSES = 2

PRESSURE_OFF = AlertKind(
    lifeline=Lifeline.WATER,
    kind="pressure-off-model",
    label=Text("Pressure disagrees with the network model", "压力与管网模型不符"),
    instruction=Text(
        "Check the transmitter's zero and whether a valve near it stands as recorded.",
        "检查变送器零点，并核对附近阀门状态与台账是否一致。",
    ),
    scheme=Scheme.DEVICE,
    sensor_fault=True,
    publishes_from=None,
)


def by_model(site: Site) -> SearchDetector | None:
    """The search with the network's model: where pressures in several places and the flows into an area are known."""
    if site.network is None or site.network.format is not NetworkFormat.EPANET:
        return None
    if sum(sensor.quantity in PRESSURE for sensor in site.sensors) < _LEAST_PRESSURES:
        return None
    if not any(sensor.quantity in DEMAND for sensor in site.sensors):
        return None
    channels = [(sensor.id, sensor.quantity, sensor.asset, sensor.unit) for sensor in site.sensors]
    try:
        search = LeakSearch(site.network.text, channels, site.learn_until_s, min(_PROCESSES, cpu_count() or 1))
    except (ValueError, ArithmeticError) as error:
        log.warning("no search with the network's model", model=site.network.name, reason=str(error))
        return None
    return search if search.locates else None


METHODS: tuple[Method, ...] = (by_model, inlet_leak_search)
"""In this order; the first that applies to a site searches it."""


def _detector(site: Site) -> SearchDetector | None:
    return next((search for method in METHODS if (search := method(site)) is not None), None)


LEAK_SEARCH = SearchRule(
    name="water-leak-search",
    outcomes=(
        Rule(
            name=LOCATED,
            kind=LEAK,
            raised=Text(
                "About {flow} m3/h is leaving the network near {place}; likeliest pipes: {places}.",
                "管网在{place}附近约有{flow} m3/h的水量流失；最可能的管段：{places}。",
            ),
            cleared=Text(
                "The water that was leaving the network near {place} is back in it.",
                "{place}附近流失的水量已恢复正常。",
            ),
        ),
        Rule(
            name=SENSOR_OFF,
            kind=PRESSURE_OFF,
            raised=Text(
                "{asset} shows {value} {unit}, which no leak and no draw in the network model explains:"
                " the sensor or a valve near it is likely off.",
                "{asset}显示{value} {unit}，管网模型中的任何漏损或用水均无法解释：传感器或附近阀门可能异常。",
            ),
            cleared=Text("{asset} agrees with the network model again.", "{asset}已与管网模型恢复一致。"),
        ),
        *inlet_outcomes(LEAK),
    ),
    quantities=tuple(sorted(PRESSURE | FLOW | DEMAND | LEVEL)),
    detector=_detector,
    fields=frozenset({"flow", "place", "places"}),
    replaces=frozenset({"water-neighbour-residual", "water-night-flow", "water-flow-above-usual"}),
)
