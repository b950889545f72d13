"""Rows and features of files, each checked against a model; what is wrong is said with its file, line and field."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

RowT = TypeVar("RowT", bound=BaseModel)
_SHOWN = 50


class CityFolderError(Exception):
    """Files of the folder are missing or wrong; each line of the message names a file, its line and the reason."""

    def __init__(self, message: str, faults: Sequence[str] | None = None) -> None:
        super().__init__(message)
        self.faults = message.split("\n") if faults is None else faults
        """All that is wrong, also what the message has no room for: `place: reason`."""


class Faults:
    """What is wrong with the rows of a folder: all of it, so that nobody mends one line to be told of the next."""

    def __init__(self) -> None:
        self._found: list[str] = []

    def note(self, words: str) -> None:
        """Go on without what is wrong."""
        self._found.append(words)

    def end(self) -> None:
        """Go on only if nothing was wrong so far.

        Raises:
            CityFolderError: something was.
        """
        if not self._found:
            return
        more = len(self._found) - _SHOWN
        shown = [*self._found[:_SHOWN], *([f"and {more} more"] if more > 0 else [])]
        raise CityFolderError("\n".join(shown), self._found)


class Row(BaseModel):
    """A row that has these fields and no others."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


Longitude = Annotated[float, Field(ge=-180, le=180)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
_Position = tuple[Longitude, Latitude] | tuple[Longitude, Latitude, float]
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


class Geometry(Row):
    """A geometry of GeoJSON in WGS 84."""

    type: Literal["Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon"]
    coordinates: list[Any]

    @model_validator(mode="after")
    def _in_its_shape(self) -> Self:
        try:
            _COORDINATES[self.type].validate_python(self.coordinates)
        except ValidationError as error:
            raise ValueError(f"coordinates do not make a {self.type} in WGS 84: {field_error(error)[1]}") from None
        return self


def read_rows(path: Path, model: type[RowT], faults: Faults) -> Iterator[tuple[str, RowT]]:
    """The lines of a CSV file that fit a model, with the file and the line where each stands."""
    try:
        lines = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""))
        wrong = _header_faults(lines.fieldnames, model)
        for reason in wrong:
            faults.note(f"{path.name}, line 1, {reason}")
        for row in () if wrong else lines:
            place = f"{path.name}, line {lines.line_num}"
            if None in row:
                faults.note(f"{place}: has more fields than the header")
            elif (found := checked(place, model, row, faults)) is not None:
                yield place, found
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        faults.note(f"{path.name}: cannot be read: {error}")


def _header_faults(names: Iterable[str] | None, model: type[BaseModel]) -> list[str]:
    found = list(names or [])
    required = [name for name, field in model.model_fields.items() if field.is_required()]
    missing = [f"{name}: the column is missing" for name in required if name not in found]
    twice = [f"{name}: the column is there twice" for name in dict.fromkeys(found) if found.count(name) > 1]
    return [*missing, *twice, *(f"{name}: there is no such column" for name in found if name not in model.model_fields)]


def field_error(error: ValidationError) -> tuple[str, str]:
    """The first offending field and what is wrong with it."""
    return field_errors(error)[0]


def field_errors(error: ValidationError) -> list[tuple[str, str]]:
    """Each offending field and what is wrong with it; the field is empty where it is the whole."""
    found = error.errors(include_url=False, include_input=False)
    return [(".".join(str(part) for part in each["loc"]), each["msg"].removeprefix("Value error, ")) for each in found]


def checked(place: str, model: type[RowT], row: Any, faults: Faults) -> RowT | None:
    """The row as the model has it; ``None``, and a fault for each field, where it does not fit."""
    try:
        return model.model_validate(row)
    except ValidationError as error:
        for field, reason in field_errors(error):
            faults.note(f"{place}, {field}: {reason}" if field else f"{place}: {reason}")
        return None


def read_features(path: Path, model: type[RowT], faults: Faults) -> Iterator[tuple[str, RowT, dict[str, Any]]]:
    """The features of a GeoJSON file whose properties fit a model, each with its place in the file and its geometry."""
    try:
        features = list(json.loads(path.read_text(encoding="utf-8-sig"))["features"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        faults.note(f"{path.name}: is not a GeoJSON FeatureCollection: {error}")
        return
    for number, feature in enumerate(features, start=1):
        place = f"{path.name}, feature {number}"
        if not isinstance(feature, dict) or not feature.get("geometry") or not feature.get("properties"):
            faults.note(f"{place}: has no geometry or no properties")
            continue
        geometry = checked(place, Geometry, feature["geometry"], faults)
        properties = checked(place, model, feature["properties"], faults)
        if geometry is not None and properties is not None:
            yield place, properties, geometry.model_dump()


def distinct(rows: Iterable[tuple[str, BaseModel]], field: str, faults: Faults) -> set[Any]:
    """The values of a field that is to name each row once."""
    seen: set[Any] = set()
    for place, row in rows:
        name = getattr(row, field)
        if name in seen:
            faults.note(f"{place}, {field}: {name!r} is declared a second time")
        seen.add(name)
    return seen


def refer(rows: Iterable[tuple[str, BaseModel]], field: str, known: set[Any], faults: Faults) -> None:
    """See that a field of each row names something known."""
    for place, row in rows:
        if getattr(row, field) not in known:
            faults.note(f"{place}, {field}: {getattr(row, field)!r} is not declared")
