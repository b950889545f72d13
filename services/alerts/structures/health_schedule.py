"""Evaluating every bridge at six in the morning and in the evening, and what gets worse in between: periodic jobs."""

from datetime import UTC, datetime

import structlog
from procrastinate import App

from services.core.health_evaluation import HealthGrade, evaluate
from services.core.store import health_evaluations
from services.core.store.pool import Pool

_SIX_AND_EIGHTEEN = "0 10,22 * * *"
"""18:00 and 06:00 in China: in UTC, by the job library's own clock."""

_EVERY_MINUTE = "* * * * *"

log = structlog.get_logger()


async def evaluate_bridges(pool: Pool, now: datetime) -> int:
    """Evaluate every bridge as it is known at ``now`` and keep it; returns how many there are."""
    async with pool.connection() as connection:
        bridges = await health_evaluations.facts(connection, now)
        for facts in bridges:
            await health_evaluations.save(connection, evaluate(facts, now))
    return len(bridges)


async def evaluate_worse(pool: Pool, now: datetime) -> int:
    """Evaluate the bridges that are worse than when they were evaluated last, or can be graded for the first time.

    So a proposal to close a bridge does not wait for the evening. What gets better waits for the next full evaluation.
    Returns how many there were.
    """
    async with pool.connection() as connection:
        before = await health_evaluations.last_grades(connection)
        found = [evaluate(facts, now) for facts in await health_evaluations.facts(connection, now)]
        worse = [each for each in found if each.grade > before.get(each.zone, HealthGrade.UNKNOWN)]
        for evaluation in worse:
            await health_evaluations.save(connection, evaluation)
    return len(worse)


def schedule_evaluations(app: App, pool: Pool, queue: str) -> None:
    """Let the worker of ``queue`` evaluate; a moment of the schedule makes one job in the whole city."""

    @app.periodic(cron=_EVERY_MINUTE)
    @app.task(
        name="evaluate-worse-bridges", queue=queue, lock="evaluate-bridges", queueing_lock="evaluate-worse-bridges"
    )
    async def evaluate_in_between(timestamp: int) -> None:  # noqa: ARG001  # the library hands it over by name
        try:
            # Not the moment of the schedule: a job that had to wait tells what is known when it runs.
            await evaluate_worse(pool, datetime.now(UTC))
        except Exception:
            # The job library keeps what failed and says nothing; the next minute is another attempt.
            log.exception("evaluating bridges in between failed")
            raise

    @app.periodic(cron=_SIX_AND_EIGHTEEN)
    @app.task(name="evaluate-bridges", queue=queue, lock="evaluate-bridges", queueing_lock="evaluate-bridges")
    async def evaluate_all(timestamp: int) -> None:
        try:
            await evaluate_bridges(pool, datetime.fromtimestamp(timestamp, UTC))
        except Exception:
            # The job library keeps what failed and says nothing; the next evaluation is twelve hours away.
            log.exception("evaluating bridges failed")
            raise
