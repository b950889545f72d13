"""A city's register in a folder: organisations, zones, assets, links, sensors. Described in docs/city-folder.md."""

import csv
import json
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from services.core.asset import Asset, Link, LinkKind
from services.core.lifeline import Lifeline
from services.core.organisation import Organisation, OrganisationRole, Person
from services.core.severity import Severity
from services.core.text import Text
from services.core.threshold import Side, Threshold
from services.core.wire import field_error

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}$")]
RowT = TypeVar("RowT", bound=BaseModel)
RecordT = TypeVar("RecordT")


class CityFolderError(Exception):
    """A file of the folder is missing or wrong; the message names the file, the line and the reason."""


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _OrganisationRow(_Row):
    id: Name
    name_en: str
    name_zh: str
    role: OrganisationRole
    lifelines: Annotated[list[Lifeline], BeforeValidator(lambda text: str(text).split())]


class _PersonRow(_Row):
    id: Name
    organisation: Name
    name: str
    post_en: str
    post_zh: str
    phone: str


class _ZoneProperties(_Row):
    id: Name
    lifeline: Lifeline
    name_en: str
    name_zh: str


class _AssetProperties(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)

    id: Name
    lifeline: Lifeline
    kind: str
    zone: Name
    name_en: str
    name_zh: str
    organisation: Annotated[Name | None, BeforeValidator(_none_if_empty)] = None


class _Geometry(_Row):
    type: Literal["Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon"]
    coordinates: list[Any]


class _LinkRow(_Row):
    source: Name
    target: Name
    kind: LinkKind
    length_m: Annotated[float, Field(ge=0)]


class SensorRow(_Row):
    """One line of sensors.csv."""

    sensor: Name
    lifeline: Lifeline
    quantity: str
    unit: str
    asset: Name
    lon: Annotated[float, Field(ge=-180, le=180)]
    lat: Annotated[float, Field(ge=-90, le=90)]
    interval_s: Annotated[float, Field(gt=0)]
    gateway: Annotated[Name | None, BeforeValidator(_none_if_empty)] = None


class _ThresholdRow(_Row):
    sensor: Name
    severity: Annotated[int, Field(ge=1, le=4)]
    side: Side
    raise_at: float
    clear_at: float
    on_delay_s: Annotated[float, Field(ge=0)] = 0
    off_delay_s: Annotated[float, Field(ge=0)] = 0
    source: str = "default"


@dataclass(frozen=True, slots=True)
class ZoneArea:
    """A zone with its outline."""

    id: str
    lifeline: Lifeline
    name: Text
    geometry: dict[str, Any]


@dataclass(frozen=True, slots=True)
class CityFolder:
    """Everything the folder says, checked against itself."""

    id: str
    name: Text
    organisations: list[Organisation]
    people: list[Person]
    zones: list[ZoneArea]
    assets: list[Asset]
    links: list[Link]
    sensors: list[SensorRow]
    thresholds: dict[str, list[Threshold]]


