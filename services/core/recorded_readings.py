"""The readings of a recording as columns: millions of them fit into memory and are in order of time at once."""

import csv
import gzip
import io
import math
import zlib
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.core.reading import Quality
from services.core.recording import Recording, RecordingError, moment_of

_LONG = ["time", "sensor", "value"]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_QUALITIES = {str(int(quality)): int(quality) for quality in Quality}


class RecordedReading(NamedTuple):
    """One value of a recording, with a zone in its time."""

    time: datetime
    sensor: str
    value: float
    quality: Quality


@dataclass(frozen=True, slots=True, eq=False)
class RecordedReadings:
    """Readings as arrays of one length.

    ``positions`` numbers the names in ``sensors``; times are epoch microseconds; values are in the sensor's unit.
    """

    sensors: Sequence[str]
    times_us: NDArray[np.int64]
    positions: NDArray[np.int32]
    values: NDArray[np.float64]
    qualities: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.times_us)

    def __iter__(self) -> Iterator[RecordedReading]:
        columns = (self.times_us, self.positions, self.values, self.qualities)
        for time_us, position, value, quality in zip(*(column.tolist() for column in columns), strict=True):
            yield RecordedReading(datetime_of(time_us), self.sensors[position], value, Quality(quality))

    def take(self, rows: NDArray[np.intp] | slice) -> "RecordedReadings":
        """The readings of some positions."""
        return RecordedReadings(
            self.sensors, self.times_us[rows], self.positions[rows], self.values[rows], self.qualities[rows]
        )

    def in_order(self) -> "RecordedReadings":
        """The readings in order of time; those of one moment stay in the order of the files."""
        if bool(np.all(self.times_us[1:] >= self.times_us[:-1])):
            return self
        return self.take(np.argsort(self.times_us, kind="stable"))

    def before(self, moment: datetime) -> "RecordedReadings":
        """The readings measured before a moment, of readings in order of time."""
        return self.take(slice(0, int(np.searchsorted(self.times_us, epoch_us(moment)))))


def datetime_of(time_us: int) -> datetime:
    """Epoch microseconds as UTC."""
    return _EPOCH + timedelta(microseconds=time_us)


def epoch_us(moment: datetime) -> int:
    """A moment with a zone as epoch microseconds."""
    return (moment - _EPOCH) // _MICROSECOND


def read_readings(recording: Recording) -> RecordedReadings:
    """Every reading in the order of the files, which need not be the order of time.

    Raises:
        RecordingError: an unknown sensor, a bad time or value, an unreadable file.
    """
    sensors = tuple(recording.sensors)
    parts = []
    for path in recording.files:
        lines = _Lines(path, sensors)
        try:
            with _open(path) as stream:
                lines.read(csv.reader(stream))
        except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
            raise RecordingError(f"{path.name}: cannot be read: {error}") from None
        parts.append(lines.columns())
    if len(parts) == 1:
        return parts[0]
    return RecordedReadings(
        sensors,
        np.concatenate([part.times_us for part in parts]),
        np.concatenate([part.positions for part in parts]),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.qualities for part in parts]),
    )


def _open(path: Path) -> io.TextIOBase:
    if path.suffix == ".gz":
        return io.TextIOWrapper(gzip.open(path), encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


class _Lines:
    """Gathers the lines of one file into growing arrays; wide lines are all good, so only long ones fill qualities."""

    def __init__(self, path: Path, sensors: Sequence[str]) -> None:
        self._path = path
        self._sensors = sensors
        self._number = {sensor: position for position, sensor in enumerate(sensors)}
        self._times_us = array("q")
        self._counts = array("q")
        self._positions = array("i")
        self._values = array("d")
        self._qualities = array("b")

    def read(self, lines: Any) -> None:
        header = next(lines, None)
        if header is None:
            raise RecordingError(f"{self._path.name}: is empty")
        is_long = header[:3] == _LONG
        if not is_long:
            self._check_wide_header(header)
        columns = array("i", () if is_long else (self._number[sensor] for sensor in header[1:]))
        fewest, most = len(_LONG) if is_long else len(header), len(header)
        for cells in lines:
            if not cells:
                continue
            try:
                if not fewest <= len(cells) <= most:
                    raise ValueError(f"has {len(cells)} fields, not {most}")  # noqa: TRY301 - joined with its line below
                if is_long:
                    self._take_long(cells)
                else:
                    self._take_wide(columns, cells)
            except (ValueError, OverflowError) as error:
                raise RecordingError(f"{self._path.name}, line {lines.line_num}: {error}") from None

    def _check_wide_header(self, header: list[str]) -> None:
        place = f"{self._path.name}, line 1"
        if header[:1] != ["time"]:
            raise RecordingError(f"{place}: the header is neither time,sensor,value nor time,<sensor>,…")
        for sensor in header[1:]:
            if header.count(sensor) > 1:
                raise RecordingError(f"{place}: sensor {sensor!r} is there twice")
            if sensor not in self._number:
                raise RecordingError(f"{place}: sensor {sensor!r} is not in sensors.csv")

    def _take_long(self, cells: list[str]) -> None:
        time_us = epoch_us(moment_of(cells[0]))
        if cells[1] not in self._number:
            raise ValueError(f"sensor {cells[1]!r} is not in sensors.csv")
        value = _value(cells[2])
        quality = _quality(cells[3]) if len(cells) > len(_LONG) and cells[3] else int(Quality.GOOD)
        self._times_us.append(time_us)
        self._counts.append(1)
        self._positions.append(self._number[cells[1]])
        self._values.append(value)
        self._qualities.append(quality)

    def _take_wide(self, columns: "array[int]", cells: list[str]) -> None:
        time_us = epoch_us(moment_of(cells[0]))
        del cells[0]
        try:
            values = list(map(float, cells))
            is_plain = math.isfinite(sum(values))
        except ValueError:
            is_plain = False
        if not is_plain:  # a missing value, or a mistake that is to be named
            columns = array("i", (column for column, text in zip(columns, cells, strict=True) if text))
            values = [_value(text) for text in cells if text]
        self._times_us.append(time_us)
        self._counts.append(len(values))
        self._positions.extend(columns)
        self._values.fromlist(values)

    def columns(self) -> RecordedReadings:
        """What was gathered."""
        values = np.frombuffer(self._values, np.float64) if self._values else np.empty(0)
        times_us = np.frombuffer(self._times_us, np.int64) if self._times_us else np.empty(0, np.int64)
        counts = np.frombuffer(self._counts, np.int64) if self._counts else np.empty(0, np.int64)
        positions = np.frombuffer(self._positions, np.int32) if self._positions else np.empty(0, np.int32)
        if self._qualities:
            qualities = np.frombuffer(self._qualities, np.int8)
        else:
            qualities = np.full(len(values), int(Quality.GOOD), np.int8)
        return RecordedReadings(self._sensors, np.repeat(times_us, counts), positions, values, qualities)


def _value(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"value {text!r} is not finite")
    return value


def _quality(text: str) -> int:
    return _QUALITIES[text] if text in _QUALITIES else int(Quality(int(text)))
