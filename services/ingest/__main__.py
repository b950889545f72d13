"""The ingest process on its own: ``python -m services.ingest``."""

import asyncio
import signal
import sys

import structlog

from services.core.settings import Settings
from services.ingest.service import run


async def _main() -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        await run(Settings(), stop)
    except ValueError as error:
        structlog.get_logger().error("ingest cannot start", reason=str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(_main()))
