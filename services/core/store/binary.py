"""Columns of numbers in PostgreSQL's binary COPY format, made by numpy instead of value by value.

Source: PostgreSQL documentation, "COPY, File Formats, Binary Format", and the array format of ``array_send``. Every
field is a length and the value, all in network byte order; a row of fixed width is therefore one numpy record.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

POSTGRES_EPOCH_US = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
"""PostgreSQL counts time from the year 2000."""
_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER = b"\xff\xff"
_OIDS = {"i2": 21, "i4": 23, "f8": 701, "timestamp": 1184}


def rows_of_numbers(columns: Sequence[tuple[str, NDArray[np.generic]]]) -> bytes:
    """A whole COPY stream of rows; each column is its numpy type without byte order (``i4``) and its values."""
    fields: list[tuple[str, str]] = [("count", ">i2")]
    for position, (kind, _) in enumerate(columns):
        fields += [(f"length{position}", ">i4"), (f"value{position}", f">{kind}")]
    records = np.empty(len(columns[0][1]), dtype=np.dtype(fields))
    records["count"] = len(columns)
    for position, (kind, values) in enumerate(columns):
        records[f"length{position}"] = np.dtype(kind).itemsize
        records[f"value{position}"] = values
    return b"".join((_HEADER, records.tobytes(), _TRAILER))


def rows_of_fields(rows: Sequence[Sequence[bytes]]) -> bytes:
    """A whole COPY stream of rows whose fields are encoded already; none of them is null."""
    parts = [_HEADER]
    for row in rows:
        parts.append(len(row).to_bytes(2))
        for value in row:
            parts += [len(value).to_bytes(4), value]
    parts.append(_TRAILER)
    return b"".join(parts)


def array(kind: str, values: NDArray[np.generic]) -> bytes:
    """One array field; ``kind`` is ``i2``, ``i4``, ``f8`` or ``timestamp`` (microseconds since the year 2000)."""
    numbers = "i8" if kind == "timestamp" else kind
    elements = np.empty(len(values), dtype=np.dtype([("length", ">i4"), ("value", f">{numbers}")]))
    elements["length"] = np.dtype(numbers).itemsize
    elements["value"] = values
    header = np.array([1, 0, _OIDS[kind], len(values), 1], dtype=">i4")
    return header.tobytes() + elements.tobytes()
