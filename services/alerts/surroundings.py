"""What stands around the sensors of a zone: its assets, those that touch them, and how they are connected. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.core.asset import Asset, Link


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The assets of a zone and those of other zones that a link joins to them, by identifier, with these links."""

    assets: Mapping[str, Asset]
    links: tuple[Link, ...]


NOWHERE = Surroundings({}, ())


def by_zone(assets: Iterable[Asset], links: Iterable[Link], zones: Iterable[str]) -> dict[str, Surroundings]:
    """The surroundings of each of the ``zones``; a zone without assets has empty ones."""
    known = {asset.id: asset for asset in assets}
    standing: dict[str, dict[str, Asset]] = {zone: {} for zone in zones}
    joining: dict[str, list[Link]] = {zone: [] for zone in standing}
    for asset in known.values():
        if asset.zone in standing:
            standing[asset.zone][asset.id] = asset
    for link in links:
        ends = [known[end] for end in (link.source, link.target) if end in known]
        for zone in {asset.zone for asset in ends} & standing.keys():
            joining[zone].append(link)
            standing[zone].update((asset.id, asset) for asset in ends)
    return {
        zone: Surroundings(
            dict(sorted(members.items())), tuple(sorted(joining[zone], key=lambda link: (link.source, link.target)))
        )
        for zone, members in standing.items()
    }
