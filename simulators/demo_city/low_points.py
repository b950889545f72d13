"""The register of the demo city's low points: who answers for each, and what is brought there before a storm."""

from collections.abc import Iterator

from simulators.city import Asset, City

COLUMNS = (
    "asset",
    "person",
    "pumps",
    "mobile_pumps",
    "sandbags",
    "barriers",
    "prepare_from",
    "contributing_ha",
    "drain_m3_s",
    "storage_m3",
)
_DEEP_M = 0.4
"""The depth for which the register tells the volume."""
_UNDERPASSES = frozenset({"LP-06", "LP-08", "LP-09"})
_WARDEN = "Low point warden"


def low_point_rows(city: City) -> Iterator[tuple[object, ...]]:
    """One row a low point: underpasses are prepared from yellow warnings on, the rest from orange ones."""
    wardens = [person.id for person in city.people if person.post.en == _WARDEN]
    places = [asset for asset in city.assets_of("drainage") if asset.kind == "low-point"]
    zones = sorted({place.zone for place in places})
    for place in places:
        pumps = [a.id for a in city.assets_of("drainage") if a.kind == "pump" and a.zone == place.zone]
        warden = wardens[zones.index(place.zone) % len(wardens)]
        brought = (2, 300, 2, 2) if place.id in _UNDERPASSES else (0, 100, 0, 3)
        yield (place.id, warden, " ".join(pumps), *brought, *_hollow(place))


def _hollow(place: Asset) -> tuple[float, float, int]:
    """What a survey would have written down: area, drain and volume in round numbers."""
    volume_m3 = place.number("pond_m3_per_m2") * _DEEP_M**2
    return (
        round(place.number("contributing_ha"), 1),
        round(place.number("gully_capacity_m3s"), 2),
        10 * round(volume_m3 / 10),
    )
