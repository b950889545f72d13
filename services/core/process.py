"""How a service process starts and ends: settings, logging, signals, one clear line on failure."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable

import psycopg
import structlog

from services.core import traces
from services.core.settings import ConfigurationError, Settings, load_settings
from services.core.store.migrations import DatabaseNotReadyError, require_migrated

Run = Callable[[Settings, asyncio.Event], Awaitable[None]]


def configure_logging(settings: Settings, *, is_traced: bool = False) -> None:
    """Readable lines for a person, JSON for a collector; third-party noise only from warnings on.

    With ``is_traced`` a line names the span that it belongs to.
    """
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            *([traces.name_in_log] if is_traced else []),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(name)s: %(message)s")
    # A pool and a job worker that lose the database say so on every try; the service itself says it once.
    for name in ("psycopg.pool", "procrastinate", "gmqtt", "httpx"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def run_service(name: str, run: Run, loop: Callable[[], asyncio.AbstractEventLoop] | None = None) -> None:
    """Run the service ``name`` until SIGINT or SIGTERM; exits 1 with one line when it cannot work.

    The database is waited for; an unmigrated one is refused at once. ``loop`` makes another event loop than the usual.
    """
    try:
        settings = load_settings()
        configure_logging(settings, is_traced=traces.start(name, os.environ))
        with asyncio.Runner(loop_factory=loop) as runner:
            runner.run(_until_signal(settings, run))
    except (DatabaseNotReadyError, ConfigurationError) as error:
        sys.exit(f"lifeline: {error}")


async def _until_signal(settings: Settings, run: Run) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if await _database_ready(settings, stop):
        await run(settings, stop)


async def _database_ready(settings: Settings, stop: asyncio.Event) -> bool:
    if settings.database_url is None:
        raise ConfigurationError("LIFELINE_DATABASE_URL is not set; `lifeline demo` brings a database of its own")
    log = structlog.get_logger()
    said = False
    while not stop.is_set():
        try:
            await asyncio.to_thread(require_migrated, settings.database_url.get_secret_value())
        except psycopg.OperationalError as error:
            if not said:
                log.warning("database not reachable, waiting", reason=str(error).strip().splitlines()[0])
            said = True
            await asyncio.sleep(0.5)
        else:
            return True
    return False
