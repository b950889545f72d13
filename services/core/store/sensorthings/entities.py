"""The register and the readings as the entities of OGC SensorThings 1.1 (18-088), section 8.2.

An asset is a Thing with a Location; a sensor is a Sensor with one Datastream and the place it measures at, its
FeatureOfInterest; a quantity is an ObservedProperty; a reading is an Observation. Every source joins what a confined
caller is kept from (``limited_views``), a reading therefore its sensor.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What a property or an expression yields."""

    NUMBER = "number"
    TEXT = "text"
    MOMENT = "moment"
    FLAG = "flag"
    JSON = "json"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Relation:
    """How entities lead to others: those whose column ``far`` is what stands in the column ``near`` of the first."""

    target: str
    is_many: bool
    near: str = "id"
    far: str = "id"

    def joins(self, near: str, far: str) -> str:
        """Whether the entity of one alias leads to the entity of another."""
        return f"{far}.{self.far} = {near}.{self.near}"


@dataclass(frozen=True, slots=True)
class EntitySet:
    """One kind of entity: ``source`` is a statement that yields ``id``, each property, and what relations join by.

    ``properties`` maps names to columns and kinds. ``order`` is how entities come when nobody asks for an order.
    ``by_id`` finds one by what ``read_id`` makes of its identifier; ``None`` from it means that there is none.
    """

    name: str
    singular: str
    source: str
    properties: Mapping[str, tuple[str, Kind]]
    relations: Mapping[str, Relation]
    order: tuple[str, ...] = ("id",)
    by_id: str = "{near}.id = %({id})s"
    read_id: Callable[[str], str | tuple[int, int] | None] = field(default=lambda text: text)


def _observation_id(text: str) -> tuple[int, int] | None:
    """Sensor's key and epoch microseconds of the identifier of an Observation."""
    key, _, moment_us = text.partition("-")
    is_whole = all(part.isascii() and part.isdigit() for part in (key, moment_us))
    if not is_whole or len(key) > 9 or len(moment_us) > 17:  # noqa: PLR2004 - what the columns can hold
        return None
    return int(key), int(moment_us)


_NAMED = {"name": ("name", Kind.TEXT), "description": ("description", Kind.TEXT)}
_PROPERTIES = {"properties": ("properties", Kind.JSON)}
_ENCODING = {"encodingType": ("encoding_type", Kind.TEXT)}

