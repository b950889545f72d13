"""OGC API – Features for assets, below ``/ogc``: what QGIS and other maps open."""

from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from psycopg import AsyncConnection
from rfc9457 import Problem

from services.api import problems
from services.api.bounding_box import read_box
from services.api.features.answer import CONFORMANCE, GEOJSON, collection_answer, feature, identifier_of, link
from services.api.question import now
from services.api.security import Connection, Reader
from services.core.store import features, network
from services.core.store.features import Box, FeatureCollection

PREFIX = "/ogc"
router = APIRouter(prefix=PREFIX, tags=["features"])

USUAL = 100
MOST = 10_000
_WITH_HEIGHTS = 6
_ITEM_OPTIONS = frozenset({"after", "bbox", "datetime", "f", "limit"})
_ERRORS = problems.documented(400, 404)


def _root_of(request: Request) -> str:
    base: str = request.app.state.api_url or str(request.base_url)
    return base.rstrip("/") + PREFIX


# Clients such as OWSLib ask for the landing page with a slash at its end.
@router.get("/", include_in_schema=False)
@router.get("", summary="Features: where everything is")
async def get_landing_page(request: Request, _: Reader) -> dict[str, Any]:
    """The landing page of OGC API – Features."""
    root = _root_of(request)
    described = root.removesuffix(PREFIX) + "/api/v1/openapi.json"
    return {
        "title": "Lifeline",
        "description": "Assets of a city's lifelines · 城市生命线设施",
        "links": [
            link(root, "self", "this page"),
            link(described, "service-desc", "the API's description", "application/vnd.oai.openapi+json;version=3.1"),
            link(f"{root}/conformance", "conformance", "what is conformed to"),
            link(f"{root}/collections", "data", "the collections"),
        ],
    }


@router.get("/conformance", summary="Features: what is conformed to")
async def get_conformance(_: Reader) -> dict[str, Any]:
    """The conformance classes of OGC API – Features that are kept."""
    return {"conformsTo": list(CONFORMANCE)}


@router.get("/collections", summary="Features: one collection for each kind of asset")
async def list_collections(request: Request, connection: Connection, _: Reader) -> dict[str, Any]:
    """Each lifeline's kinds of assets."""
    root = _root_of(request)
    found = await features.collections(connection)
    return {
        "links": [link(f"{root}/collections", "self", "this list")],
        "collections": [collection_answer(root, collection) for collection in found],
    }


@router.get("/collections/{collection}", summary="Features: a collection", responses=problems.documented(404))
async def get_collection(collection: str, request: Request, connection: Connection, _: Reader) -> dict[str, Any]:
    """What a collection holds and where it lies."""
    return collection_answer(_root_of(request), await _known(connection, collection))


@router.get(
    "/collections/{collection}/items",
    summary="Features: assets as GeoJSON",
    responses=_ERRORS | {200: {"content": {GEOJSON: {}}}},
)
async def list_items(
    collection: str,
    request: Request,
    connection: Connection,
    _: Reader,
    bbox: Annotated[str | None, Query(description="west,south,east,north in degrees; heights are left alone")] = None,
    limit: Annotated[str | None, Query(description=f"on a page, 1 to {MOST}; {USUAL} if nothing is said")] = None,
    after: Annotated[str, Query(description="of the `next` link", max_length=300)] = "",
    datetime: Annotated[str | None, Query(description="every asset is there at all times")] = None,  # noqa: ARG001
) -> Response:
    """A page of features in the order of their identifiers; the `next` link leads on."""
    unknown = sorted(set(request.query_params) - _ITEM_OPTIONS)
    if unknown:
        raise problems.not_understood(unknown[0], "there is no such parameter")
    known = await _known(connection, collection)
    most, box = _limit(limit), _box(bbox)
    found, matched = await features.page(connection, known, box, after=after, limit=most + 1)
    here = f"{_root_of(request)}/collections/{quote(identifier_of(known), safe='')}/items"
    links = [link(f"{here}?{request.url.query}".rstrip("?"), "self", "this page", GEOJSON)]
    shown = found[:most]
    if len(found) > most:
        asked = {"bbox": bbox, "limit": str(most), "after": shown[-1].id}
        written = urlencode({name: value for name, value in asked.items() if value is not None})
        links.append(link(f"{here}?{written}", "next", "the next page", GEOJSON))
    answer = {
        "type": "FeatureCollection",
        "features": [feature(_root_of(request), known, asset, alone=False) for asset in shown],
        "links": links,
        "timeStamp": now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "numberMatched": matched,
        "numberReturned": len(shown),
    }
    return JSONResponse(answer, media_type=GEOJSON)


@router.get(
    "/collections/{collection}/items/{feature_id}",
    summary="Features: one asset as GeoJSON",
    responses=problems.documented(404) | {200: {"content": {GEOJSON: {}}}},
)
async def get_item(collection: str, feature_id: str, request: Request, connection: Connection, _: Reader) -> Response:
    """One feature."""
    known = await _known(connection, collection)
    asset = (await network.find_assets(connection, [feature_id])).get(feature_id)
    if asset is None or (asset.lifeline, asset.kind) != (known.lifeline, known.kind):
        raise problems.not_found("feature", feature_id)
    return JSONResponse(feature(_root_of(request), known, asset, alone=True), media_type=GEOJSON)


async def _known(connection: AsyncConnection, collection: str) -> FeatureCollection:
    lifeline, _, kind = collection.partition(".")
    found = await features.collections(connection, lifeline, kind)
    if not found:
        raise problems.not_found("collection", collection)
    return found[0]


def _limit(text: str | None) -> int:
    if text is None:
        return USUAL
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MOST)) + 4 and int(text) > 0):
        raise problems.not_understood("limit", f"is a whole number from 1 to {MOST}")
    return min(int(text), MOST)


def _box(text: str | None) -> Box | None:
    parts = [] if text is None else text.split(",")
    if len(parts) == _WITH_HEIGHTS:
        text = ",".join((*parts[:2], *parts[3:5]))
    try:
        return read_box(text)
    except Problem:
        raise problems.not_understood("bbox", "four or six numbers `west,south,east,north` in degrees") from None
