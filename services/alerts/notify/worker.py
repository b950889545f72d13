"""The worker that announces news to receivers and delivers messages: Procrastinate jobs, at least once."""

import asyncio
import random
from datetime import UTC, datetime, timedelta

import psycopg
import structlog
from aiosmtplib import SMTPException
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from psycopg import AsyncConnection

from services.alerts.notify.announcing import Announcer
from services.alerts.notify.back_off import BackOff
from services.alerts.notify.day_mail import EVERY_HOUR, DayMail
from services.alerts.notify.delivering import Deliverer
from services.core import jobs

_HANDS = 32
"""Jobs at once. Most of their time is waiting for receivers."""
_STALLED_AFTER_S = 15.0
_DATABASE_WAIT_S = 5.0
_RESCUE_LOCK = 0x11FE_A1E8
"""Advisory lock of the process that puts jobs back."""

log = structlog.get_logger()


def _app(database_url: str, announcer: Announcer, deliverer: Deliverer, day_mail: DayMail | None) -> App:
    # Short waits for a connection: a worker that is stuck without a database cannot be started again.
    connector = PsycopgConnector(conninfo=database_url, min_size=1, max_size=4, timeout=_DATABASE_WAIT_S)
    app = App(connector=connector)
    retry = BackOff(random.Random())  # noqa: S311 - jitter, not a secret

    @app.task(name=jobs.ANNOUNCE, queue="alerts", retry=retry)
    async def announce(
        type: str,  # noqa: A002 - the wire's own word
        subject_kind: str,
        subject: str,
        roles: list[str] | None = None,
        occasion: str = "",
    ) -> None:
        await announcer.announce(type, subject_kind, subject, roles=roles, occasion=occasion)

    @app.task(name=jobs.SUMMARISE, queue="alerts", retry=retry)
    async def summarise(receiver: str) -> None:
        await announcer.summarise(receiver)

    @app.task(name=jobs.DELIVER, queue="alerts", retry=retry)
    async def deliver(notification: str) -> None:
        await deliverer.deliver(notification)

    if day_mail is not None:
        _mail_days(app, day_mail)
    return app


def _mail_days(app: App, day_mail: DayMail) -> None:
    @app.periodic(cron=EVERY_HOUR)
    @app.task(name="mail-day-report", queue="alerts", lock="mail-day-report", queueing_lock="mail-day-report")
    async def mail_report(timestamp: int) -> None:
        del timestamp
        try:
            await day_mail.send_if_due(datetime.now(UTC))
        except (SMTPException, OSError) as error:
            # The next hour is another attempt.
            log.warning("report of the day not mailed", reason=str(error))


async def rescue_stalled(app: App, connection: AsyncConnection) -> int:
    """Put back what killed workers had taken: their hearts stopped beating, their jobs are still marked as running.

    One process at a time does so; otherwise a job could be put back a second time while it runs again. Returns how
    many jobs were put back.
    """
    rescued = 0
    async with connection.transaction():
        cursor = await connection.execute("select pg_try_advisory_xact_lock(%s)", (_RESCUE_LOCK,))
        row = await cursor.fetchone()
        if row is None or not row[0]:
            return 0
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=_STALLED_AFTER_S):
            try:
                await app.job_manager.retry_job(job)
            except ConnectorException as error:
                if not isinstance(error.__cause__, psycopg.errors.RaiseException):
                    raise
                # Its worker was only slow and has finished it in the meantime.
                continue
            rescued += 1
            log.info("a job of a worker that has gone was put back", task=job.task_name)
        await app.job_manager.prune_stalled_workers(_STALLED_AFTER_S)
    return rescued


async def _keep_rescuing(app: App, database_url: str) -> None:
    async with await AsyncConnection.connect(database_url, autocommit=True) as connection:
        while True:
            await rescue_stalled(app, connection)
            await asyncio.sleep(_STALLED_AFTER_S / 6)


async def run_worker(
    database_url: str, announcer: Announcer, deliverer: Deliverer, day_mail: DayMail | None = None
) -> None:
    """Work until cancelled. With ``day_mail`` the report of each day is mailed as well.

    Raises or returns when the database goes away, so that the caller can start it again.
    """
    app = _app(database_url, announcer, deliverer, day_mail)
    async with app.open_async(), asyncio.TaskGroup() as group:
        rescuing = group.create_task(_keep_rescuing(app, database_url))
        await app.run_worker_async(
            queues=["alerts"],
            concurrency=_HANDS,
            install_signal_handlers=False,
            fetch_job_polling_interval=1.0,
            update_heartbeat_interval=5.0,
            stalled_worker_timeout=_STALLED_AFTER_S,
            delete_jobs="successful",
            shutdown_graceful_timeout=timedelta(seconds=5).total_seconds(),
        )
        # It returns without an error when a part of it, such as its heart, has failed.
        rescuing.cancel()
