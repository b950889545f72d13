"""A city's register in a folder: organisations, zones, assets, links, sensors. Described in docs/city-folder.md."""

import csv
import io
import json
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from services.core.adjacency import with_adjacencies
from services.core.asset import Asset, Link, LinkKind
from services.core.design_limits import limits_by_design
from services.core.epanet_file import EpanetFileError, read_epanet
from services.core.lifeline import Lifeline
from services.core.low_point import LowPoint
from services.core.network_file import NetworkFile, NetworkFormat
from services.core.organisation import Organisation, OrganisationRole, Person
from services.core.pipe_network import PipeNetworkError
from services.core.sensor_address import check_address
from services.core.severity import Severity
from services.core.sewer_file import SewerFileError, read_sewers
from services.core.text import Text
from services.core.threshold import Side, Threshold
from services.core.works_permit import WorksPermit

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}$")]
RowT = TypeVar("RowT", bound=BaseModel)
Seconds = Annotated[float, Field(ge=0, le=timedelta(days=366).total_seconds())]
_NAME: TypeAdapter[str] = TypeAdapter(Name)


class CityFolderError(Exception):
    """A file of the folder is missing or wrong; the message names the file, the line and the reason."""


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


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


_Longitude = Annotated[float, Field(ge=-180, le=180)]
_Latitude = Annotated[float, Field(ge=-90, le=90)]
_Position = tuple[_Longitude, _Latitude] | tuple[_Longitude, _Latitude, float]
_Positions = Annotated[list[_Position], Field(min_length=1)]
_Line = Annotated[list[_Position], Field(min_length=2)]
_Ring = Annotated[list[_Position], Field(min_length=4)]
_Rings = Annotated[list[_Ring], Field(min_length=1)]
_COORDINATES: dict[str, TypeAdapter[Any]] = {
    "Point": TypeAdapter(_Position),
    "LineString": TypeAdapter(_Line),
    "Polygon": TypeAdapter(_Rings),
    "MultiPoint": TypeAdapter(_Positions),
    "MultiLineString": TypeAdapter(Annotated[list[_Line], Field(min_length=1)]),
    "MultiPolygon": TypeAdapter(Annotated[list[_Rings], Field(min_length=1)]),
}


class _BackgroundProperties(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)


class _Geometry(_Row):
    type: Literal["Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon"]
    coordinates: list[Any]

    @model_validator(mode="after")
    def _in_its_shape(self) -> Self:
        try:
            _COORDINATES[self.type].validate_python(self.coordinates)
        except ValidationError as error:
            raise ValueError(f"coordinates do not make a {self.type} in WGS 84: {_field_error(error)[1]}") from None
        return self


class _LinkRow(_Row):
    source: Name
    target: Name
    kind: LinkKind
    length_m: Annotated[float, Field(ge=0)]


_Unit = Annotated[str, Field(max_length=32)]
_Address = Annotated[str, AfterValidator(check_address)]


class _SensorFields(_Row):
    sensor: Name
    lifeline: Lifeline
    quantity: str
    unit: str
    asset: Name
    interval_s: Annotated[Seconds, Field(gt=0)]
    gateway: Annotated[Name | None, BeforeValidator(_none_if_empty)] = None
    device_unit: Annotated[_Unit | None, BeforeValidator(_none_if_empty)] = None
    address: Annotated[_Address | None, BeforeValidator(_none_if_empty)] = None


class SensorRow(_SensorFields):
    """One line of sensors.csv."""

    lon: _Longitude
    lat: _Latitude


class RecordedSensor(_SensorFields):
    """One line of a recording's sensors.csv; who recorded may not know where a sensor stands."""

    lon: Annotated[_Longitude | None, BeforeValidator(_none_if_empty)] = None
    lat: Annotated[_Latitude | None, BeforeValidator(_none_if_empty)] = None


class _ThresholdRow(_Row):
    sensor: Name
    severity: Annotated[int, Field(ge=1, le=4)]
    side: Side
    raise_at: float
    clear_at: float
    on_delay_s: Seconds = 0
    off_delay_s: Seconds = 0
    source: str = "default"

    @model_validator(mode="after")
    def _clears_on_the_quiet_side(self) -> Self:
        self.threshold()
        return self

    def threshold(self) -> Threshold:
        return Threshold(
            severity=Severity(self.severity),
            side=self.side,
            raise_at=self.raise_at,
            clear_at=self.clear_at,
            on_delay=timedelta(seconds=self.on_delay_s),
            off_delay=timedelta(seconds=self.off_delay_s),
            source=self.source,
        )


