"""A recording: read in full, or refused with the file, the line and the reason."""

import gzip
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from services.core.reading import Quality
from services.core.recorded_readings import RecordedReading, read_readings
from services.core.recording import RecordingError, read_recording
from simulators.demo_city.folder import write_city
from simulators.recording import write_recording

DESCRIPTION = 'name = "history"\nreadings = "readings/*"\n'
SENSORS = (
    "sensor,lifeline,quantity,unit,asset,lon,lat,interval_s\n"
    "S1,gas,m,kPa,A1,117.2,31.8,60\nS2,gas,m,kPa,A1,117.2,31.8,60\n"
)
LONG = "time,sensor,value\n2026-07-14T06:00:00Z,S1,1.5\n2026-07-14T05:00:00Z,S2,-2\n"
SIX = datetime(2026, 7, 14, 6, 0, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "recording.toml").write_text(DESCRIPTION, "utf-8")
    (tmp_path / "sensors.csv").write_text(SENSORS, "utf-8")
    (tmp_path / "readings").mkdir()
    return tmp_path


def read(folder: Path, content: str | bytes, name: str = "a.csv") -> list[RecordedReading]:
    raw = content.encode() if isinstance(content, str) else content
    (folder / "readings" / name).write_bytes(raw)
    return list(read_readings(read_recording(folder)))


def refused(folder: Path, content: str | bytes = LONG, name: str = "a.csv") -> str:
    with pytest.raises(RecordingError) as caught:
        read(folder, content, name)
    return str(caught.value)


def test_long_lines_are_read_in_any_order(folder: Path) -> None:
    assert read(folder, LONG) == [
        RecordedReading(SIX, "S1", 1.5, Quality.GOOD),
        RecordedReading(SIX - timedelta(hours=1), "S2", -2.0, Quality.GOOD),
    ]


def test_long_lines_may_tell_the_quality(folder: Path) -> None:
    content = "time,sensor,value,quality\n2026-07-14T06:00:00Z,S1,1,2\n2026-07-14T06:00:00Z,S2,1,\n"
    assert [reading.quality for reading in read(folder, content)] == [Quality.BAD, Quality.GOOD]


def test_an_empty_cell_of_a_wide_line_is_no_reading(folder: Path) -> None:
    content = "time,S1,S2\n2026-07-14T06:00:00Z,1,\n2026-07-14T06:01:00Z,,2\n2026-07-14T06:02:00Z,,\n"
    assert [(reading.sensor, reading.value) for reading in read(folder, content)] == [("S1", 1.0), ("S2", 2.0)]


def test_times_of_any_zone_become_utc(folder: Path) -> None:
    (reading,) = read(folder, "time,sensor,value\n2026-07-14T14:00:00+08:00,S1,1\n")
    assert reading.time == SIX.astimezone(timezone(timedelta(hours=8)))
    assert reading.time.tzinfo is UTC


def test_packed_files_and_plain_ones_are_read_in_the_order_of_their_names(folder: Path) -> None:
    read(folder, gzip.compress(LONG.encode()), "b.csv.gz")
    assert [reading.sensor for reading in read(folder, "time,S2\n2026-07-14T06:00:00Z,3\n", "a.csv")] == [
        "S2",
        "S1",
        "S2",
    ]


def test_what_a_spreadsheet_does_to_a_file_is_understood(folder: Path) -> None:
    content = b"\xef\xbb\xbf" + LONG.replace("\n", "\r\n").encode() + b"\r\n"
    assert len(read(folder, content)) == 2


