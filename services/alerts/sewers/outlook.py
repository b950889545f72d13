"""Where the water of a troubled place comes from and where it goes next, with the minutes it takes. Pure."""

from typing import Any

from services.alerts.sewers.sewer_network import SewerNetwork
from services.alerts.sewers.traces import minutes_above, minutes_below

_WITHIN_MIN = 90.0
_MOST = 12


def ways_of(network: SewerNetwork, asset: str) -> dict[str, Any]:
    """As evidence: the nearest nodes whose water reaches an asset and those that its water reaches."""
    start, end = network.link_ends.get(asset, (asset, asset))
    above = list(minutes_above(network, start, _WITHIN_MIN))[:_MOST] if start in network.nodes else []
    below = list(minutes_below(network, end, _WITHIN_MIN))[:_MOST] if end in network.nodes else []
    return {
        "upstream_min": [[name, round(minutes, 1)] for name, minutes in above],
        "downstream_min": [[name, round(minutes, 1)] for name, minutes in below],
    }
