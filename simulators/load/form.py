"""The forms that a payload can have on the wire, and the bytes of each."""

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import msgspec
import zstandard

_FORMATS = ("json", "msgpack")
_SHAPES = ("single", "array", "columns")
_COMPRESSIONS = ("gzip", "zstd")
_NUMBERED = "numbered"
_GZIP_LEVEL = 1
"""A gateway has little time for compression, and readings hardly profit from more."""


@dataclass(frozen=True, slots=True)
class Form:
    """A form of payload: format, shape, compression, and whether the gateway numbers its batches."""

    format: str
    shape: str
    compression: str = ""
    numbered: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a form such as ``json-array`` or ``msgpack-columns-zstd-numbered``.

        Raises:
            ValueError: there is no such form.
        """
        first, _, rest = text.partition("-")
        shape, *more = rest.split("-")
        numbered = more[-1:] == [_NUMBERED]
        compression = "".join(more[: len(more) - numbered])
        if first not in _FORMATS or shape not in _SHAPES or compression not in {"", *_COMPRESSIONS}:
            known = f"{'|'.join(_FORMATS)}-{'|'.join(_SHAPES)}[-{'|'.join(_COMPRESSIONS)}][-{_NUMBERED}]"
            raise ValueError(f"{text!r} is no form of payload; write {known}")
        if numbered and shape == "single":
            raise ValueError("only a gateway's batches are numbered")
        return cls(first, shape, compression, numbered)

    def __str__(self) -> str:
        """The text that :meth:`parse` reads."""
        parts = (self.format, self.shape, self.compression, _NUMBERED if self.numbered else "")
        return "-".join(part for part in parts if part)

    @property
    def is_single(self) -> bool:
        """One reading on its sensor's own topic."""
        return self.shape == "single"

    @property
    def is_columns(self) -> bool:
        """Columns of one length instead of entries."""
        return self.shape == "columns"

    def encoder(self) -> Callable[[Any], bytes]:
        """What makes the bytes of a payload in this form."""
        encode = (msgspec.json.Encoder if self.format == "json" else msgspec.msgpack.Encoder)().encode
        if self.compression == "gzip":
            return lambda content: gzip.compress(encode(content), _GZIP_LEVEL, mtime=0)
        if self.compression == "zstd":
            compress = zstandard.ZstdCompressor().compress
            return lambda content: compress(encode(content))
        return encode
