"""The worker that announces news to receivers and delivers notifications: Procrastinate jobs, at least once."""

import asyncio
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import httpx
import psycopg
import structlog
from procrastinate import App, BaseRetryStrategy, PsycopgConnector, RetryDecision
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job
from psycopg import AsyncConnection

from services.alerts.notify import message, routing, webhook
from services.core import jobs
from services.core.lifeline import Lifeline
from services.core.notification import Delivery, Notification, NotificationState
from services.core.settings import Settings
from services.core.severity import Severity
from services.core.store import alerts, notifications, organisations, warnings, work_orders
from services.core.store.pool import Pool

_NAMESPACE = UUID("0f9d1c2e-6f57-4f0c-8a58-7f4f4f0b3c11")
_LONGEST_WAIT_S = 300.0
_STALLED_AFTER_S = 15.0
_DATABASE_WAIT_S = 5.0
_RESCUE_LOCK = 0x11FE_A1E8
"""Advisory lock of the process that puts jobs back."""

log = structlog.get_logger()


class NotDeliveredError(Exception):
    """An attempt failed; the delivery log has the reason."""

    def __init__(self, reason: str | None, *, attempt: int, final: bool) -> None:
        """Say which of the recorded attempts it was, and whether it was the last."""
        super().__init__(reason)
        self.attempt, self.final = attempt, final


class BackOff(BaseRetryStrategy):
    """Doubling waits with jitter, so that receivers coming back are not hit by everything at once."""

    def __init__(self, randomness: random.Random) -> None:
        """Draw the jitter from ``randomness``."""
        self._random = randomness

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """Wait 1, 2, 4 … seconds, at most five minutes, shortened by up to a half; give up after the last attempt.

        Anything but a failed delivery is trouble of our own (the database is away, the process stops) and is repeated
        without end. Only recorded attempts count: the job's own number also rises when it is put back.
        """
        if isinstance(exception, NotDeliveredError) and exception.final:
            return None
        before = exception.attempt - 1 if isinstance(exception, NotDeliveredError) else job.attempts
        wait_s = min(2.0 ** min(before, 12), _LONGEST_WAIT_S) * self._random.uniform(0.5, 1.0)
        return RetryDecision(retry_in={"milliseconds": int(wait_s * 1000)})


@dataclass(frozen=True, slots=True)
class _Subject:
    body: str
    lifeline: Lifeline
    severity: Severity
    responsible: str | None


