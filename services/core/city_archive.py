"""A city folder that comes as a zip, from somebody who may be careless or worse.

Only the files that a city folder may hold are unpacked, under their own names, so that no entry decides where it is
written; sizes are counted while unpacking, for what an archive says of itself may lie.
"""

import io
import stat
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from services.core.city_folder import FILES, CityFolder, read_city_folder
from services.core.file_content import LARGEST_FILE_BYTES

LARGEST_ARCHIVE_BYTES = LARGEST_FILE_BYTES
_LARGEST_UNPACKED_BYTES = 100 << 20
_MOST_ENTRIES = 200
_PIECE_BYTES = 1 << 16
_ENCRYPTED = 0x1
_PACKED_PLAINLY = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class CityArchiveError(Exception):
    """The archive is not taken; the message says why."""


@dataclass(frozen=True, slots=True)
class CityArchive:
    """What an archive holds: the city, and the names of files that no city folder knows and nobody has read."""

    city: CityFolder
    ignored: Sequence[str]


def read_city_archive(content: bytes) -> CityArchive:
    """Read a city folder out of a zip; its files may all stand in one folder. What is unpacked is gone afterwards.

    Raises:
        CityArchiveError: it is no zip, or one that is not safe to unpack.
        CityFolderError: the folder in it is wrong.
    """
    with tempfile.TemporaryDirectory(prefix="lifeline-city-") as folder:
        ignored = _unpack(content, Path(folder))
        try:
            return CityArchive(read_city_folder(Path(folder)), ignored)
        except RecursionError:
            raise CityArchiveError("a file of the archive is nested too deeply") from None


def _unpack(content: bytes, folder: Path) -> list[str]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            known, ignored = _sorted_out(archive.infolist())
            _write(archive, known, folder)
    except CityArchiveError:
        raise
    except Exception as error:  # noqa: BLE001 - zipfile passes on its decompressors' own kinds of error, which are many
        raise CityArchiveError(f"the zip cannot be read: {str(error)[:200]}") from None
    return ignored


def _sorted_out(entries: Sequence[zipfile.ZipInfo]) -> tuple[dict[str, zipfile.ZipInfo], list[str]]:
    """The entries that a city folder knows, by the names of their files, and the names of all others."""
    if len(entries) > _MOST_ENTRIES:
        raise CityArchiveError(f"the zip has more than {_MOST_ENTRIES} entries")
    for entry in entries:
        _check(entry)
    files = [entry for entry in entries if not entry.is_dir() and not _is_left_by_a_desktop(entry)]
    tops = {PurePosixPath(entry.filename).parts[0] for entry in files if "/" in entry.filename}
    is_in_a_folder = len(tops) == 1 and all("/" in entry.filename for entry in files)
    known: dict[str, zipfile.ZipInfo] = {}
    ignored = []
    for entry in files:
        name = entry.filename.partition("/")[2] if is_in_a_folder else entry.filename
        if name not in FILES:
            ignored.append(entry.filename)
        elif name in known:
            raise CityArchiveError(f"{name} is in the zip twice")
        else:
            known[name] = entry
    if not known:
        raise CityArchiveError("the zip holds no file of a city folder, at its top or in one folder")
    return known, ignored


def _check(entry: zipfile.ZipInfo) -> None:
    name = entry.filename
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or not path.parts:
        raise CityArchiveError(f"{name[:200]!r} leads out of the zip")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise CityArchiveError(f"{name[:200]!r} is a link, not a file")
    if entry.flag_bits & _ENCRYPTED:
        raise CityArchiveError(f"{name[:200]!r} is encrypted")
    if entry.compress_type not in _PACKED_PLAINLY:
        raise CityArchiveError(f"{name[:200]!r} is packed in a way that is not taken: use plain zip (deflate)")


def _is_left_by_a_desktop(entry: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(entry.filename)
    return path.parts[0] == "__MACOSX" or path.name in {".DS_Store", "Thumbs.db", "desktop.ini"}


def _write(archive: zipfile.ZipFile, known: dict[str, zipfile.ZipInfo], folder: Path) -> None:
    unpacked_bytes = 0
    for name, entry in known.items():
        with archive.open(entry) as packed, (folder / name).open("wb") as file:
            while piece := packed.read(_PIECE_BYTES):
                unpacked_bytes += len(piece)
                if unpacked_bytes > _LARGEST_UNPACKED_BYTES:
                    raise CityArchiveError(f"the zip unpacks to more than {_LARGEST_UNPACKED_BYTES >> 20} MiB")
                file.write(piece)