@dataclass(frozen=True, slots=True)
class ZoneArea:
    """A zone with its outline."""

    id: str
    lifeline: Lifeline
    name: Text
    geometry: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ModelledZones:
    """A hydraulic model, and the zones of one lifeline whose assets are its nodes and links."""

    lifeline: Lifeline
    file: NetworkFile
    zones: tuple[str, ...]


_Measured = Annotated[Annotated[float, Field(gt=0, le=1_000_000)] | None, BeforeValidator(_none_if_empty)]


class _LowPointRow(_Row):
    asset: Name
    person: Annotated[Name | None, BeforeValidator(_none_if_empty)] = None
    pumps: Annotated[list[Name], BeforeValidator(lambda text: str(text).split())] = Field(default=[])
    mobile_pumps: Annotated[int, Field(ge=0, le=1000)] = 0
    sandbags: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    barriers: Annotated[int, Field(ge=0, le=1000)] = 0
    prepare_from: Annotated[Severity, Field(ge=1)] = Severity.MODERATE
    contributing_ha: _Measured = None
    drain_m3_s: _Measured = None
    storage_m3: _Measured = None
    expected_15min_cm: _Measured = None
    expected_30min_cm: _Measured = None
    expected_60min_cm: _Measured = None


class _WorksRow(_Row):
    id: Name
    start: AwareDatetime
    end: AwareDatetime
    lon: _Longitude
    lat: _Latitude
    radius_m: Annotated[float, Field(ge=0, le=100_000)]
    what: str
    contractor: str

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.end <= self.start:
            raise ValueError("end is not after start")
        return self


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
    background: list[dict[str, Any]]
    model: ModelledZones | None = None
    low_points: tuple[LowPoint, ...] = ()
    works: tuple[WorksPermit, ...] = ()
    sewers: ModelledZones | None = None

    @property
    def models(self) -> tuple[ModelledZones, ...]:
        """The hydraulic models that the folder brings along."""
        return tuple(each for each in (self.model, self.sewers) if each is not None)


def read_rows(path: Path, model: type[RowT]) -> Iterator[tuple[str, RowT]]:
    """The lines of a CSV file, each checked against a model, with the file and the line where it stands.

    Raises:
        CityFolderError: naming the file, the line, the field and the reason.
    """
    try:
        lines = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""))
        _check_header(path, lines.fieldnames, model)
        for row in lines:
            place = f"{path.name}, line {lines.line_num}"
            yield place, _checked(place, model, row)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CityFolderError(f"{path.name}: cannot be read: {error}") from None


def _check_header(path: Path, names: Iterable[str] | None, model: type[BaseModel]) -> None:
    found = list(names or [])
    for name, field in model.model_fields.items():
        if field.is_required() and name not in found:
            raise CityFolderError(f"{path.name}, line 1, {name}: the column is missing")
    for name in found:
        if name not in model.model_fields or found.count(name) > 1:
            reason = "the column is there twice" if found.count(name) > 1 else "there is no such column"
            raise CityFolderError(f"{path.name}, line 1, {name}: {reason}")


def _field_error(error: ValidationError) -> tuple[str, str]:
    """The first offending field and what is wrong with it."""
    first = error.errors(include_url=False, include_input=False)[0]
    name = ".".join(str(part) for part in first["loc"]) or "payload"
    return name, first["msg"].removeprefix("Value error, ")


def _checked(place: str, model: type[RowT], row: Any) -> RowT:
    if isinstance(row, dict) and None in row:
        raise CityFolderError(f"{place}: has more fields than the header")
    try:
        return model.model_validate(row)
    except ValidationError as error:
        field, reason = _field_error(error)
        where = f"{place}, {field}" if error.errors()[0]["loc"] else place
        raise CityFolderError(f"{where}: {reason}") from None


def _features(path: Path, model: type[RowT]) -> Iterator[tuple[str, RowT, dict[str, Any]]]:
    try:
        features = json.loads(path.read_text(encoding="utf-8-sig"))["features"]
        numbered = list(enumerate(features, start=1))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CityFolderError(f"{path.name}: is not a GeoJSON FeatureCollection: {error}") from None
    for number, feature in numbered:
        place = f"{path.name}, feature {number}"
        if not isinstance(feature, dict) or not feature.get("geometry") or not feature.get("properties"):
            raise CityFolderError(f"{place}: has no geometry or no properties")
        geometry = _checked(place, _Geometry, feature["geometry"])
        yield place, _checked(place, model, feature["properties"]), geometry.model_dump()


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