class Notifier:
    """Turns news into notifications and notifications into delivered webhooks."""

    def __init__(self, pool: Pool, client: httpx.AsyncClient, settings: Settings) -> None:
        """Use connections of ``pool`` and send with ``client``."""
        self._pool = pool
        self._client = client
        self._settings = settings

    async def announce(self, type_: str, subject_kind: str, subject: str) -> None:
        """Write one notification for each receiver concerned; doing it twice writes nothing new."""
        now = datetime.now(UTC)
        async with self._pool.connection() as connection:
            found = await self._subject(connection, type_, subject_kind, UUID(subject), now)
            known = await organisations.load_organisations(connection)
            chosen = routing.recipients(
                await organisations.load_receivers(connection),
                known,
                lifeline=found.lifeline,
                severity=found.severity,
                responsible=found.responsible,
            )
            for receiver in chosen:
                key = f"{receiver.id}/{type_}/{subject}/{int(found.severity)}"
                notification = Notification(
                    id=uuid5(_NAMESPACE, key),
                    receiver=receiver.id,
                    type=type_,
                    subject_kind=subject_kind,
                    subject=UUID(subject),
                    body=found.body,
                    state=NotificationState.PENDING,
                    attempts=0,
                    created_at=now,
                    delivered_at=None,
                )
                await notifications.enqueue(connection, notification)

    async def _subject(
        self, connection: AsyncConnection, type_: str, kind: str, subject: UUID, now: datetime
    ) -> _Subject:
        if kind == warnings.EVENT:
            warning = await warnings.find(connection, subject)
            if warning is not None and (alert := await alerts.find(connection, warning.alert)) is not None:
                body = message.warning_body(type_, warning, alert, self._page(alert.id), now)
                return _Subject(body, warning.lifeline, warning.severity, warning.organisation)
        else:
            order = await work_orders.find(connection, subject)
            if order is not None and (alert := await alerts.find(connection, order.alert)) is not None:
                body = message.work_order_body(type_, order, alert, self._page(alert.id), now)
                return _Subject(body, order.lifeline, order.severity, order.organisation)
        raise LookupError(f"{kind} {subject} does not exist")

    def _page(self, alert: UUID) -> str | None:
        return None if self._settings.api_url is None else f"{self._settings.api_url}/#/alerts/{alert}"

    async def deliver(self, identifier: str) -> None:
        """Try to deliver one notification and write down what happened.

        Raises:
            NotDeliveredError: the attempt failed.
        """
        async with self._pool.connection() as connection:
            notification = await notifications.find(connection, UUID(identifier))
            receiver = None
            if notification is not None:
                receiver = await organisations.find_receiver(connection, notification.receiver)
        if notification is None or receiver is None or notification.state is not NotificationState.PENDING:
            return
        attempt = notification.attempts + 1
        last = attempt >= self._settings.webhook_attempts
        started_at = datetime.now(UTC)
        # No transaction is open while the receiver takes its time to answer.
        outcome = await webhook.send(
            self._client,
            notification,
            receiver,
            private_allowed=self._settings.webhook_private_targets,
            longest_wait=self._settings.webhook_timeout,
        )
        state = NotificationState.PENDING
        if outcome.delivered or last:
            state = NotificationState.DELIVERED if outcome.delivered else NotificationState.FAILED
        delivery = Delivery(
            notification=notification.id,
            attempt=attempt,
            started_at=started_at,
            duration_ms=outcome.duration_ms,
            status=outcome.status,
            response=outcome.response,
            error=outcome.error,
        )
        async with self._pool.connection() as connection:
            await notifications.record_attempt(connection, delivery, state)
        if not outcome.delivered:
            log.warning(
                "webhook not delivered",
                receiver=receiver.id,
                attempt=attempt,
                reason=outcome.error,
                given_up=last,
            )
            raise NotDeliveredError(outcome.error, attempt=attempt, final=last)


def _app(database_url: str, notifier: Notifier) -> App:
    # Short waits for a connection: a worker that is stuck without a database cannot be started again.
    connector = PsycopgConnector(conninfo=database_url, min_size=1, max_size=4, timeout=_DATABASE_WAIT_S)
    app = App(connector=connector)
    retry = BackOff(random.Random())  # noqa: S311 - jitter, not a secret

    @app.task(name=jobs.ANNOUNCE, queue="alerts", retry=retry)
    async def announce(type: str, subject_kind: str, subject: str) -> None:  # noqa: A002 - the wire's own word
        await notifier.announce(type, subject_kind, subject)

    @app.task(name=jobs.DELIVER, queue="alerts", retry=retry)
    async def deliver(notification: str) -> None:
        await notifier.deliver(notification)

    return app


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


async def run_worker(database_url: str, notifier: Notifier) -> None:
    """Work until cancelled.

    Raises or returns when the database goes away, so that the caller can start it again.
    """
    app = _app(database_url, notifier)
    async with app.open_async(), asyncio.TaskGroup() as group:
        rescuing = group.create_task(_keep_rescuing(app, database_url))
        await app.run_worker_async(
            queues=["alerts"],
            concurrency=8,
            install_signal_handlers=False,
            fetch_job_polling_interval=1.0,
            update_heartbeat_interval=5.0,
            stalled_worker_timeout=_STALLED_AFTER_S,
            delete_jobs="successful",
            shutdown_graceful_timeout=timedelta(seconds=5).total_seconds(),
        )
        # It returns without an error when a part of it, such as its heart, has failed.
        rescuing.cancel()
