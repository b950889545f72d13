"""What stands around the sensors of a zone: its assets, those that touch them, links, and who may dig there. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.core.asset import Asset, Link
from services.core.geometry import points_of
from services.core.works_permit import WorksPermit, near

_WORKS_REACH_M = 300.0
"""Works further away from a zone are none of its business."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The assets of a zone and those of other zones that a link joins to them, by identifier, with these links.

    ``works`` are the permits for works near to any of them, whenever they hold.
    """

    assets: Mapping[str, Asset]
    links: tuple[Link, ...]
    works: tuple[WorksPermit, ...] = ()


NOWHERE = Surroundings({}, ())


def by_zone(
    assets: Iterable[Asset], links: Iterable[Link], zones: Iterable[str], works: Iterable[WorksPermit] = ()
) -> dict[str, Surroundings]:
    """The surroundings of each of the ``zones``; a zone without assets has empty ones."""
    known = {asset.id: asset for asset in assets}
    permits = tuple(works)
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
            dict(sorted(members.items())),
            tuple(sorted(joining[zone], key=lambda link: (link.source, link.target))),
            _near(permits, members.values()),
        )
        for zone, members in standing.items()
    }


def _near(permits: tuple[WorksPermit, ...], assets: Iterable[Asset]) -> tuple[WorksPermit, ...]:
    if not permits:
        return ()
    points = [point for asset in assets for point in points_of(asset.geometry)]
    return near(permits, points, _WORKS_REACH_M)
