"""What the service tells of itself at its root: its entity sets and what it conforms to, no more."""

from typing import Any

from services.core.store.sensorthings.entities import SETS

_REQUIREMENTS = "http://www.opengis.net/spec/iot_sensing/1.1/req"
CONFORMANCE = tuple(
    f"{_REQUIREMENTS}/{name}"
    for name in (
        "datamodel/thing/properties",
        "datamodel/thing/relations",
        "datamodel/location/properties",
        "datamodel/location/relations",
        "datamodel/historical-location/properties",
        "datamodel/historical-location/relations",
        "datamodel/datastream/properties",
        "datamodel/datastream/relations",
        "datamodel/sensor/properties",
        "datamodel/sensor/relations",
        "datamodel/observed-property/properties",
        "datamodel/observed-property/relations",
        "datamodel/observation/properties",
        "datamodel/observation/relations",
        "datamodel/feature-of-interest/properties",
        "datamodel/feature-of-interest/relations",
        "datamodel/entity-control-information/common-control-information",
        "resource-path/resource-path-to-entities",
        "request-data/order",
        "request-data/expand",
        "request-data/select",
        "request-data/orderby",
        "request-data/skip",
        "request-data/top",
        "request-data/filter",
        "request-data/count",
        "request-data/built-in-filter-operations",
        "request-data/pagination",
        "data-array/data-array",
    )
)
"""Not among them: creating and changing, geospatial functions, MultiDatastreams, and MQTT."""


def service_root(root: str) -> dict[str, Any]:
    """The answer at the root."""
    return {
        "value": [{"name": name, "url": f"{root}/{name}"} for name in SETS],
        "serverSettings": {"conformance": list(CONFORMANCE)},
    }