def read_rows(path: Path, model: type[RowT]) -> Iterator[RowT]:
    """The lines of a CSV file, each checked against a model.

    Raises:
        CityFolderError: naming the file, the line, the field and the reason.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CityFolderError(f"{path.name}: cannot be read: {error}") from None
    for number, row in enumerate(csv.DictReader(text.splitlines()), start=2):
        try:
            yield model.model_validate(row)
        except ValidationError as error:
            field, reason = field_error(error)
            raise CityFolderError(f"{path.name}, line {number}, {field}: {reason}") from None


def _features(path: Path, model: type[RowT]) -> Iterator[tuple[RowT, dict[str, Any]]]:
    try:
        collection = json.loads(path.read_text(encoding="utf-8"))
        features = collection["features"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CityFolderError(f"{path.name}: is not a GeoJSON FeatureCollection: {error}") from None
    for number, feature in enumerate(features, start=1):
        try:
            geometry = _Geometry.model_validate(feature["geometry"])
            yield model.model_validate(feature["properties"]), geometry.model_dump()
        except ValidationError as error:
            field, reason = field_error(error)
            raise CityFolderError(f"{path.name}, feature {number}, {field}: {reason}") from None
        except (KeyError, TypeError):
            raise CityFolderError(f"{path.name}, feature {number}: has no geometry or no properties") from None


def _asset(properties: _AssetProperties, geometry: dict[str, Any]) -> Asset:
    return Asset(
        id=properties.id,
        lifeline=properties.lifeline,
        kind=properties.kind,
        zone=properties.zone,
        name=Text(properties.name_en, properties.name_zh),
        geometry=geometry,
        organisation=properties.organisation,
        properties=dict(properties.model_extra or {}),
    )


def _threshold(path: Path, row: _ThresholdRow) -> Threshold:
    try:
        return Threshold(
            severity=Severity(row.severity),
            side=row.side,
            raise_at=row.raise_at,
            clear_at=row.clear_at,
            on_delay=timedelta(seconds=row.on_delay_s),
            off_delay=timedelta(seconds=row.off_delay_s),
            source=row.source,
        )
    except ValueError as error:
        raise CityFolderError(f"{path.name}, sensor {row.sensor}: {error}") from None


def _city(path: Path) -> tuple[str, Text]:
    try:
        city = tomllib.loads(path.read_text(encoding="utf-8"))
        return str(city["id"]), Text(str(city["name_en"]), str(city["name_zh"]))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise CityFolderError(f"{path.name}: cannot be read: {error}") from None
    except KeyError as error:
        raise CityFolderError(f"{path.name}: {error.args[0]} is missing") from None


def read_city_folder(folder: Path) -> CityFolder:
    """Read and check a city folder.

    Raises:
        CityFolderError: naming the file, the line or feature, the field and the reason.
    """
    city, name = _city(folder / "city.toml")
    thresholds: dict[str, list[Threshold]] = {}
    if (limits := folder / "thresholds.csv").exists():
        for row in read_rows(limits, _ThresholdRow):
            thresholds.setdefault(row.sensor, []).append(_threshold(limits, row))
    read = CityFolder(
        id=city,
        name=name,
        organisations=[
            Organisation(row.id, Text(row.name_en, row.name_zh), row.role, frozenset(row.lifelines))
            for row in read_rows(folder / "organisations.csv", _OrganisationRow)
        ],
        people=[
            Person(row.id, row.organisation, row.name, Text(row.post_en, row.post_zh), row.phone)
            for row in read_rows(folder / "people.csv", _PersonRow)
        ],
        zones=[
            ZoneArea(zone.id, zone.lifeline, Text(zone.name_en, zone.name_zh), geometry)
            for zone, geometry in _features(folder / "zones.geojson", _ZoneProperties)
        ],
        assets=[_asset(*feature) for feature in _features(folder / "assets.geojson", _AssetProperties)],
        links=[
            Link(link.source, link.target, link.kind, link.length_m)
            for link in read_rows(folder / "links.csv", _LinkRow)
        ],
        sensors=list(read_rows(folder / "sensors.csv", SensorRow)),
        thresholds=thresholds,
    )
    _check_references(read)
    return read


def _check_references(city: CityFolder) -> None:
    organisations = {organisation.id for organisation in city.organisations}
    zones = {zone.id for zone in city.zones}
    assets = {asset.id for asset in city.assets}
    sensors = {sensor.sensor for sensor in city.sensors}
    _refer("people.csv", city.people, lambda person: person.organisation, organisations, "organisation")
    _refer("assets.geojson", city.assets, lambda asset: asset.zone, zones, "zone")
    _refer(
        "assets.geojson",
        [asset for asset in city.assets if asset.organisation],
        lambda asset: asset.organisation or "",
        organisations,
        "organisation",
    )
    _refer("links.csv", city.links, lambda link: link.source, assets, "asset")
    _refer("links.csv", city.links, lambda link: link.target, assets, "asset")
    _refer("sensors.csv", city.sensors, lambda sensor: sensor.asset, assets, "asset")
    _refer("thresholds.csv", list(city.thresholds), str, sensors, "sensor")


def _refer(file: str, records: list[RecordT], name: Callable[[RecordT], str], known: set[str], what: str) -> None:
    for record in records:
        if name(record) not in known:
            raise CityFolderError(f"{file}: {what} {name(record)!r} is not declared")
