"""Evaluating every bridge at six in the morning and in the evening: a periodic job of the alert process."""

from datetime import UTC, datetime

import structlog
from procrastinate import App

from services.core.health_evaluation import evaluate
from services.core.store import health_evaluations
from services.core.store.pool import Pool

_SIX_AND_EIGHTEEN = "0 10,22 * * *"
"""18:00 and 06:00 in China: in UTC, by the job library's own clock."""

log = structlog.get_logger()


async def evaluate_bridges(pool: Pool, now: datetime) -> int:
    """Evaluate every bridge as it is known at ``now`` and keep it; returns how many there are."""
    async with pool.connection() as connection:
        bridges = await health_evaluations.facts(connection, now)
        for facts in bridges:
            await health_evaluations.save(connection, evaluate(facts, now))
    return len(bridges)


def schedule_evaluations(app: App, pool: Pool, queue: str) -> None:
    """Let the worker of ``queue`` evaluate; a moment of the schedule makes one job in the whole city."""

    @app.periodic(cron=_SIX_AND_EIGHTEEN)
    @app.task(name="evaluate-bridges", queue=queue, lock="evaluate-bridges", queueing_lock="evaluate-bridges")
    async def evaluate_all(timestamp: int) -> None:
        try:
            await evaluate_bridges(pool, datetime.fromtimestamp(timestamp, UTC))
        except Exception:
            # The job library keeps what failed and says nothing; the next evaluation is twelve hours away.
            log.exception("evaluating bridges failed")
            raise
