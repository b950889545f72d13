"""Readings and alerts as files, written while they are sent."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from psycopg import AsyncConnection

from services.api import problems, table_file
from services.api.moment import Moment
from services.api.question import LONGEST_NAME, Selected, time_range
from services.api.security import Reader, pool_of
from services.api.table_file import MEDIA_TYPES, FileFormat
from services.core.caller import Caller
from services.core.lifeline import Lifeline
from services.core.store import exports, limited_views
from services.core.store.exports import ALERTS, READINGS, Row, Table
from services.core.store.sensor_selection import SensorSelection

router = APIRouter(prefix="/exports", tags=["exports"])

AT_ONCE = 2
"""Exports that run at the same time: each holds a connection for as long as its caller takes."""
_DAY, _MONTH = timedelta(hours=24), timedelta(days=30)
_WAIT_S = 10
_FILE: dict[int | str, dict[str, Any]] = {200: {"content": {media_type: {} for media_type in MEDIA_TYPES.values()}}}

Format = Annotated[FileFormat, Query(alias="format")]
Bom = Annotated[bool, Query(description="put a byte order mark before CSV, so that Excel reads Chinese")]
Batches = Callable[[AsyncConnection], AsyncIterator[Sequence[Row]]]


@router.get("/readings", summary="Readings as a file", responses=_FILE, response_class=StreamingResponse)
async def export_readings(
    request: Request,
    caller: Reader,
    selection: Selected,
    sensor: Annotated[list[Annotated[str, Query(max_length=LONGEST_NAME)]] | None, Query(max_length=200)] = None,
    start: Moment | None = None,
    end: Moment | None = None,
    form: Format = FileFormat.CSV,
    bom: Bom = False,
) -> StreamingResponse:
    """Every reading of some sensors, or of all that match, between two moments; the last 24 hours if none is given."""
    since, until = time_range(start, end, _DAY)
    wanted = SensorSelection(
        sensors=None if sensor is None else tuple(sensor),
        lifeline=selection.lifeline,
        zone=selection.zone,
        gateway=selection.gateway,
        box=selection.box,
    )
    return _file(
        request, caller, READINGS, lambda connection: exports.readings(connection, wanted, since, until), form, bom=bom
    )


@router.get("/alerts", summary="Alerts as a file", responses=_FILE, response_class=StreamingResponse)
async def export_alerts(
    request: Request,
    caller: Reader,
    lifeline: Lifeline | None = None,
    start: Moment | None = None,
    end: Moment | None = None,
    form: Format = FileFormat.CSV,
    bom: Bom = False,
) -> StreamingResponse:
    """The alerts that began between two moments; the last 30 days if none is given."""
    since, until = time_range(start, end, _MONTH)
    return _file(
        request, caller, ALERTS, lambda connection: exports.alerts(connection, lifeline, since, until), form, bom=bom
    )


def _file(
    request: Request, caller: Caller, table: Table, batches: Batches, form: FileFormat, *, bom: bool
) -> StreamingResponse:
    running: asyncio.Semaphore = request.app.state.exports
    if running.locked():
        raise problems.too_many(_WAIT_S)
    if form is FileFormat.PARQUET:
        try:
            table_file.parquet_library()
        except table_file.ParquetMissingError as error:
            raise problems.not_valid("query.format", str(error)) from None

    async def content() -> AsyncIterator[bytes]:
        # The request's own transaction has ended by now, so this one is confined anew.
        pool = await pool_of(request)
        async with running, pool.connection(timeout=5.0) as connection:
            await limited_views.confine(connection, caller.limits)
            rows = batches(connection)
            is_csv = form is FileFormat.CSV
            file = table_file.csv_file(table, rows, bom=bom) if is_csv else table_file.parquet_file(table, rows)
            async for part in file:
                yield part

    named = f'attachment; filename="{table.name}.{form}"'
    return StreamingResponse(content(), media_type=MEDIA_TYPES[form], headers={"Content-Disposition": named})
