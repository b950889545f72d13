"""The lifelines of a city."""

from enum import StrEnum


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
