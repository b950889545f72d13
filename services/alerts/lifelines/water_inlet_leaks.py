"""Leaks of a district of which little is metered: its one inlet, and the pressure in a few places."""

from collections.abc import Sequence
from datetime import timedelta

import structlog

from services.alerts.detectors.contract import SearchDetector
from services.alerts.detectors.inlet_leak import HIGH_DEMAND, LEAK, METER_OFF, InletLeak
from services.alerts.hydraulics.epanet_model import EpanetModel
from services.alerts.hydraulics.inlet_signatures import InletSignatures, inlet_signatures
from services.alerts.lifelines.contract import Rule, Site
from services.alerts.lifelines.inlet_among_meters import InletAmongMeters
from services.alerts.lifelines.water_kinds import water_kind
from services.core.alert_kind import AlertKind
from services.core.epanet_file import EpanetFileError, read_epanet
from services.core.lifeline import Lifeline
from services.core.network_file import NetworkFile, NetworkFormat
from services.core.pipe_network import NodeKind, PipeNetworkError
from services.core.sensor import Sensor
from services.core.severity import Scheme
from services.core.text import Text
from services.core.units import conversion

log = structlog.get_logger()

_LEAST_LOGGERS = 3
"""With fewer, a leak cannot be told from customers who have changed, nor from a logger that has shifted."""
_QUANTITIES = frozenset({"pressure", "flow"})
_FAST = timedelta(minutes=15)
"""Where several meters report as often as this, bursts are searched with all of them (``water_bursts``)."""

_METER_OFF = AlertKind(
    lifeline=Lifeline.WATER,
    kind="inlet-meter-off-pressures",
    label=Text("Inlet meter disagrees with the pressures", "入口流量计与压力不符"),
    instruction=Text(
        "Check the inlet meter against a second one; then let the search learn anew.",
        "用另一台流量计核对入口流量计；处理后让搜索重新学习。",
    ),
    scheme=Scheme.DEVICE,
    sensor_fault=True,
    publishes_from=None,
)
_HIGH_DEMAND = water_kind(
    "demand-above-usual",
    Text("Demand higher than usual", "用水量高于平常"),
    Text(
        "No leak is suspected; check that supply and reserves suffice if it lasts.",
        "未发现漏损迹象；若持续，请核查供水能力与调蓄储备。",
    ),
)


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
        Rule(
            name=METER_OFF,
            kind=_METER_OFF,
            raised=Text(
                "The inlet meter disagrees with all pressures alike: at a usual demand it shows {value} {unit} where"
                " the pressures let expect {expected} {unit}. This is a drifting meter, not a leak.",
                "入口流量计与所有压力按同一比例不符：平常用水时流量计显示{value} {unit}，"
                "而按压力应为{expected} {unit}。这是流量计漂移，并非漏损。",
            ),
            cleared=Text(
                "The inlet meter agrees with the pressures again after {lasting}.",
                "入口流量计与压力恢复一致，历时{lasting}。",
            ),
        ),
        Rule(
            name=HIGH_DEMAND,
            kind=_HIGH_DEMAND,
            raised=Text(
                "Customers draw more than in the two weeks before: about {value} {unit} instead of {expected} {unit} on"
                " average. The pressures fit a higher demand everywhere; no leak is seen.",
                "用户用水量高于前两周：平均约{value} {unit}，此前为{expected} {unit}。"
                "压力变化符合整体用水增加，未见漏损。",
            ),
            cleared=Text(
                "The demand is no longer higher than in the two weeks before; it was for {lasting}.",
                "用水量已不再高于前两周，历时{lasting}。",
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
    inlet = _inlet(site.network, meters)
    if len(loggers) < _LEAST_LOGGERS or inlet is None or {each.quantity for each in site.sensors} != _QUANTITIES:
        return None
    search = _search(site, loggers, inlet)
    if search is None or len(meters) == 1:
        return search
    return InletAmongMeters(search, [sensor.id for sensor in site.sensors])


def _inlet(network: NetworkFile | None, meters: Sequence[Sensor]) -> Sensor | None:
    """The meter of all that flows in: the only one, or that on the only way out of the only source."""
    if len(meters) == 1:
        return meters[0]
    if network is None or network.format is not NetworkFormat.EPANET or not meters:
        return None
    if max(meter.interval for meter in meters) <= _FAST:
        return None
    try:
        pipes = read_epanet(network)
    except (EpanetFileError, PipeNetworkError):
        return None
    sources = [node.id for node in pipes.nodes.values() if node.kind in {NodeKind.RESERVOIR, NodeKind.TANK}]
    ways = [link.id for link in pipes.links.values() if {link.start, link.end} & set(sources)]
    found = [meter for meter in meters if [meter.asset] == ways]
    return found[0] if len(sources) == 1 and len(found) == 1 else None


def _search(site: Site, loggers: Sequence[Sensor], meter: Sensor) -> InletLeak | None:
    metres = [_metre(sensor) for sensor in loggers]
    names = [sensor.id for sensor in loggers]
    if site.network is None:
        known = site.learn_until_s is not None
        return InletLeak(names, meter.id, metres, [0.0] * len(names)) if known else None
    found = _signatures(site.network, loggers)
    if found is None:
        return None
    still = [float(still_m) * metre for still_m, metre in zip(found.still_m, metres, strict=True)]
    model = (found.places, found.leak_shares, found.responses.tolist(), found.doubts.tolist())
    return InletLeak(names, meter.id, metres, still, *model)


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
