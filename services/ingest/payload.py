"""The bytes of a payload: compressed or not, JSON or MessagePack. Pure; memory is bounded whatever comes."""

import zlib
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import zstandard
from pydantic_core import from_json

from services.core import wire
from services.core.rejection import RejectionReason

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_COMPRESSIONS = {"gzip", "zstd"}
_FORMATS = {"": "", "json": "json", "msgpack": "msgpack", "x-msgpack": "msgpack", "vnd.msgpack": "msgpack"}
_FIRST_MSGPACK_CONTAINER = 0x80
"""JSON text begins with ASCII; MessagePack maps and arrays begin with a byte from here on."""


class PayloadError(ValueError):
    """The bytes cannot be read; ``reason`` and the message say why."""

    def __init__(self, reason: RejectionReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True)
class Codec:
    """One format of payloads: a decoder for each kind, and how its arrays begin."""

    name: str
    reading: Any
    readings: Any
    gateway_reading: Any
    gateway_readings: Any
    columns: Any
    gateway_columns: Any
    shape: Any
    numbered_shape: Any
    window: Any
    array_starts: frozenset[int]

    def anything(self, content: bytes) -> Any:
        """The content as plain Python values, numbers that JSON does not know among them.

        Raises:
            PayloadError: it cannot be read.
        """
        try:
            return from_json(content) if self.name == "json" else msgspec.msgpack.decode(content)
        except (ValueError, RecursionError) as error:
            raise PayloadError(RejectionReason.BAD_JSON, f"payload: {error}") from None

    def is_array(self, content: bytes) -> bool:
        """Whether the content is an array, by its first byte."""
        return content[:1] != b"" and content[0] in self.array_starts


def _codec(name: str, decoder: Any, array_starts: frozenset[int]) -> Codec:
    return Codec(
        name,
        decoder(wire.WireReading),
        decoder(list[wire.WireReading]),
        decoder(wire.WireGatewayReading),
        decoder(list[wire.WireGatewayReading]),
        decoder(wire.WireColumns),
        decoder(wire.WireGatewayColumns),
        decoder(wire.Shape),
        decoder(wire.NumberedShape),
        decoder(wire.WireWindow),
        array_starts,
    )


JSON: Final = _codec("json", msgspec.json.Decoder, frozenset(b"["))
MSGPACK: Final = _codec("msgpack", msgspec.msgpack.Decoder, frozenset({*range(0x90, 0xA0), 0xDC, 0xDD}))


def unpack(payload: bytes, content_type: str) -> tuple[bytes, Codec]:
    """The content and its format: by content type where there is one, else by the first bytes.

    A content type is ``application/json`` or ``application/msgpack``, with ``+gzip`` or ``+zstd`` behind it or those
    alone. Compression is recognised by its first bytes in any case, since devices of MQTT 3.1.1 cannot name it.

    Raises:
        PayloadError: the content type is unknown, the compressed bytes are broken, or hold too much.
    """
    wanted = _named_format(content_type) if content_type else ""
    if payload.startswith(_GZIP):
        payload = _gunzip(payload)
    elif payload.startswith(_ZSTD):
        payload = _unzstd(payload)
    if wanted:
        codec = MSGPACK if wanted == "msgpack" else JSON
    else:
        codec = MSGPACK if payload[:1] and payload[0] >= _FIRST_MSGPACK_CONTAINER else JSON
    return payload if codec is MSGPACK else payload.lstrip(), codec


def _named_format(content_type: str) -> str:
    words = content_type.partition(";")[0].strip().lower().removeprefix("application/").split("+")
    formats = [word for word in words if word not in _COMPRESSIONS]
    if len(formats) > 1 or any(word not in _FORMATS for word in formats):
        raise PayloadError(RejectionReason.BAD_ENCODING, f"content type: {content_type[:64]!r} is not known")
    return _FORMATS[formats[0]] if formats else ""


def _gunzip(payload: bytes) -> bytes:
    # 31 = the largest window, with the gzip header.
    decompressor = zlib.decompressobj(wbits=31)
    try:
        content = decompressor.decompress(payload, wire.MAX_UNPACKED_BYTES)
    except zlib.error as error:
        raise PayloadError(RejectionReason.BAD_ENCODING, f"payload: broken gzip: {error}") from None
    if decompressor.unconsumed_tail:
        raise _too_much()
    if not decompressor.eof:
        raise PayloadError(RejectionReason.BAD_ENCODING, "payload: broken gzip: it ends too early")
    return content


def _unzstd(payload: bytes) -> bytes:
    decompressor = zstandard.ZstdDecompressor(max_window_size=8 * 1024 * 1024)
    try:
        with decompressor.stream_reader(payload) as reader:
            content = reader.read(wire.MAX_UNPACKED_BYTES + 1)
    except zstandard.ZstdError as error:
        raise PayloadError(RejectionReason.BAD_ENCODING, f"payload: broken zstd: {error}") from None
    if len(content) > wire.MAX_UNPACKED_BYTES:
        raise _too_much()
    return content


def _too_much() -> PayloadError:
    return PayloadError(
        RejectionReason.OVERSIZED, f"payload: holds more than {wire.MAX_UNPACKED_BYTES} bytes when unpacked"
    )
