"""Assets as GeoJSON (RFC 7946), whose form is the standard's and so not in the API's description."""

from typing import Any

from services.client.answer import Answer
from services.client.answers import TextAnswer


class AssetProperties(Answer):
    """What is known about a pipe, a manhole, a bridge; ``facts`` are what its city's register says beyond that."""

    id: str
    lifeline: str
    kind: str
    zone: str
    name: TextAnswer
    organisation: str | None
    facts: dict[str, Any]


class AssetFeature(Answer):
    """One asset; its geometry is in WGS 84."""

    id: str
    geometry: dict[str, Any]
    properties: AssetProperties


class AssetCollection(Answer):
    """Many assets."""

    features: list[AssetFeature]
