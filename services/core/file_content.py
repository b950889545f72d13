"""What a file is, told from its content alone, and whether it may be kept. Pure; images are decoded by Pillow.

A name says nothing: it is a text that the sender chose. What is not known here is refused.
"""

import io
import re
import zipfile
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

LARGEST_FILE_BYTES = 10 * 1024 * 1024
_LARGEST_IMAGE_PIXELS = 50_000_000
"""A telephone's photo has 12 to 50 million pixels; decoded, each takes three bytes of memory."""
_THUMBNAIL_PIXELS = (320, 320)
_MOST_ENTRIES = 2_000
_LARGEST_UNPACKED_BYTES = 100 * 1024 * 1024
_LARGEST_RATIO = 200.0
"""Deflate reaches about 1000; office documents stay far below 100."""
_PIECE_BYTES = 1 << 16
_LONGEST_NAME = 120
_READ_FORMATS = ("JPEG", "PNG", "WEBP")
# A camera's JPEG that holds a preview beside the picture is called MPO.
_IMAGES = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_OFFICE = {
    "word/document.xml": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xl/workbook.xml": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_NO_TEXT = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_MARKUP = re.compile(r"\s*(<[!?a-z/]|%!|#!)", re.IGNORECASE)


class FileRefusedError(ValueError):
    """A file is not kept; the message says why."""


@dataclass(frozen=True, slots=True)
class FileContent:
    """What a file turned out to be; ``thumbnail`` is a JPEG without anything of the original but its picture."""

    media_type: str
    width: int | None = None
    height: int | None = None
    thumbnail: bytes | None = None


def inspect(content: bytes) -> FileContent:
    """What a file is.

    Raises:
        FileRefusedError: it is empty, too large, of no kind that is known, broken, or would unpack to far too much.
    """
    if not content:
        raise FileRefusedError("the file is empty")
    if len(content) > LARGEST_FILE_BYTES:
        raise FileRefusedError(f"the file is larger than {LARGEST_FILE_BYTES} bytes")
    if content.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")) or (content[:4], content[8:12]) == (
        b"RIFF",
        b"WEBP",
    ):
        return _image(content)
    if content.startswith(b"%PDF-"):
        return FileContent("application/pdf")
    if content.startswith(b"PK\x03\x04"):
        return FileContent(_office(content))
    return FileContent(_text(content))


def plain_name(name: str) -> str:
    """A file's name without any path, control or direction characters; never empty, never hidden."""
    last = re.split(r"[/\\]", _CONTROL.sub("", name))[-1].strip().lstrip(".")
    stem, dot, ending = last.rpartition(".")
    if dot and len(ending) <= len(".docx"):
        return f"{stem[: _LONGEST_NAME - len(ending) - 1] or 'file'}.{ending}"
    return last[:_LONGEST_NAME] or "file"


def _image(content: bytes) -> FileContent:
    try:
        with Image.open(io.BytesIO(content), formats=_READ_FORMATS) as image:
            return _picture(image)
    except FileRefusedError:
        raise
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError, Warning) as error:
        raise FileRefusedError(f"the image cannot be read: {str(error)[:200]}") from None


def _picture(image: Image.Image) -> FileContent:
    """The size is in the head of the file; nothing is decoded before it has been looked at."""
    width, height = image.size
    if width * height > _LARGEST_IMAGE_PIXELS:
        raise FileRefusedError(f"the image has {width} times {height} pixels: that is too many")
    media_type = _IMAGES[str(image.format)]
    image.draft("RGB", _THUMBNAIL_PIXELS)
    small = ImageOps.exif_transpose(image).convert("RGB")
    small.thumbnail(_THUMBNAIL_PIXELS)
    # Only the pixels go over: what else the file says, a comment or a place, would be written along.
    bare = Image.new("RGB", small.size)
    bare.paste(small)
    written = io.BytesIO()
    bare.save(written, "JPEG", quality=80)
    return FileContent(media_type, width, height, written.getvalue())


def _office(content: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _document(archive, len(content))
    except FileRefusedError:
        raise
    except Exception as error:  # noqa: BLE001 - zipfile passes on its decompressors' own kinds of error, which are many
        raise FileRefusedError(f"the archive cannot be read: {str(error)[:200]}") from None


def _document(archive: zipfile.ZipFile, size_bytes: int) -> str:
    """The kind of an office document; sizes are counted while unpacking, for what an archive says of itself may lie."""
    entries = archive.infolist()
    if len(entries) > _MOST_ENTRIES:
        raise FileRefusedError(f"the archive has more than {_MOST_ENTRIES} entries")
    names = {entry.filename for entry in entries}
    kind = next((kind for part, kind in _OFFICE.items() if part in names), None)
    if kind is None:
        raise FileRefusedError("an archive that is no Word or Excel document is not kept")
    most = min(_LARGEST_UNPACKED_BYTES, _LARGEST_RATIO * size_bytes + _PIECE_BYTES)
    unpacked = 0
    for entry in entries:
        with archive.open(entry) as part:
            while piece := part.read(_PIECE_BYTES):
                unpacked += len(piece)
                if unpacked > most:
                    raise FileRefusedError("the archive would unpack to far too much")
    return kind


def _text(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileRefusedError("the file is no image, PDF, Word, Excel or UTF-8 text file") from None
    if _NO_TEXT.search(content):
        raise FileRefusedError("the file is no image, PDF, Word, Excel or UTF-8 text file")
    if _MARKUP.match(text):
        raise FileRefusedError("markup and programs are not kept")
    return "text/plain"
