"""The part of the city that jobs outside the feed need to draw conclusions."""

from collections.abc import Mapping

from psycopg import AsyncConnection

from services.alerts import loop
from services.alerts.tracing.city_graph import CityGraph
from services.core.asset import Asset
from services.core.store import alert_kinds, inhibitions


async def standing_city(connection: AsyncConnection, assets: Mapping[str, Asset]) -> loop.City:
    """A city of some assets and no links: what is traced in it is traced to the asset itself."""
    rules = await inhibitions.load_inhibitions(connection)
    return loop.City(
        kinds=await alert_kinds.load_alert_kinds(connection),
        graph=CityGraph(assets.values(), ()),
        sensor_assets={},
        causes=frozenset(kind for rule in rules for kind in rule.causes),
    )