def _low_point(row: _LowPointRow) -> LowPoint:
    return LowPoint(
        asset=row.asset,
        person=row.person,
        pumps=tuple(row.pumps),
        mobile_pumps=row.mobile_pumps,
        sandbags=row.sandbags,
        barriers=row.barriers,
        prepare_from=row.prepare_from,
        contributing_ha=row.contributing_ha,
        drain_m3_s=row.drain_m3_s,
        storage_m3=row.storage_m3,
        expected_15min_cm=row.expected_15min_cm,
        expected_30min_cm=row.expected_30min_cm,
        expected_60min_cm=row.expected_60min_cm,
    )


def read_works(path: Path) -> tuple[WorksPermit, ...]:
    """The permits of a ``works.csv``; a folder without the file has none.

    Raises:
        CityFolderError: naming the file, the line, the field and the reason.
    """
    if not path.exists():
        return ()
    rows = list(read_rows(path, _WorksRow))
    distinct(rows, "id")
    return tuple(
        WorksPermit(
            id=row.id,
            start=row.start.astimezone(UTC),
            end=row.end.astimezone(UTC),
            longitude=row.lon,
            latitude=row.lat,
            radius_m=row.radius_m,
            what=row.what,
            contractor=row.contractor,
        )
        for _, row in rows
    )


def _city(path: Path) -> tuple[str, Text]:
    try:
        city = tomllib.loads(path.read_text(encoding="utf-8"))
        return _NAME.validate_python(city["id"]), Text(str(city["name_en"]), str(city["name_zh"]))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CityFolderError(f"{path.name}: cannot be read: {error}") from None
    except ValidationError as error:
        raise CityFolderError(f"{path.name}, id: {_field_error(error)[1]}") from None
    except KeyError as error:
        raise CityFolderError(f"{path.name}: {error.args[0]} is missing") from None


def read_network_features(path: Path) -> tuple[list[Asset], list[Link]]:
    """The assets of a ``network.geojson``, features as in ``assets.geojson``, and the links in its member ``links``.

    Raises:
        CityFolderError: naming the file, the feature or link, the field and the reason.
    """
    features = list(_features(path, _AssetProperties))
    known = distinct([(place, properties) for place, properties, _ in features], "id")
    listed = json.loads(path.read_text(encoding="utf-8-sig")).get("links", [])
    links = [
        (f"{path.name}, link {number}", _checked(f"{path.name}, link {number}", _LinkRow, link))
        for number, link in enumerate(listed, start=1)
    ]
    _refer(links, "source", known)
    _refer(links, "target", known)
    assets = [_asset(properties, geometry) for _, properties, geometry in features]
    return assets, [Link(row.source, row.target, row.kind, row.length_m) for _, row in links]


def read_city_folder(folder: Path) -> CityFolder:
    """Read a city folder and check it against itself.

    Raises:
        CityFolderError: naming the file, the line or feature, the field and the reason.
    """
    city, name = _city(folder / "city.toml")
    organisations = list(read_rows(folder / "organisations.csv", _OrganisationRow))
    people = list(read_rows(folder / "people.csv", _PersonRow))
    zones = list(_features(folder / "zones.geojson", _ZoneProperties))
    assets = list(_features(folder / "assets.geojson", _AssetProperties))
    links = list(read_rows(folder / "links.csv", _LinkRow))
    sensors = list(read_rows(folder / "sensors.csv", SensorRow))
    limits = folder / "thresholds.csv"
    thresholds = list(read_rows(limits, _ThresholdRow)) if limits.exists() else []
    listed_low_points = folder / "low_points.csv"
    low_points = list(read_rows(listed_low_points, _LowPointRow)) if listed_low_points.exists() else []

    known_organisations = distinct(organisations, "id")
    known_zones = distinct([(place, zone) for place, zone, _ in zones], "id")
    placed_assets = [(place, asset) for place, asset, _ in assets]
    known_assets = distinct(placed_assets, "id")
    known_people = distinct(people, "id")
    distinct(low_points, "asset")
    _refer(low_points, "asset", known_assets)
    _refer(low_points, "person", {*known_people, None})
    for place, point in low_points:
        for pump in point.pumps:
            if pump not in known_assets:
                raise CityFolderError(f"{place}, pumps: there is no {pump!r}")
    _refer(people, "organisation", known_organisations)
    _refer(placed_assets, "zone", known_zones)
    _refer(placed_assets, "organisation", {*known_organisations, None})
    _refer(links, "source", known_assets)
    _refer(links, "target", known_assets)
    _refer(sensors, "asset", known_assets)
    _refer(thresholds, "sensor", distinct(sensors, "sensor"))
    distinct([(place, row) for place, row in sensors if row.address is not None], "address")

    listed = [_asset(properties, geometry) for _, properties, geometry in assets]
    limits_of: dict[str, list[Threshold]] = {}
    for _, row in thresholds:
        limits_of.setdefault(row.sensor, []).append(row.threshold())
    known_links = [Link(row.source, row.target, row.kind, row.length_m) for _, row in links]
    limits_of = limits_by_design([row for _, row in sensors], listed, known_links) | limits_of
    return CityFolder(
        id=city,
        name=name,
        organisations=[
            Organisation(row.id, Text(row.name_en, row.name_zh), row.role, frozenset(row.lifelines))
            for _, row in organisations
        ],
        people=[
            Person(row.id, row.organisation, row.name, Text(row.post_en, row.post_zh), row.phone) for _, row in people
        ],
        zones=[
            ZoneArea(zone.id, zone.lifeline, Text(zone.name_en, zone.name_zh), geometry) for _, zone, geometry in zones
        ],
        assets=listed,
        links=with_adjacencies(listed, known_links),
        sensors=[row for _, row in sensors],
        thresholds=limits_of,
        background=_background(folder / "background.geojson"),
        model=_model(folder / "network.inp", city, listed),
        low_points=tuple(_low_point(row) for _, row in low_points),
        works=read_works(folder / "works.csv"),
        sewers=_sewers(folder / "sewers.inp", city, listed),
    )


