"""Liveness, readiness and metrics: the only routes that need no key."""

import psycopg
import psycopg_pool
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from services.core.store import readiness
from services.core.store.pool import Pool

router = APIRouter(tags=["health"])


class Alive(BaseModel):
    """The process runs."""

    status: str = "alive"


@router.get("/livez", summary="Is the process alive?")
async def livez() -> Alive:
    """Always answers while the process runs; says nothing about what it depends on."""
    return Alive()


@router.get(
    "/readyz",
    summary="Can it serve?",
    responses={503: {"description": "The database is away, takes no changes, or has another schema"}},
)
async def readyz(request: Request) -> JSONResponse:
    """200 when the database answers, takes changes and has the schema of this version, else 503 with the reason.

    Shows the storage level and when the last reading came in: a service that is ready may still be told nothing.
    """
    pool: Pool = request.app.state.pool
    try:
        async with pool.connection(timeout=2.0) as connection:
            found = await readiness.look(connection, request.app.state.schema)
    except (psycopg.OperationalError, psycopg_pool.PoolTimeout) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        return JSONResponse({"status": "not ready", "database": reason}, status_code=503)
    against = found.reason_against(request.app.state.schema)
    if against is not None:
        return JSONResponse({"status": "not ready", "database": against}, status_code=503)
    newest, received_at = found.newest_reading, found.last_received_at
    return JSONResponse(
        {
            "status": "ready",
            "storage_level": request.app.state.storage_level,
            "newest_reading": None if newest is None else newest.isoformat(),
            "last_received_at": None if received_at is None else received_at.isoformat(),
        }
    )


@router.get("/metrics", summary="Prometheus metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """Counters of this process and the centre's figures of a day; they name no callers, places or payloads."""
    await request.app.state.centre_metrics.refresh(request.app.state.pool)
    return Response(generate_latest(request.app.state.metrics), media_type=CONTENT_TYPE_LATEST)
