"""Files are written while they are sent, and open elsewhere as what they are."""

import io
import tracemalloc
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from services.api.table_file import csv_file, parquet_file, plain
from services.core.store.exports import Row, Table

MOMENT = datetime(2026, 7, 14, 6, tzinfo=UTC)
TABLE = Table("readings", {"sensor": str, "time": datetime, "value": float, "quality": int})
BATCHES = 100


async def batches(count: int = BATCHES) -> AsyncIterator[Sequence[Row]]:
    for number in range(count):
        yield [(f"S{row}", MOMENT, number + row / 1000, 0) for row in range(2000)]


@pytest.mark.parametrize(
    ("cell", "written"),
    [("=1+1", "'=1+1"), ("@SUM(A1)", "'@SUM(A1)"), ("a=1", "a=1"), (-4.5, -4.5), (True, "true"), (None, None)],
)
def test_texts_are_defused_and_numbers_stay_numbers(cell: Any, written: Any) -> None:
    assert plain(cell) == written


async def test_csv_of_any_length_takes_little_memory() -> None:
    length = 0
    tracemalloc.start()
    try:
        async for part in csv_file(TABLE, batches(), bom=False):
            length += len(part)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert length > 5_000_000
    assert peak < 1_500_000


async def test_parquet_of_any_length_takes_little_memory_and_opens() -> None:
    file, most = io.BytesIO(), 0
    async for part in parquet_file(TABLE, batches()):
        file.write(part)
        most = max(most, pa.total_allocated_bytes())
    assert most < 4_000_000
    file.seek(0)
    read = parquet.ParquetFile(file)
    assert (read.num_row_groups, read.metadata.num_rows) == (BATCHES, BATCHES * 2000)
    assert read.read_row_group(7).column("value")[3].as_py() == 7.003


async def test_parquet_without_rows_still_tells_its_columns() -> None:
    content = b"".join([part async for part in parquet_file(TABLE, batches(0))])
    assert parquet.read_table(io.BytesIO(content)).column_names == list(TABLE.columns)
