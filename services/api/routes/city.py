"""The city: lifelines, zones and assets."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request, Response

from services.api import problems, schemas
from services.api.bounding_box import BoxText, read_box
from services.api.packed import packed_json
from services.api.security import Connection, Reader
from services.core.asset import Asset
from services.core.lifeline import LABELS, Lifeline
from services.core.store import network, overview

router = APIRouter(tags=["city"])


@router.get("/lifelines", summary="The lifelines and how they are doing")
async def list_lifelines(connection: Connection, _: Reader) -> list[schemas.LifelineAnswer]:
    """One entry for each lifeline that has assets here, with its open alerts and the worst of them."""
    return [
        schemas.LifelineAnswer(
            id=entry.lifeline,
            label=schemas.TextAnswer.model_validate(LABELS[entry.lifeline]),
            assets=entry.assets,
            sensors=entry.sensors,
            open_alerts=entry.open_alerts,
            worst_severity=entry.worst_severity,
        )
        for entry in await overview.lifelines(connection)
    ]


@router.get("/zones", summary="Districts, catchments and bridges")
async def list_zones(connection: Connection, _: Reader) -> list[schemas.ZoneAnswer]:
    """Every zone with its outline in WGS 84."""
    return [schemas.ZoneAnswer.model_validate(zone) for zone in await network.load_zones(connection)]


def _feature(asset: Asset) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": asset.id,
        "geometry": dict(asset.geometry),
        "properties": {
            "id": asset.id,
            "lifeline": asset.lifeline,
            "kind": asset.kind,
            "zone": asset.zone,
            "name": asdict(asset.name),
            "organisation": asset.organisation,
            "facts": dict(asset.properties),
        },
    }


@router.get("/assets", summary="Assets as GeoJSON", response_model=dict[str, Any])
async def list_assets(
    request: Request,
    connection: Connection,
    _: Reader,
    lifeline: Lifeline | None = None,
    zone: str | None = None,
    kind: str | None = None,
    bbox: BoxText = None,
) -> Response:
    """A FeatureCollection in WGS 84 (RFC 7946)."""
    found = await network.asset_features(connection, lifeline=lifeline, zone=zone, kind=kind, box=read_box(bbox))
    return await packed_json(request, f'{{"type":"FeatureCollection","features":{found}}}')


@router.get("/assets/{asset}", summary="One asset as GeoJSON", responses=problems.documented(404))
async def get_asset(asset: str, connection: Connection, _: Reader) -> dict[str, Any]:
    """A Feature in WGS 84."""
    found = await network.find_assets(connection, [asset])
    if asset not in found:
        raise problems.not_found("asset", asset)
    return _feature(found[asset])


@router.get("/background", summary="What the map shows behind the assets")
async def get_background(connection: Connection, _: Reader) -> dict[str, Any]:
    """A FeatureCollection in WGS 84: water and streets, where the city's register has them."""
    return {"type": "FeatureCollection", "features": await network.load_background(connection)}
