"""A recording: history in a folder, for replaying, backtesting and importing. Described in docs/recording.md."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from services.core.checked_rows import CityFolderError, Faults, distinct, read_rows
from services.core.city_folder import RecordedSensor

_DESCRIPTION = "recording.toml"
_PERIOD = 2
"""A period has a begin and an end."""


class RecordingError(Exception):
    """The recording is broken; the message names the file, the line and the reason."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording's description and its sensors; the readings are read from its files when they are wanted.

    ``scored`` is the time over which detectors are judged: what comes before may be learnt from. ``learn_rows`` says
    instead how many distinct times from the begin are normal. ``network`` is the file of the network model.
    ``origin`` is where the centre of a network lies whose map is in metres, longitude first.
    """

    name: str
    folder: Path
    sensors: dict[str, RecordedSensor]
    files: tuple[Path, ...]
    settings: dict[str, Any]
    network: Path | None = None
    scored: tuple[datetime, datetime] | None = None
    learn_rows: int | None = None
    origin: tuple[float, float] | None = None


def read_recording(folder: Path) -> Recording:
    """Read the description and the sensors, and find the files of readings and of the network.

    Raises:
        RecordingError: something is missing or wrong.
    """
    settings = _settings(folder / _DESCRIPTION)
    pattern = str(settings["readings"])
    try:
        faults = Faults()
        rows = list(read_rows(folder / "sensors.csv", RecordedSensor, faults))
        distinct(rows, "sensor", faults)
        faults.end()
    except CityFolderError as error:
        raise RecordingError(str(error)) from None
    try:
        files = tuple(sorted(folder.glob(pattern)))
    except (ValueError, NotImplementedError):
        files = ()
    if not files:
        raise RecordingError(f"{_DESCRIPTION}: no file matches readings = {pattern!r}")
    try:
        return Recording(
            name=str(settings["name"]),
            folder=folder,
            sensors={row.sensor: row for _, row in rows},
            files=files,
            settings=settings,
            network=_network(folder, settings),
            scored=_scored(settings),
            learn_rows=_learn_rows(settings),
            origin=_origin(settings),
        )
    except (ValueError, TypeError, OverflowError) as error:
        raise RecordingError(f"{_DESCRIPTION}: {error}") from None


def moment_of(text: str) -> datetime:
    """A time of a recording in UTC.

    Raises:
        ValueError: it is no time, or has no zone.
        OverflowError: it lies outside the years that there are.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"time {text!r} has no zone")
    return moment.astimezone(UTC)


def _settings(path: Path) -> dict[str, Any]:
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RecordingError(f"{path.name}: cannot be read: {error}") from None
    for name in ("readings", "name"):
        if name not in settings:
            raise RecordingError(f"{path.name}: {name} is missing")
    return settings


def _network(folder: Path, settings: Mapping[str, Any]) -> Path | None:
    if "network" not in settings:
        return None
    path = folder / str(settings["network"])
    if not path.is_file():
        raise ValueError(f"network = {settings['network']!r} is not there")
    return path


def _scored(settings: Mapping[str, Any]) -> tuple[datetime, datetime] | None:
    if "scored" not in settings:
        return None
    period = settings["scored"]
    if not isinstance(period, list) or len(period) != _PERIOD:
        raise ValueError("scored is not [begin, end]")
    begin, end = (each if isinstance(each, datetime) else moment_of(str(each)) for each in period)
    if begin.tzinfo is None or end.tzinfo is None:
        raise ValueError("scored has no zone")
    if begin >= end:
        raise ValueError("scored ends before it begins")
    return begin.astimezone(UTC), end.astimezone(UTC)


def _learn_rows(settings: Mapping[str, Any]) -> int | None:
    rows = settings.get("learn_rows")
    if rows is None or (isinstance(rows, int) and rows > 0):
        return rows
    raise ValueError(f"learn_rows = {rows!r} is not a number of rows")


def _origin(settings: Mapping[str, Any]) -> tuple[float, float] | None:
    if "origin" not in settings:
        return None
    longitude, latitude = settings["origin"]
    if not (-180 <= longitude <= 180 and -85 <= latitude <= 85):  # noqa: PLR2004 - degrees; the map ends at 85
        raise ValueError(f"origin = {settings['origin']} is not [longitude, latitude]")
    return float(longitude), float(latitude)
