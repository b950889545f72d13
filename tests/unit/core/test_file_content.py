"""Files are what they hold: lies about type, size and name do not get through."""

import io
import struct
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from services.core.file_content import LARGEST_FILE_BYTES, FileRefusedError, inspect, plain_name

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def picture(kind: str = "JPEG", size: tuple[int, int] = (640, 480), **more: object) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(written, kind, **more)
    return written.getvalue()


def archive(entries: dict[str, bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in entries.items():
            packed.writestr(name, content)
    return written.getvalue()


def claiming_png(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is huge."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(("kind", "media_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")])
def test_a_picture_is_known_by_its_content_and_gets_a_small_one(kind: str, media_type: str) -> None:
    found = inspect(picture(kind))
    assert (found.media_type, found.width, found.height) == (media_type, 640, 480)
    assert found.thumbnail is not None
    with Image.open(io.BytesIO(found.thumbnail)) as small:
        assert (small.format, small.size) == ("JPEG", (320, 240))


def test_a_thumbnail_carries_nothing_of_the_photo_but_its_picture() -> None:
    exif = Image.Exif()
    exif[0x010E] = "who lives here"
    found = inspect(picture(exif=exif, comment=b"a secret"))
    assert found.thumbnail is not None
    for secret in (b"who lives here", b"a secret", b"Exif"):
        assert secret not in found.thumbnail


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"%PDF-1.7\n%", "application/pdf"),
        ("压力 0.31 MPa\n合格".encode(), "text/plain"),
        (archive({"[Content_Types].xml": b"<x/>", "word/document.xml": b"<w/>"}), WORD),
    ],
)
def test_documents_are_known_by_their_content(content: bytes, media_type: str) -> None:
    assert inspect(content).media_type == media_type


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"x" * (LARGEST_FILE_BYTES + 1), "larger"),
        (claiming_png(60_000, 60_000), "cannot be read|too many"),
        (claiming_png(8_000, 8_000), "too many"),
        (claiming_png(0, 10), "cannot be read"),
        (picture()[:500], "cannot be read"),
        (b"\xff\xd8\xff<script>alert(1)</script>", "cannot be read"),
        (b"MZ\x90\x00\x03" + b"\0" * 100, "no image"),
        (b"\x7fELF" + b"\0" * 100, "no image"),
        (b"GIF89a" + b"\0" * 100, "no image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>", "markup"),
        (b"\xef\xbb\xbf <!DOCTYPE html><script>", "markup"),
        (b"#!/bin/sh\nrm -rf /", "markup"),
        (archive({"a.txt": b"x"}), "no Word or Excel"),
        (archive({"word/document.xml": b"\0" * 60_000_000}), "far too much"),
        (archive({"word/document.xml": b"x"} | {f"n{n}": b"" for n in range(2_001)}), "entries"),
        (archive({"word/document.xml": b"x" * 5000})[:-40], "cannot be read"),
    ],
    ids=lambda value: value[:12].hex() if isinstance(value, bytes) else value,
)
def test_what_lies_breaks_or_bursts_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(FileRefusedError, match=why):
        inspect(content)


def test_an_archive_that_lies_about_its_sizes_is_counted_while_it_unpacks() -> None:
    honest = bytearray(archive({"word/document.xml": b"\0" * 60_000_000}))
    place = honest.rindex(b"PK\x01\x02") + 24
    honest[place : place + 4] = struct.pack("<I", 10)
    with pytest.raises(FileRefusedError):
        inspect(bytes(honest))


@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"PK\x03\x04", b"RIFFxxxxWEBP"]),
)
def test_bytes_of_any_kind_are_known_or_refused_and_nothing_else(content: bytes, head: bytes) -> None:
    try:
        found = inspect(head + content)
    except FileRefusedError:
        return
    assert found.media_type in {"text/plain", "application/pdf"}


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\evil.exe", "evil.exe"),
        ("photo\x00.jpg", "photo.jpg"),
        ("/", "file"),
        ("..", "file"),
        (".htaccess", "htaccess"),
        ("gnp\u202e.exe", "gnp.exe"),
        ("阀门井 3.jpg", "阀门井 3.jpg"),
    ],
)
def test_of_a_name_only_the_last_part_is_kept(name: str, plain: str) -> None:
    assert plain_name(name) == plain


@given(st.text(max_size=600))
def test_a_name_is_always_short_visible_and_without_a_path(name: str) -> None:
    kept = plain_name(name)
    assert 1 <= len(kept) <= 121
    assert not set(kept) & set("/\\\r\n\0")
    assert not kept.startswith(".")
