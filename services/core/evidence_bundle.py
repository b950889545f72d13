"""The file that holds everything behind an alert: named parts in a zip, and a manifest with the digest of each. Pure.

The same parts give the same bytes: members are in order of their names, dated 1980-01-01, and compressed alike.
"""

import csv
import io
import json
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NamedTuple

FORMAT = "lifeline-evidence/1"
MANIFEST = "manifest.json"
READINGS = "readings.csv"
_READING_COLUMNS = ("sensor", "time_us", "value", "quality", "reason", "received_us", "superseded_us")
_LARGEST_PART = 1 << 30
"""Bytes: a file from elsewhere must not fill the memory by what it says it holds."""
_FIRST_MOMENT = (1980, 1, 1, 0, 0, 0)


class EvidenceError(Exception):
    """The file is no bundle, or a part of it is not what the manifest says; the message names the part."""


class EvidenceReading(NamedTuple):
    """A value as it came in; times are epoch microseconds, ``superseded_us`` says when another value replaced it."""

    sensor: str
    time_us: int
    value: float
    quality: int
    reason: int
    received_us: int
    superseded_us: int | None


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a bundle holds: ``facts`` are about the whole, ``parts`` are JSON by name, and the readings."""

    facts: Mapping[str, Any]
    parts: Mapping[str, Any]
    readings: tuple[EvidenceReading, ...]


def canonical(value: Any) -> bytes:
    """JSON with one spelling: keys in order, UTF-8, no infinite numbers."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, indent=1).encode() + b"\n"


def digest_of(value: Any) -> str:
    """The SHA-256 digest of a value's canonical JSON."""
    return sha256(canonical(value)).hexdigest()


def pack(bundle: Bundle) -> bytes:
    """The bytes of the file."""
    members = {f"{name}.json": canonical(part) for name, part in bundle.parts.items()}
    members[READINGS] = _readings_text(bundle.readings)
    digests = {name: sha256(content).hexdigest() for name, content in members.items()}
    members[MANIFEST] = canonical({"format": FORMAT, **bundle.facts, "files": digests})
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as file:
        for name, content in sorted(members.items()):
            member = zipfile.ZipInfo(name, _FIRST_MOMENT)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o644 << 16
            member.create_system = 3
            file.writestr(member, content)
    return packed.getvalue()


def unpack(content: bytes) -> Bundle:
    """What a file holds, after each part was compared with the manifest.

    Raises:
        EvidenceError: the file is damaged, of another format, or a part was changed, added or taken out.
    """
    members = _members(content)
    if MANIFEST not in members:
        raise EvidenceError(f"{MANIFEST} is missing")
    try:
        manifest = json.loads(members.pop(MANIFEST))
        digests = dict(manifest.pop("files"))
        spoken = manifest.pop("format")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise EvidenceError(f"{MANIFEST} is not a manifest") from None
    if spoken != FORMAT:
        raise EvidenceError(f"{MANIFEST}: {spoken!r} is a format that this version does not read")
    for name in sorted(digests.keys() | members.keys()):
        if name not in members:
            raise EvidenceError(f"{name} is missing")
        if name not in digests:
            raise EvidenceError(f"{name} was added: the manifest does not name it")
        if sha256(members[name]).hexdigest() != digests[name]:
            raise EvidenceError(f"{name} was changed: its digest is not that of the manifest")
    try:
        readings = tuple(_readings(members.pop(READINGS).decode()))
        parts = {name.removesuffix(".json"): json.loads(text) for name, text in members.items()}
    except (KeyError, ValueError, TypeError) as error:
        raise EvidenceError(f"a part cannot be read: {error}") from None
    return Bundle(manifest, parts, readings)


def _members(content: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            members: dict[str, bytes] = {}
            for member in file.infolist():
                if member.filename in members:
                    raise EvidenceError(f"{member.filename} is there twice")
                if member.file_size > _LARGEST_PART:
                    raise EvidenceError(f"{member.filename} is larger than {_LARGEST_PART} bytes")
                members[member.filename] = file.read(member)
    except (zipfile.BadZipFile, EOFError, OSError, RuntimeError, ValueError, zlib.error) as error:
        # A member that says it is encrypted, or packed in a way that nobody knows, is a plain RuntimeError.
        raise EvidenceError(f"the file is damaged: {error}") from None
    return members


def _readings_text(readings: Iterable[EvidenceReading]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_READING_COLUMNS)
    for each in readings:
        superseded = "" if each.superseded_us is None else each.superseded_us
        # ``repr`` of a float is the shortest text that reads back as the same float.
        writer.writerow((*each[:2], repr(each.value), *each[3:6], superseded))
    return text.getvalue().encode()


def _readings(text: str) -> Iterable[EvidenceReading]:
    rows = csv.reader(io.StringIO(text))
    if tuple(next(rows)) != _READING_COLUMNS:
        raise ValueError(f"{READINGS} has other columns")
    for sensor, time_us, value, quality, reason, received_us, superseded_us in rows:
        yield EvidenceReading(
            sensor,
            int(time_us),
            float(value),
            int(quality),
            int(reason),
            int(received_us),
            int(superseded_us) if superseded_us else None,
        )
