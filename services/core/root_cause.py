"""What troubles turn out to be: the few causes that are counted."""

from enum import StrEnum


class RootCause(StrEnum):
    """What a trouble turned out to be, in words that can be counted."""

    CORROSION = "corrosion"
    JOINT = "joint"
    GROUND_MOVEMENT = "ground-movement"
    THIRD_PARTY_WORKS = "third-party-works"
    MATERIAL = "material"
    OPERATION = "operation"
    BLOCKAGE = "blockage"
    PUMP_OR_POWER = "pump-or-power"
    OVERLOAD = "overload"
    WEATHER = "weather"
    SEWER_GAS = "sewer-gas"
    DEVICE = "device"
    COMMUNICATION = "communication"
    THRESHOLD = "threshold"
    UNKNOWN = "unknown"