def test_a_recording_of_the_simulators_is_read_whole(tmp_path: Path) -> None:
    write_city(tmp_path / "city", seed=1)
    start, length = SIX, timedelta(minutes=10)
    count = write_recording(tmp_path / "out", tmp_path / "city", "normal-day", start, length, lifelines=("gas",))
    recording = read_recording(tmp_path / "out")
    found = list(read_readings(recording))
    assert len(found) == count > 100
    assert {reading.sensor for reading in found} <= set(recording.sensors)
    assert recording.settings["timezone"] == "Asia/Shanghai"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "a.csv: is empty"),
        ("when,sensor,value\n", "a.csv, line 1: the header is neither"),
        ("time,S1,S9\n", "a.csv, line 1: sensor 'S9' is not in sensors.csv"),
        ("time,S1,S1\n", "a.csv, line 1: sensor 'S1' is there twice"),
        (LONG + "2026-07-14T06:00:00Z,S9,1\n", "a.csv, line 4: sensor 'S9' is not in sensors.csv"),
        (LONG + "\n2026-07-14T06:00:00Z,S9,1\n", "a.csv, line 5: sensor 'S9' is not in sensors.csv"),
        (LONG + "2026-07-14T06:00:00,S1,1\n", "a.csv, line 4: time '2026-07-14T06:00:00' has no zone"),
        (LONG + "noon,S1,1\n", "a.csv, line 4: Invalid isoformat string: 'noon'"),
        (LONG + "0001-01-01T00:00:00+14:00,S1,1\n", "a.csv, line 4: date value out of range"),
        (LONG + "2026-07-14T06:00:00Z,S1,warm\n", "a.csv, line 4: could not convert string to float: 'warm'"),
        (LONG + "2026-07-14T06:00:00Z,S1,nan\n", "a.csv, line 4: value 'nan' is not finite"),
        (LONG + "2026-07-14T06:00:00Z,S1,\n", "a.csv, line 4: could not convert string to float: ''"),
        (LONG + "2026-07-14T06:00:00Z,S1\n", "a.csv, line 4: has 2 fields, not 3"),
        (LONG + "2026-07-14T06:00:00Z,S1,1,0\n", "a.csv, line 4: has 4 fields, not 3"),
        ("time,sensor,value,quality\n2026-07-14T06:00:00Z,S1,1,7\n", "a.csv, line 2: 7 is not a valid Quality"),
        ("time,S1,S2\n2026-07-14T06:00:00Z,1\n", "a.csv, line 2: has 2 fields, not 3"),
        ("time,S1,S2\n2026-07-14T06:00:00Z,1,2,3\n", "a.csv, line 2: has 4 fields, not 3"),
        ("time,S1,S2\n2026-07-14T06:00:00Z,1,inf\n", "a.csv, line 2: value 'inf' is not finite"),
        (b"time,sensor,value\n\xff\n", "a.csv: cannot be read: "),
    ],
)
def test_a_mistake_is_named_with_its_file_line_and_reason(folder: Path, content: str | bytes, message: str) -> None:
    assert refused(folder, content).startswith(message)


@pytest.mark.parametrize("damage", ["cut", "changed", "not packed"])
def test_a_damaged_packed_file_is_named(folder: Path, damage: str) -> None:
    packed = gzip.compress((LONG + LONG.partition("\n")[2] * 500).encode())
    content = {"cut": packed[:-20], "changed": packed[:40] + b"\xff" * 30 + packed[70:], "not packed": LONG.encode()}
    assert refused(folder, content[damage], "a.csv.gz").startswith("a.csv.gz: cannot be read: ")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("recording.toml", None, "recording.toml: cannot be read"),
        ("recording.toml", b"name = history", "recording.toml: cannot be read"),
        ("recording.toml", b"\xff\xfe", "recording.toml: cannot be read"),
        ("recording.toml", b'readings = "readings/*"', "recording.toml: name is missing"),
        ("recording.toml", b'name = "x"', "recording.toml: readings is missing"),
        ("recording.toml", b'name = "x"\nreadings = "*.gz"', "recording.toml: no file matches readings = '*.gz'"),
        ("recording.toml", b'name = "x"\nreadings = ""', "recording.toml: no file matches readings = ''"),
        ("recording.toml", b'name = "x"\nreadings = "/*"', "recording.toml: no file matches readings = '/*'"),
        ("sensors.csv", None, "sensors.csv: cannot be read"),
        ("sensors.csv", b"", "sensors.csv, line 1, sensor: the column is missing"),
        ("sensors.csv", SENSORS.replace("S2", "S1").encode(), "sensors.csv, line 3, sensor: 'S1' is declared a second"),
        ("sensors.csv", SENSORS.replace("31.8", "131.8").encode(), "sensors.csv, line 2, lat: Input should be less"),
    ],
)
def test_a_broken_description_is_named(folder: Path, name: str, content: bytes | None, message: str) -> None:
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    assert refused(folder).startswith(message)
