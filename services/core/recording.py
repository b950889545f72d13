"""A recording: history in a folder, for replaying, backtesting and importing. Described in docs/recording.md."""

import csv
import gzip
import io
import math
import tomllib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from services.core.city_folder import CityFolderError, SensorRow, distinct, read_rows
from services.core.reading import Quality

_LONG = ["time", "sensor", "value"]


class RecordingError(Exception):
    """The recording is broken; the message names the file, the line and the reason."""


class RecordedReading(NamedTuple):
    """One value of a recording, with a zone in its time."""

    time: datetime
    sensor: str
    value: float
    quality: Quality


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording's description and its sensors; the readings are read from its files when they are wanted."""

    name: str
    folder: Path
    sensors: dict[str, SensorRow]
    files: tuple[Path, ...]
    settings: dict[str, Any]


def read_recording(folder: Path) -> Recording:
    """Read the description and the sensors, and find the files of readings.

    Raises:
        RecordingError: something is missing or wrong.
    """
    description = folder / "recording.toml"
    try:
        settings = tomllib.loads(description.read_text(encoding="utf-8"))
        pattern = str(settings["readings"])
        name = str(settings["name"])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RecordingError(f"{description.name}: cannot be read: {error}") from None
    except KeyError as error:
        raise RecordingError(f"{description.name}: {error.args[0]} is missing") from None
    try:
        rows = list(read_rows(folder / "sensors.csv", SensorRow))
        distinct(rows, "sensor")
    except CityFolderError as error:
        raise RecordingError(str(error)) from None
    sensors = {row.sensor: row for _, row in rows}
    try:
        files = tuple(sorted(folder.glob(pattern)))
    except (ValueError, NotImplementedError):
        files = ()
    if not files:
        raise RecordingError(f"{description.name}: no file matches readings = {pattern!r}")
    return Recording(name, folder, sensors, files, settings)


def readings_of(recording: Recording) -> Iterator[RecordedReading]:
    """Every reading in the order of the files, which need not be the order of time.

    Raises:
        RecordingError: an unknown sensor, a bad time or value, an unreadable file.
    """
    for path in recording.files:
        try:
            with _open(path) as stream:
                yield from _file_readings(recording, path, csv.reader(stream))
        except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
            raise RecordingError(f"{path.name}: cannot be read: {error}") from None


def _open(path: Path) -> io.TextIOBase:
    if path.suffix == ".gz":
        return io.TextIOWrapper(gzip.open(path), encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _file_readings(recording: Recording, path: Path, lines: Any) -> Iterator[RecordedReading]:
    header = next(lines, None)
    if header is None:
        raise RecordingError(f"{path.name}: is empty")
    is_long = header[:3] == _LONG
    if not is_long:
        _check_wide_header(recording, path, header)
    fewest = len(_LONG) if is_long else len(header)
    for cells in lines:
        if not cells:
            continue
        try:
            _check_length(cells, fewest, len(header))
            moment = _time(cells[0])
            if is_long:
                yield _long_reading(recording, moment, cells)
            else:
                yield from _wide_readings(moment, header, cells)
        except (ValueError, OverflowError) as error:
            raise RecordingError(f"{path.name}, line {lines.line_num}: {error}") from None


def _check_wide_header(recording: Recording, path: Path, header: list[str]) -> None:
    if header[:1] != ["time"]:
        raise RecordingError(f"{path.name}, line 1: the header is neither time,sensor,value nor time,<sensor>,…")
    for sensor in header[1:]:
        if header.count(sensor) > 1:
            raise RecordingError(f"{path.name}, line 1: sensor {sensor!r} is there twice")
        if sensor not in recording.sensors:
            raise RecordingError(f"{path.name}, line 1: sensor {sensor!r} is not in sensors.csv")


def _check_length(cells: list[str], fewest: int, most: int) -> None:
    if not fewest <= len(cells) <= most:
        raise ValueError(f"has {len(cells)} fields, not {most}")


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"time {text!r} has no zone")
    return moment.astimezone(UTC)


def _value(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"value {text!r} is not finite")
    return value


def _long_reading(recording: Recording, moment: datetime, cells: list[str]) -> RecordedReading:
    if cells[1] not in recording.sensors:
        raise ValueError(f"sensor {cells[1]!r} is not in sensors.csv")
    quality = Quality(int(cells[3])) if len(cells) > len(_LONG) and cells[3] else Quality.GOOD
    return RecordedReading(moment, cells[1], _value(cells[2]), quality)


def _wide_readings(moment: datetime, header: list[str], cells: list[str]) -> Iterator[RecordedReading]:
    for sensor, text in zip(header[1:], cells[1:], strict=True):
        if text:
            yield RecordedReading(moment, sensor, _value(text), Quality.GOOD)
