"""Teaching on a schedule: a periodic job of the alert process, one at a time in the whole city."""

from datetime import UTC, datetime

import structlog
from procrastinate import App, PsycopgConnector

from services.alerts.models.trainer import Wish, teach
from services.alerts.structures.health_schedule import schedule_evaluations
from services.alerts.structures.modal.mode_schedule import schedule_identification
from services.core.store.pool import Pool

QUEUE = "models"
_EVERY_SUNDAY_NIGHT = "17 18 * * 6"
"""02:17 on Sundays in China: in UTC, by the job library's own clock."""
_DATABASE_WAIT_S = 5.0
_STALLED_AFTER_S = 15.0
_LAST_WORDS_S = 5.0
_AT_ONCE = 3
"""Teaching, looking for modes and evaluating, so that a proposal to close a bridge waits for neither of the others."""

log = structlog.get_logger()


def application(database_url: str, pool: Pool) -> App:
    """The periodic job and its worker."""
    connector = PsycopgConnector(conninfo=database_url, min_size=1, max_size=2, timeout=_DATABASE_WAIT_S)
    app = App(connector=connector)

    @app.periodic(cron=_EVERY_SUNDAY_NIGHT)
    @app.task(name="teach-detectors", queue=QUEUE, lock="teach-detectors", queueing_lock="teach-detectors")
    async def teach_detectors(timestamp: int) -> None:
        try:
            await teach(pool, Wish(end=datetime.fromtimestamp(timestamp, UTC)))
        except Exception:
            # The job library keeps what failed and says nothing; the next Sunday is another attempt.
            log.exception("teaching detectors failed")
            raise

    schedule_evaluations(app, pool, QUEUE)
    schedule_identification(app, pool, QUEUE)
    return app


async def run_schedule(database_url: str, pool: Pool) -> None:
    """Work until cancelled; returns or raises when the database goes away.

    Several alert processes may do so: a moment of the schedule makes one job.
    """
    app = application(database_url, pool)
    async with app.open_async():
        await app.run_worker_async(
            queues=[QUEUE],
            concurrency=_AT_ONCE,
            install_signal_handlers=False,
            fetch_job_polling_interval=30.0,
            update_heartbeat_interval=5.0,
            stalled_worker_timeout=_STALLED_AFTER_S,
            delete_jobs="successful",
            shutdown_graceful_timeout=_LAST_WORDS_S,
        )
