"""The lifelines of a city."""

from collections.abc import Mapping
from enum import StrEnum

from services.core.text import Text


class Lifeline(StrEnum):
    """One kind of infrastructure a city cannot do without (城市生命线)."""

    GAS = "gas"
    WATER = "water"
    DRAINAGE = "drainage"
    BRIDGE = "bridge"
    HEAT = "heat"
    TUNNEL = "tunnel"
    POWER = "power"
    TELECOM = "telecom"


LABELS: Mapping[Lifeline, Text] = {
    Lifeline.GAS: Text("Gas", "燃气"),
    Lifeline.WATER: Text("Water supply", "供水"),
    Lifeline.DRAINAGE: Text("Drainage", "排水"),
    Lifeline.BRIDGE: Text("Bridges", "桥梁"),
    Lifeline.HEAT: Text("District heating", "供热"),
    Lifeline.TUNNEL: Text("Utility tunnels", "综合管廊"),
    Lifeline.POWER: Text("Power", "电力"),
    Lifeline.TELECOM: Text("Telecom", "通信"),
}
