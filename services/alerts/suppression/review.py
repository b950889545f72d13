"""The job that looks again at what keeps alerts quiet: a cause came or went, a silence began or ended."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import structlog
from procrastinate import App, PsycopgConnector, RetryStrategy
from psycopg import AsyncConnection

from services.alerts import escalation, loop, report_taking
from services.alerts.disposal import deadlines, plan_deadlines
from services.alerts.suppression import reason
from services.alerts.suppression.city import standing_city
from services.alerts.suppression.judge import judged
from services.core import jobs
from services.core.alert import Alert
from services.core.inhibition import Inhibition
from services.core.silence import Silence
from services.core.store import alerts, audit, inhibitions, network, silences
from services.core.store.alert_places import apart_m, places_of
from services.core.store.pool import Pool
from services.core.suppression import SuppressionKind

_DATABASE_WAIT_S = 5.0
_STALLED_AFTER_S = 15.0
_LAST_WORDS_S = 5.0
_BY_PERSON = frozenset({SuppressionKind.SILENCE, SuppressionKind.MAINTENANCE})

log = structlog.get_logger()


async def review(pool: Pool, cause: UUID | None) -> int:
    """Judge again what may be concerned, one alert a transaction; returns how many changed.

    What is quiet no longer and still stands is told now, as if it had just begun.
    """
    now = datetime.now(UTC)
    async with pool.connection() as connection:
        concerned = await _concerned(connection, cause, now)
        if not concerned:
            return 0
        source = None if cause is None else await alerts.find(connection, cause)
        named = {alert.asset for alert in concerned} | ({source.asset} if source is not None else set())
        assets = await network.find_assets(connection, sorted(named))
        city = await standing_city(connection, assets)
    changed = 0
    # In order of identifiers, so that two reviews cannot wait for each other.
    for alert in sorted(concerned, key=lambda each: each.id):
        async with pool.connection() as connection:
            changed += await _review(connection, city, alert.id, now)
    return changed


async def _concerned(connection: AsyncConnection, cause: UUID | None, now: datetime) -> list[Alert]:
    if cause is None:
        in_force = await silences.in_force(connection, now)
        standing = await alerts.standing_in(connection)
        return [alert for alert in standing if _is_silent(alert) or _would_be(alert, in_force, now)]
    source = await alerts.find(connection, cause)
    if source is None:
        return []
    rules = await inhibitions.load_inhibitions(connection, source.lifeline)
    reached = {source.lifeline}.union(*(rule.effect_lifelines for rule in rules))
    standing = await alerts.standing_effects(connection, source, reached)
    places = await places_of(connection, [source, *standing]) if any(rule.within_m for rule in rules) else {}
    here = places.get(source.id, ())
    return [
        alert
        for alert in standing
        if alert.explained_by == cause or _explains(source, alert, rules, apart_m(here, places.get(alert.id, ())))
    ]


def _is_silent(alert: Alert) -> bool:
    return alert.suppression is not None and alert.suppression.kind in _BY_PERSON


def _would_be(alert: Alert, in_force: Sequence[Silence], now: datetime) -> bool:
    return reason.silenced(alert, in_force, now) is not None


def _explains(source: Alert, alert: Alert, rules: Sequence[Inhibition], away_m: float | None) -> bool:
    return source.cleared_at is None and any(rule.explains(source, alert, away_m) for rule in rules)


async def _review(connection: AsyncConnection, city: loop.City, identifier: UUID, now: datetime) -> bool:
    alert = await alerts.find(connection, identifier, lock=True)
    if alert is None or alert.cleared_at is not None:
        return False
    standing = await judged(connection, alert, city.asset_name, now)
    if (standing.suppression, standing.explained_by) == (alert.suppression, alert.explained_by):
        return False
    action = "tell" if standing.suppression is None else "suppress"
    saved = await alerts.save(connection, standing, before=alert, actor=audit.SYSTEM, action=action)
    await loop.warn_by_rule(connection, city, city.kinds[saved.lifeline, saved.kind], saved)
    return True


def _application(database_url: str, pool: Pool) -> App:
    app = App(connector=PsycopgConnector(conninfo=database_url, min_size=1, max_size=2, timeout=_DATABASE_WAIT_S))

    @app.task(name=jobs.REVIEW, queue=jobs.REVIEWS, retry=RetryStrategy(exponential_wait=2))
    async def look_again(cause: str | None = None) -> None:
        changed = await review(pool, None if cause is None else UUID(cause))
        if changed:
            log.info("what keeps alerts quiet has changed", alerts=changed)

    @app.task(name=jobs.ESCALATE, queue=jobs.REVIEWS, retry=RetryStrategy(exponential_wait=2))
    async def tell_others(warning: str, step: int) -> None:
        async with pool.connection() as connection:
            await escalation.escalate(connection, UUID(warning), step, datetime.now(UTC))

    @app.task(name=jobs.DEADLINE, queue=jobs.REVIEWS, retry=RetryStrategy(exponential_wait=2))
    async def look_at_clock(order: str, clock: int) -> None:
        async with pool.connection() as connection:
            told = await deadlines.look(connection, UUID(order), clock, datetime.now(UTC))
        for stage in told:
            log.info("a step of a work order takes long", order=order, stage=stage)

    @app.task(name=jobs.PLAN_DEADLINE, queue=jobs.REVIEWS, retry=RetryStrategy(exponential_wait=2))
    async def look_at_plan(activation: str) -> None:
        async with pool.connection() as connection:
            late = await plan_deadlines.look(connection, UUID(activation), datetime.now(UTC))
        if late:
            log.info("steps of a response plan are overdue", activation=activation, steps=len(late))

    @app.task(name=jobs.TAKE_REPORT, queue=jobs.REVIEWS, retry=RetryStrategy(exponential_wait=2))
    async def take_up(report: str) -> None:
        async with pool.connection() as connection:
            await report_taking.take_report(connection, UUID(report))

    return app


async def run_reviews(database_url: str, pool: Pool) -> None:
    """Work until cancelled; returns or raises when the database goes away. Several processes may do so."""
    app = _application(database_url, pool)
    async with app.open_async():
        await app.run_worker_async(
            queues=[jobs.REVIEWS],
            concurrency=1,
            install_signal_handlers=False,
            fetch_job_polling_interval=2.0,
            update_heartbeat_interval=5.0,
            stalled_worker_timeout=_STALLED_AFTER_S,
            delete_jobs="successful",
            shutdown_graceful_timeout=_LAST_WORDS_S,
        )
