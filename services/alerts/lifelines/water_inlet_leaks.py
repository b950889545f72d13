"""Leaks of a district of which little is metered: its one inlet, and the pressure in a few places."""

from collections.abc import Sequence

import structlog

from services.alerts.detectors.contract import SearchDetector
from services.alerts.detectors.inlet_leak import LEAK, InletLeak
from services.alerts.hydraulics.epanet_model import EpanetModel
from services.alerts.hydraulics.inlet_signatures import InletSignatures, inlet_signatures
from services.alerts.lifelines.contract import Rule, Site
from services.core.alert_kind import AlertKind
from services.core.network_file import NetworkFile, NetworkFormat
from services.core.sensor import Sensor
from services.core.text import Text
from services.core.units import conversion

log = structlog.get_logger()

_LEAST_LOGGERS = 3
"""With fewer, a leak cannot be told from customers who have changed, nor from a logger that has shifted."""
_QUANTITIES = frozenset({"pressure", "flow"})


def inlet_outcomes(leak: AlertKind) -> tuple[Rule, ...]:
    """What the search finds, told as ``leak``."""
    return (
        Rule(
            name=LEAK,
            kind=leak,
            raised=Text(
                "The pressures show that about {value} {unit} of what flows in is leaving at one place, likeliest near"
                " {asset}; it has lasted for {lasting}.",
                "压力变化表明，流入水量中约有{value} {unit}在某一处流失，最可能在{asset}附近；已持续{lasting}。",
            ),
            cleared=Text(
                "The pressures agree with the inlet flow again; the leak near {asset} has ended after {lasting}.",
                "压力与入口流量恢复一致，{asset}附近的漏损已结束，历时{lasting}。",
            ),
        ),
    )


def inlet_leak_search(site: Site) -> SearchDetector | None:
    """The search by inlet flow and pressures, where these are all there is.

    With a model the search names the nodes from which the water may come. Without one it needs history to learn from:
    it is silent for five days, for which the simpler rules would be missed.
    """
    loggers = [sensor for sensor in site.sensors if sensor.quantity == "pressure"]
    meters = [sensor for sensor in site.sensors if sensor.quantity == "flow"]
    if len(loggers) < _LEAST_LOGGERS or len(meters) != 1 or {each.quantity for each in site.sensors} != _QUANTITIES:
        return None
    metres = [_metre(sensor) for sensor in loggers]
    names = [sensor.id for sensor in loggers]
    if site.network is None:
        known = site.learn_until_s is not None
        return InletLeak(names, meters[0].id, metres, [0.0] * len(names)) if known else None
    found = _signatures(site.network, loggers)
    if found is None:
        return None
    still = [float(still_m) * metre for still_m, metre in zip(found.still_m, metres, strict=True)]
    model = (found.places, found.leak_shares, found.responses.tolist(), found.doubts.tolist())
    return InletLeak(names, meters[0].id, metres, still, *model)


def _signatures(network: NetworkFile, loggers: Sequence[Sensor]) -> InletSignatures | None:
    if network.format is not NetworkFormat.EPANET:
        return None
    try:
        return inlet_signatures(EpanetModel(network.text), [sensor.asset for sensor in loggers])
    except (KeyError, ValueError, ArithmeticError) as error:
        log.warning("no search with the network's model", model=network.name, reason=str(error))
        return None


def _metre(sensor: Sensor) -> float:
    """One metre of head in the unit of a logger.

    Raises:
        ValueError: its unit is none of pressure.
    """
    if sensor.unit == "m":
        return 1.0
    found = conversion("m", sensor.unit)
    if found is None:
        raise ValueError(f"{sensor.id} measures pressure in {sensor.unit}, which is no unit of it")
    return found.scale
