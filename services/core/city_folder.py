"""A city's register in a folder: organisations, zones, assets, links, sensors. Described in docs/city-folder.md."""

import json
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

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
from services.core.checked_rows import (
    CityFolderError,
    Faults,
    Latitude,
    Longitude,
    Row,
    checked,
    distinct,
    field_error,
    read_features,
    read_rows,
    refer,
)
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
FILES = frozenset(
    {
        *("city.toml", "organisations.csv", "people.csv", "zones.geojson", "assets.geojson", "links.csv"),
        *("sensors.csv", "thresholds.csv", "low_points.csv", "works.csv", "background.geojson"),
        *("network.inp", "sewers.inp"),
    }
)
"""What a city folder may hold."""


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


class _OrganisationRow(Row):
    id: Name
    name_en: str
    name_zh: str
    role: OrganisationRole
    lifelines: Annotated[list[Lifeline], BeforeValidator(lambda text: str(text).split())]


class _PersonRow(Row):
    id: Name
    organisation: Name
    name: str
    post_en: str
    post_zh: str
    phone: str


class _ZoneProperties(Row):
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


class _BackgroundProperties(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)


class _LinkRow(Row):
    source: Name
    target: Name
    kind: LinkKind
    length_m: Annotated[float, Field(ge=0)]


_Unit = Annotated[str, Field(max_length=32)]
_Address = Annotated[str, AfterValidator(check_address)]


class _SensorFields(Row):
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

    lon: Longitude
    lat: Latitude


class RecordedSensor(_SensorFields):
    """One line of a recording's sensors.csv; who recorded may not know where a sensor stands."""

    lon: Annotated[Longitude | None, BeforeValidator(_none_if_empty)] = None
    lat: Annotated[Latitude | None, BeforeValidator(_none_if_empty)] = None


class _ThresholdRow(Row):
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


class _LowPointRow(Row):
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


class _WorksRow(Row):
    id: Name
    start: AwareDatetime
    end: AwareDatetime
    lon: Longitude
    lat: Latitude
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
    faults = Faults()
    rows = list(read_rows(path, _WorksRow, faults))
    distinct(rows, "id", faults)
    faults.end()
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
        raise CityFolderError(f"{path.name}, id: {field_error(error)[1]}") from None
    except KeyError as error:
        raise CityFolderError(f"{path.name}: {error.args[0]} is missing") from None


def read_network_features(path: Path) -> tuple[list[Asset], list[Link]]:
    """The assets of a ``network.geojson``, features as in ``assets.geojson``, and the links in its member ``links``.

    Raises:
        CityFolderError: naming the file, the feature or link, the field and the reason.
    """
    faults = Faults()
    features = list(read_features(path, _AssetProperties, faults))
    faults.end()
    known = distinct([(place, properties) for place, properties, _ in features], "id", faults)
    listed = json.loads(path.read_text(encoding="utf-8-sig")).get("links", [])
    places = [f"{path.name}, link {number}" for number, _ in enumerate(listed, start=1)]
    read = [(place, checked(place, _LinkRow, link, faults)) for place, link in zip(places, listed, strict=True)]
    links = [(place, row) for place, row in read if row is not None]
    refer(links, "source", known, faults)
    refer(links, "target", known, faults)
    faults.end()
    assets = [_asset(properties, geometry) for _, properties, geometry in features]
    return assets, [Link(row.source, row.target, row.kind, row.length_m) for _, row in links]


def read_city_folder(folder: Path) -> CityFolder:
    """Read a city folder and check it against itself.

    Raises:
        CityFolderError: naming the file, the line or feature, the field and the reason.
    """
    city, name = _city(folder / "city.toml")
    faults = Faults()
    organisations = list(read_rows(folder / "organisations.csv", _OrganisationRow, faults))
    people = list(read_rows(folder / "people.csv", _PersonRow, faults))
    zones = list(read_features(folder / "zones.geojson", _ZoneProperties, faults))
    assets = list(read_features(folder / "assets.geojson", _AssetProperties, faults))
    links = list(read_rows(folder / "links.csv", _LinkRow, faults))
    sensors = list(read_rows(folder / "sensors.csv", SensorRow, faults))
    limits = folder / "thresholds.csv"
    thresholds = list(read_rows(limits, _ThresholdRow, faults)) if limits.exists() else []
    listed_low_points = folder / "low_points.csv"
    low_points = list(read_rows(listed_low_points, _LowPointRow, faults)) if listed_low_points.exists() else []
    # A row that was left out would make those that name it look wrong as well.
    faults.end()

    known_organisations = distinct(organisations, "id", faults)
    known_zones = distinct([(place, zone) for place, zone, _ in zones], "id", faults)
    placed_assets = [(place, asset) for place, asset, _ in assets]
    known_assets = distinct(placed_assets, "id", faults)
    known_people = distinct(people, "id", faults)
    distinct(low_points, "asset", faults)
    refer(low_points, "asset", known_assets, faults)
    refer(low_points, "person", {*known_people, None}, faults)
    for place, point in low_points:
        for pump in point.pumps:
            if pump not in known_assets:
                faults.note(f"{place}, pumps: there is no {pump!r}")
    refer(people, "organisation", known_organisations, faults)
    refer(placed_assets, "zone", known_zones, faults)
    refer(placed_assets, "organisation", {*known_organisations, None}, faults)
    refer(links, "source", known_assets, faults)
    refer(links, "target", known_assets, faults)
    refer(sensors, "asset", known_assets, faults)
    refer(thresholds, "sensor", distinct(sensors, "sensor", faults), faults)
    distinct([(place, row) for place, row in sensors if row.address is not None], "address", faults)
    faults.end()

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
    faults = Faults()
    features = [
        {"type": "Feature", "properties": properties.model_extra or {}, "geometry": geometry}
        for _, properties, geometry in read_features(path, _BackgroundProperties, faults)
    ]
    faults.end()
    return features
