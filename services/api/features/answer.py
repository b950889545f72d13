"""Collections and features as OGC API – Features (17-069r4) writes them."""

from typing import Any
from urllib.parse import quote

from services.core.asset import Asset
from services.core.store.features import FeatureCollection

CRS = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
GEOJSON = "application/geo+json"
_CLASSES = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf"
CONFORMANCE = (f"{_CLASSES}/core", f"{_CLASSES}/geojson")
"""Not `oas30`: our description is written in OpenAPI 3.1."""


def link(address: str, relation: str, title: str, media_type: str = "application/json") -> dict[str, str]:
    """One link."""
    return {"href": address, "rel": relation, "type": media_type, "title": title}


def identifier_of(collection: FeatureCollection) -> str:
    """What a collection is called in addresses."""
    return f"{collection.lifeline}.{collection.kind}"


def collection_answer(root: str, collection: FeatureCollection) -> dict[str, Any]:
    """What a collection holds and where it lies."""
    name = identifier_of(collection)
    here = f"{root}/collections/{quote(name, safe='')}"
    return {
        "id": name,
        "title": f"{collection.lifeline}: {collection.kind}",
        "description": f"Assets of kind {collection.kind} of lifeline {collection.lifeline}",
        "itemType": "feature",
        "crs": [CRS],
        "extent": {"spatial": {"bbox": [list(collection.box)], "crs": CRS}},
        "links": [link(here, "self", "this collection"), link(f"{here}/items", "items", "its features", GEOJSON)],
    }


def feature(root: str, collection: FeatureCollection, asset: Asset, *, alone: bool) -> dict[str, Any]:
    """An asset as a feature; ``alone``: with the links that one has which is not in a list."""
    answer: dict[str, Any] = {
        "type": "Feature",
        "id": asset.id,
        "geometry": asset.geometry,
        "properties": {
            **asset.properties,
            "lifeline": asset.lifeline,
            "kind": asset.kind,
            "zone": asset.zone,
            "organisation": asset.organisation,
            "name_en": asset.name.en,
            "name_zh": asset.name.zh,
        },
    }
    if alone:
        here = f"{root}/collections/{quote(identifier_of(collection), safe='')}"
        answer["links"] = [
            link(f"{here}/items/{quote(asset.id, safe='')}", "self", "this feature", GEOJSON),
            link(here, "collection", "its collection"),
        ]
    return answer
