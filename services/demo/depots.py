"""Depots of the demo's owners, with what the default plans ask for; one thing is short, so that a plan says so."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from psycopg import AsyncConnection

from services.core.asset import Asset
from services.core.default_plans import DEFAULT_PLANS
from services.core.depot import Depot, Material
from services.core.geometry import centre
from services.core.organisation import Organisation, OrganisationRole
from services.core.store import audit, depots, network, organisations
from services.core.text import Text

_SPARE = 2.0
"""Of everything there is twice what one plan needs."""
_SHORT = {"inspection-vehicle": 0.0}
_NAME = Text("depot", "物资库")


async def save_depots(database_url: str, now: datetime) -> int:
    """Give each owner without a depot one at the first of its assets; returns how many were added."""
    async with await AsyncConnection.connect(database_url) as connection:
        stocked = {depot.organisation for depot in await depots.load_depots(connection)}
        owners = {
            name: organisation
            for name, organisation in (await organisations.load_organisations(connection)).items()
            if organisation.role is OrganisationRole.OWNER and name not in stocked
        }
        added = drawn_depots(owners, await network.load_assets(connection), now)
        for depot in added:
            await depots.save(connection, depot, actor=audit.SYSTEM)
    return len(added)


def drawn_depots(owners: Mapping[str, Organisation], assets: Iterable[Asset], now: datetime) -> list[Depot]:
    """A depot for each owner of an asset, stocked for the default plans of its lifelines."""
    places: dict[str, tuple[float, float]] = {}
    for asset in sorted(assets, key=lambda each: each.id):
        if asset.organisation is not None and asset.organisation in owners:
            places.setdefault(asset.organisation, centre(asset.geometry))
    return [
        Depot(
            f"{name}-depot",
            name,
            Text(f"{owners[name].name.en} {_NAME.en}", f"{owners[name].name.zh}{_NAME.zh}"),
            place,
            _stock(owners[name], now),
        )
        for name, place in sorted(places.items())
    ]


def _stock(owner: Organisation, now: datetime) -> list[Material]:
    needed = {
        material.id: material
        for kept in DEFAULT_PLANS.values()
        if kept.plan.lifeline in owner.lifelines
        for material in kept.plan.materials
    }
    return [
        Material(each.id, each.name.text, _SHORT.get(each.id, _SPARE * each.needed), each.unit, now, audit.SYSTEM)
        for each in needed.values()
    ]
