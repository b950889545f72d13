"""Permits for works: read, refused, and where they reach."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.core.checked_rows import CityFolderError
from services.core.city_folder import read_works
from services.core.works_permit import WorksPermit, near

HEAD = "id,start,end,lon,lat,radius_m,what,contractor\n"
ROW = "WP-1,2026-03-01T08:00:00+08:00,2026-03-02T18:00:00+08:00,117.2,31.8,25,excavation,Demo Civil Works\n"


def _read(folder: Path, text: str) -> tuple[WorksPermit, ...]:
    (folder / "works.csv").write_text(text, encoding="utf-8")
    return read_works(folder / "works.csv")


def test_permits_are_read_in_utc_and_a_folder_without_them_has_none(tmp_path: Path) -> None:
    assert read_works(tmp_path / "works.csv") == ()
    [permit] = _read(tmp_path, HEAD + ROW)
    assert permit.start == datetime(2026, 3, 1, 0, tzinfo=UTC)
    assert permit.holds(permit.start.timestamp() + 60)
    assert not permit.holds(permit.end.timestamp() + 60)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (ROW + ROW, "a second time"),
        (ROW.replace("03-02", "02-02"), "end is not after start"),
        (ROW.replace("08:00:00+08:00", "08:00:00"), "start"),
        (ROW.replace(",25,", ",-3,"), "radius_m"),
    ],
)
def test_a_wrong_permit_is_refused_with_its_line(tmp_path: Path, row: str, reason: str) -> None:
    with pytest.raises(CityFolderError, match=reason) as refused:
        _read(tmp_path, HEAD + row)
    assert "works.csv, line" in str(refused.value)


def test_only_works_that_reach_a_place_are_near_it(tmp_path: Path) -> None:
    permits = _read(tmp_path, HEAD + ROW)
    assert near(permits, [(117.2001, 31.8)], 50.0) == permits
    assert near(permits, [(117.3, 31.8)], 50.0) == ()
    assert near(permits, [], 50.0) == ()
    assert permits[0].away_m(117.2, 31.8) == 0.0
