"""What a gateway keeps until it is told that it is stored: in memory, or in a file that outlives the process."""

import os
import struct
import uuid
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

_HEADER = b"lifeline-journal-1 "
_RECORD = struct.Struct(">cQII")
"""Kind, number, length and CRC-32 of what follows."""
_BATCH, _STORED = b"B", b"S"
_REWRITE_BEYOND_BYTES = 16 * 1024 * 1024


class Journal(Protocol):
    """Numbered payloads, in ``kept`` in the order of their numbers, which begin with 1 and have no holes.

    ``buffer`` names the counter: whoever loses the counter has to take another name.
    """

    buffer: str
    next_number: int
    kept: dict[int, bytes]

    def keep(self, number: int, payload: bytes) -> None:
        """Keep the payload of the next number; it is safe when this returns."""

    def forget(self, numbers: Iterable[int]) -> None:
        """These are stored elsewhere now."""


class MemoryJournal:
    """A journal that ends with its process; the buffer has a name of its own each time."""

    def __init__(self) -> None:
        self.buffer = uuid.uuid4().hex
        self.next_number = 1
        self.kept: dict[int, bytes] = {}

    def keep(self, number: int, payload: bytes) -> None:
        """Keep the payload of the next number."""
        self.kept[number] = payload
        self.next_number = number + 1

    def forget(self, numbers: Iterable[int]) -> None:
        """These are stored elsewhere now."""
        for number in numbers:
            self.kept.pop(number, None)


class FileJournal(MemoryJournal):
    """A journal in a file, which outlives the process, whatever ends it; with ``sync`` also a power cut.

    Records are appended. A record that was cut off is ignored: what it held was never sent. The file is written anew
    when more than 16 MiB have been appended, and replaced in one step.
    """

    def __init__(self, path: Path, *, sync: bool = False) -> None:
        """Open the journal, or begin one.

        Raises:
            ValueError: the file is something else.
        """
        super().__init__()
        self._path = path
        self._sync = sync
        self._descriptor = -1
        self._size = 0
        if path.exists() and path.stat().st_size:
            self._read(path.read_bytes())
        self._rewrite()

    def keep(self, number: int, payload: bytes) -> None:
        """Keep the payload of the next number; it is in the file when this returns."""
        self._append(_BATCH, number, payload)
        super().keep(number, payload)

    def forget(self, numbers: Iterable[int]) -> None:
        """These are stored elsewhere now; the file says so up to the first number that is not."""
        before = self._stored
        super().forget(numbers)
        if self._stored > before:
            self._append(_STORED, self._stored, b"")
        if self._size > _REWRITE_BEYOND_BYTES:
            self._rewrite()

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)

    @property
    def _stored(self) -> int:
        return next(iter(self.kept), self.next_number) - 1

    def _append(self, kind: bytes, number: int, payload: bytes) -> None:
        self._write(_RECORD.pack(kind, number, len(payload), zlib.crc32(payload)) + payload)
        if self._sync:
            os.fsync(self._descriptor)

    def _write(self, content: bytes) -> None:
        if os.write(self._descriptor, content) < len(content):
            raise OSError(f"{self._path}: there is no room for another batch")
        self._size += len(content)

    def _rewrite(self) -> None:
        """Write what is kept into a new file, and go on there."""
        fresh = self._path.with_name(f"{self._path.name}.new")
        old = self._descriptor
        self._descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        self._write(_HEADER + self.buffer.encode() + b"\n")
        self._append(_STORED, self._stored, b"")
        for number, payload in self.kept.items():
            self._append(_BATCH, number, payload)
        fresh.replace(self._path)
        if self._sync:
            _sync_directory(self._path.parent)
        self._size = 0
        if old >= 0:
            os.close(old)

    def _read(self, content: bytes) -> None:
        header, end, _ = content.partition(b"\n")
        if not end or not header.startswith(_HEADER):
            raise ValueError(f"{self._path} is no journal of a gateway")
        self.buffer = header.removeprefix(_HEADER).decode()
        position = len(header) + 1
        while position + _RECORD.size <= len(content):
            kind, number, length, checksum = _RECORD.unpack_from(content, position)
            position += _RECORD.size
            payload = content[position : position + length]
            position += length
            if len(payload) < length or zlib.crc32(payload) != checksum:
                return
            if kind == _BATCH:
                super().keep(number, payload)
            else:
                super().forget([kept for kept in self.kept if kept <= number])
                self.next_number = max(self.next_number, number + 1)


def _sync_directory(directory: Path) -> None:
    """A replaced file is safe only when the directory's new entry is."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
