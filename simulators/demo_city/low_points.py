"""The register of the demo city's low points: who answers for each, and what is brought there before a storm."""

from collections.abc import Iterator

from simulators.city import City

COLUMNS = ("asset", "person", "pumps", "mobile_pumps", "sandbags", "barriers", "prepare_from")
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
        yield (place.id, warden, " ".join(pumps), *brought)
