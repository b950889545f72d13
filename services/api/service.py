"""The API process, wired: uvicorn around the application."""

import asyncio
import gc

import uvicorn

from services.api.app import create_app
from services.api.checkpoints import sign_from_time_to_time
from services.core.settings import Settings


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Serve until ``stop`` is set; open streams are ended after a moment.

    Raises:
        OSError: the address is in use.
    """
    application = create_app(settings)
    # All of it lives as long as the process. The collector would walk through it again and again, and everybody would
    # wait a sixth of a second each time.
    gc.collect()
    gc.freeze()
    config = uvicorn.Config(
        application,
        host=settings.api_host,
        port=settings.api_port,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve())  # noqa: SLF001 - serve() would take over our signals
    stopping = asyncio.create_task(stop.wait())
    signing = asyncio.create_task(sign_from_time_to_time(settings))
    await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stopping.cancel()
    signing.cancel()
    await serving
