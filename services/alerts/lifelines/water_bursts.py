"""Bursts of water networks, found and located within minutes where customers have no meters."""

from datetime import timedelta

import structlog

from services.alerts.bursts.burst_search import BURST, BurstSearch
from services.alerts.detectors.contract import SearchDetector
from services.alerts.hydraulics.metering import DEMAND, FLOW, LEVEL, PRESSURE
from services.alerts.lifelines.contract import Rule, SearchRule, Site
from services.alerts.lifelines.water_kinds import LEAK
from services.core.network_file import NetworkFormat
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
                "The water that was leaving the network near {place} is back in it; it lasted for {lasting}.",
                "{place}附近流失的水量已恢复正常，历时{lasting}。",
            ),
        ),
    ),
    quantities=tuple(sorted(PRESSURE | FLOW | DEMAND | LEVEL)),
    detector=burst_search,
    fields=frozenset({"flow", "place", "places"}),
    replaces=frozenset({"water-neighbour-residual"}),
)