def _model(path: Path, city: str, assets: Iterable[Asset]) -> ModelledZones | None:
    """The model of the water network, if the folder has one; it covers the zones of the assets that it names."""
    if not path.exists():
        return None
    try:
        file = NetworkFile(city, NetworkFormat.EPANET, path.read_text(encoding="utf-8-sig"))
        network = read_epanet(replace(file, name=path.name))
    except (OSError, UnicodeDecodeError) as error:
        raise CityFolderError(f"{path.name}: cannot be read: {error}") from None
    except (EpanetFileError, PipeNetworkError) as error:
        raise CityFolderError(str(error)) from None
    named = {*network.nodes, *network.links}
    zones = {asset.zone for asset in assets if asset.lifeline is Lifeline.WATER and asset.id in named}
    if not zones:
        raise CityFolderError(f"{path.name}: names no water asset of assets.geojson")
    return ModelledZones(Lifeline.WATER, file, tuple(sorted(zones)))


def _sewers(path: Path, city: str, assets: Iterable[Asset]) -> ModelledZones | None:
    """The model of the sewers, if the folder has one; it covers the zones of the assets that it names."""
    if not path.exists():
        return None
    try:
        file = NetworkFile(f"{city}-sewers", NetworkFormat.SWMM, path.read_text(encoding="utf-8-sig"))
        layout = read_sewers(replace(file, name=path.name))
    except (OSError, UnicodeDecodeError) as error:
        raise CityFolderError(f"{path.name}: cannot be read: {error}") from None
    except SewerFileError as error:
        raise CityFolderError(str(error)) from None
    named = {*layout.nodes, *layout.links}
    zones = {asset.zone for asset in assets if asset.lifeline is Lifeline.DRAINAGE and asset.id in named}
    if not zones:
        raise CityFolderError(f"{path.name}: names no drainage asset of assets.geojson")
    return ModelledZones(Lifeline.DRAINAGE, file, tuple(sorted(zones)))


def _background(path: Path) -> list[dict[str, Any]]:
    """What the map shows behind the assets, if the folder has it; its properties are the map's business."""
    if not path.exists():
        return []
    return [
        {"type": "Feature", "properties": properties.model_extra or {}, "geometry": geometry}
        for _, properties, geometry in _features(path, _BackgroundProperties)
    ]


def distinct(rows: Iterable[tuple[str, BaseModel]], field: str) -> set[Any]:
    """The values of a field that is to name each row once.

    Raises:
        CityFolderError: two rows have the same name.
    """
    seen: set[Any] = set()
    for place, row in rows:
        name = getattr(row, field)
        if name in seen:
            raise CityFolderError(f"{place}, {field}: {name!r} is declared a second time")
        seen.add(name)
    return seen


def _refer(rows: Iterable[tuple[str, BaseModel]], field: str, known: set[Any]) -> None:
    for place, row in rows:
        if getattr(row, field) not in known:
            raise CityFolderError(f"{place}, {field}: {getattr(row, field)!r} is not declared")