_SETS = (
    EntitySet(
        "Things",
        "Thing",
        """select id, name_en as name, kind || ', ' || name_zh as description, properties || jsonb_build_object(
            'lifeline', lifeline, 'kind', kind, 'zone', zone, 'organisation', organisation, 'name_zh', name_zh)
            as properties from asset""",
        _NAMED | _PROPERTIES,
        {
            "Locations": Relation("Locations", True),
            "HistoricalLocations": Relation("HistoricalLocations", True),
            "Datastreams": Relation("Datastreams", True, "id", "asset"),
        },
    ),
    EntitySet(
        "Locations",
        "Location",
        """select id, name_en as name, kind || ', ' || name_zh as description,
            'application/geo+json'::text as encoding_type, geometry as location from asset""",
        _NAMED | _ENCODING | {"location": ("location", Kind.JSON)},
        {
            "Things": Relation("Things", True),
            "HistoricalLocations": Relation("HistoricalLocations", True),
        },
    ),
    # What lies in the ground does not move, so this set is empty; the standard has it stand there nonetheless.
    EntitySet(
        "HistoricalLocations",
        "HistoricalLocation",
        "select id, null::timestamptz as time from asset where false",
        {"time": ("time", Kind.MOMENT)},
        {
            "Thing": Relation("Things", False),
            "Locations": Relation("Locations", True),
        },
    ),
    EntitySet(
        "Datastreams",
        "Datastream",
        """select s.id, s.key, s.asset, s.lifeline || '.' || s.quantity as quantity,
            q.label_en || ' at ' || a.name_en as name, a.name_zh || ' ' || q.label_zh as description,
            'http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement'::text as observation_type,
            json_build_object('name', s.unit, 'symbol', s.unit, 'definition', 'urn:lifeline:unit:' || s.unit)::jsonb
            as unit, jsonb_build_object('lifeline', s.lifeline, 'zone', s.zone, 'quantity', s.quantity,
                'gateway', s.gateway, 'interval_s', s.interval_s) as properties
            from sensor s join asset a on a.id = s.asset
            join quantity q on q.lifeline = s.lifeline and q.name = s.quantity""",
        _NAMED
        | _PROPERTIES
        | {"observationType": ("observation_type", Kind.TEXT), "unitOfMeasurement": ("unit", Kind.JSON)},
        {
            "Thing": Relation("Things", False, "asset", "id"),
            "Sensor": Relation("Sensors", False),
            "ObservedProperty": Relation("ObservedProperties", False, "quantity", "id"),
            "Observations": Relation("Observations", True, "key", "sensor_key"),
        },
    ),
    EntitySet(
        "Sensors",
        "Sensor",
        """select s.id, s.id as name, q.label_en || ', ' || q.label_zh as description,
            'text/plain'::text as encoding_type, coalesce(s.address, s.id) as metadata,
            jsonb_build_object('gateway', s.gateway, 'interval_s', s.interval_s) as properties
            from sensor s join quantity q on q.lifeline = s.lifeline and q.name = s.quantity""",
        _NAMED | _ENCODING | _PROPERTIES | {"metadata": ("metadata", Kind.TEXT)},
        {"Datastreams": Relation("Datastreams", True)},
    ),
    EntitySet(
        "ObservedProperties",
        "ObservedProperty",
        """select lifeline || '.' || name as id, label_en as name, label_zh as description,
            'urn:lifeline:quantity:' || lifeline || ':' || name as definition,
            jsonb_build_object('lifeline', lifeline, 'quantity', name, 'unit', unit) as properties from quantity""",
        _NAMED | _PROPERTIES | {"definition": ("definition", Kind.TEXT)},
        {"Datastreams": Relation("Datastreams", True, "id", "quantity")},
    ),
    EntitySet(
        "Observations",
        "Observation",
        """select r.sensor_key || '-' || (extract(epoch from r.time) * 1000000)::bigint as id, r.sensor_key, r.time,
            s.id as sensor, r.value, r.received_at, (array['good', 'suspect', 'bad'])[r.quality + 1] as quality
            from reading r join sensor s on s.key = r.sensor_key""",
        {
            "phenomenonTime": ("time", Kind.MOMENT),
            "resultTime": ("received_at", Kind.MOMENT),
            "result": ("value", Kind.NUMBER),
            "resultQuality": ("quality", Kind.TEXT),
        },
        {
            "Datastream": Relation("Datastreams", False, "sensor_key", "key"),
            "FeatureOfInterest": Relation("FeaturesOfInterest", False, "sensor_key", "key"),
        },
        order=("sensor_key", "time"),
        by_id="{near}.sensor_key = (%({id})s::bigint[])[1] "
        "and {near}.time = timestamptz 'epoch' + (%({id})s::bigint[])[2] * interval '1 microsecond'",
        read_id=_observation_id,
    ),
    EntitySet(
        "FeaturesOfInterest",
        "FeatureOfInterest",
        """select s.id, s.key, 'Place of ' || s.id as name, a.name_en || ', ' || a.name_zh as description,
            'application/geo+json'::text as encoding_type, jsonb_build_object('type', 'Point', 'coordinates',
                jsonb_build_array(s.longitude, s.latitude)) as feature
            from sensor s join asset a on a.id = s.asset""",
        _NAMED | _ENCODING | {"feature": ("feature", Kind.JSON)},
        {"Observations": Relation("Observations", True, "key", "sensor_key")},
    ),
)
SETS: Mapping[str, EntitySet] = {entities.name: entities for entities in _SETS}
