"""The API as a process of its own, and beside it one that does nothing: what any such service costs here."""

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI, Request, Response
from sse_starlette import EventSourceResponse, ServerSentEvent

from services.demo.ports import free_port

_START_LIMIT_S = 60.0


@contextmanager
def api_process(database_url: str, log: Path) -> Iterator[str]:
    """The service with the settings of a deployment, but for a caller's limit of requests; gives its address."""
    environment = {
        "LIFELINE_DATABASE_URL": database_url,
        "LIFELINE_CALL_RATE": "100000",
        "LIFELINE_CALL_BURST": "100000",
    }
    port = free_port(8942)
    with _process(["services.api"], port, "/livez", environment | {"LIFELINE_API_PORT": str(port)}, log) as address:
        yield address


@contextmanager
def null_process(log: Path) -> Iterator[str]:
    """A FastAPI with ``/null``, which answers one object, and ``/stream``, which passes on what ``/tell`` gets."""
    port = free_port(0)
    with _process(["tests.benchmarks.api.served", str(port)], port, "/null", {}, log) as address:
        yield address


@contextmanager
def _process(module: list[str], port: int, probe: str, environment: dict[str, str], log: Path) -> Iterator[str]:
    address = f"http://127.0.0.1:{port}"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *module], env={**os.environ, **environment}, stdout=output, stderr=output
        )
    try:
        until = time.monotonic() + _START_LIMIT_S
        while time.monotonic() < until:
            if process.poll() is not None:
                raise RuntimeError(f"{module[0]} ended: {log.read_text()[-1000:]}")
            with contextlib.suppress(httpx.TransportError):
                httpx.get(address + probe)
                break
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def null_app() -> FastAPI:
    """The application of ``null_process``."""
    app = FastAPI(openapi_url=None)
    queues: set[asyncio.Queue[str]] = set()

    @app.get("/null")
    async def null() -> dict[str, int]:
        return {"value": 0}

    @app.post("/tell")
    async def tell(request: Request) -> Response:
        data = (await request.body()).decode()
        for queue in queues:
            queue.put_nowait(data)
        return Response(status_code=204)

    @app.get("/stream", response_class=EventSourceResponse)
    async def stream() -> EventSourceResponse:
        queue: asyncio.Queue[str] = asyncio.Queue()

        async def events() -> AsyncIterator[ServerSentEvent]:
            queues.add(queue)
            yield ServerSentEvent(comment="live")
            while True:
                yield ServerSentEvent(data=await queue.get(), event="alert")

        return EventSourceResponse(events(), ping=15)

    return app


if __name__ == "__main__":
    uvicorn.run(null_app(), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
