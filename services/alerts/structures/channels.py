"""Which quantity of a bridge says what: what works on it, how it answers, how it swings."""

from collections.abc import Iterable

DECK_TEMPERATURES = frozenset({"deck_temperature"})
AIR_TEMPERATURES = frozenset({"air_temperature"})
MOISTURE = frozenset({"humidity"})
WIND = frozenset({"wind_speed"})
WEATHER = DECK_TEMPERATURES | AIR_TEMPERATURES | MOISTURE | WIND
TRACKED = frozenset(f"tracked_mode_{mode}" for mode in range(1, 7))
"""Frequencies of modes that were identified in raw windows; a few a day are many."""
FREQUENCIES = TRACKED | {"natural_frequency", *(f"spectral_peak_{mode}" for mode in range(1, 7))}
SHAPES = frozenset({"strain", "deflection", "tilt", "crack_width"})
"""How the deck and its piers lie."""
DISPLACEMENTS = frozenset({"displacement"})
CABLES = frozenset({"cable_force"})
SCOUR = frozenset({"scour_depth"})
SLOW = FREQUENCIES | SHAPES | DISPLACEMENTS | CABLES | SCOUR
"""What the weather explains, and damage does not change back."""
SHOCKS = frozenset({"acceleration_peak", "collision_acceleration"})
ALL = WEATHER | SLOW | SHOCKS


def positions(quantities: Iterable[str], wanted: frozenset[str]) -> list[int]:
    """Where in a row the wanted quantities stand."""
    return [position for position, quantity in enumerate(quantities) if quantity in wanted]
