"""Rows as a file that is written while it is sent: CSV for spreadsheets, Parquet for analysis."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from services.core.store.exports import Row, Table

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class FileFormat(StrEnum):
    """In which form a table is exported."""

    CSV = "csv"
    PARQUET = "parquet"


MEDIA_TYPES = {FileFormat.CSV: "text/csv; charset=utf-8", FileFormat.PARQUET: "application/vnd.apache.parquet"}


class ParquetMissingError(Exception):
    """The installation lacks the extra ``parquet``."""


def plain(cell: Any) -> Any:
    """A cell as CSV holds it: moments as RFC 3339 in UTC, and no text that a spreadsheet would take for a formula.

    What would begin one gets an apostrophe before it, as OWASP advises; numbers stay numbers.
    """
    if isinstance(cell, datetime):
        return cell.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, str) and cell.startswith(_BEGINS_A_FORMULA):
        return f"'{cell}"
    return cell


async def csv_file(table: Table, batches: AsyncIterator[Sequence[Row]], *, bom: bool) -> AsyncIterator[bytes]:
    """The table as CSV (RFC 4180, UTF-8); with ``bom`` Excel sees the encoding."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(table.columns)
    yield (_BYTE_ORDER_MARK if bom else b"") + _taken(text)
    async for rows in batches:
        writer.writerows([plain(cell) for cell in row] for row in rows)
        yield _taken(text)


def _taken(text: io.StringIO) -> bytes:
    content = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return content


async def parquet_file(table: Table, batches: AsyncIterator[Sequence[Row]]) -> AsyncIterator[bytes]:
    """The table as Parquet, a row group for each batch.

    Raises:
        ParquetMissingError: pyarrow is not installed.
    """
    arrow, parquet = parquet_library()
    types = {
        str: arrow.string(),
        float: arrow.float64(),
        int: arrow.int16(),
        bool: arrow.bool_(),
        datetime: arrow.timestamp("us", tz="UTC"),
    }
    schema = arrow.schema([(name, types[kind]) for name, kind in table.columns.items()])
    sink = _Sink()
    with parquet.ParquetWriter(sink, schema, compression="zstd") as writer:
        async for rows in batches:
            columns = [
                arrow.array(column, field.type) for column, field in zip(zip(*rows, strict=True), schema, strict=True)
            ]
            writer.write_table(arrow.Table.from_arrays(columns, schema=schema))
            yield sink.taken()
    yield sink.taken()


def parquet_library() -> tuple[Any, Any]:
    """The library that writes Parquet; large, and therefore an extra.

    Raises:
        ParquetMissingError: it is not installed.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError:
        raise ParquetMissingError("install the extra `parquet`") from None
    return pa, parquet


class _Sink(io.RawIOBase):
    """Takes what is written and gives it away, but knows how far it has come: a Parquet file ends with offsets."""

    def __init__(self) -> None:
        super().__init__()
        self._pending = bytearray()
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        self._pending += content
        self._written += len(content)
        return len(content)

    def tell(self) -> int:
        return self._written

    def taken(self) -> bytes:
        """What was written since it was last asked."""
        content = bytes(self._pending)
        self._pending.clear()
        return content
