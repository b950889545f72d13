"""Deferred work: jobs are rows of the same database, written in the transaction that makes them necessary."""

from datetime import datetime
from typing import Any

from procrastinate import App, PsycopgConnector
from psycopg import AsyncConnection

ANNOUNCE = "announce"
"""Route a subject's news to its receivers; arguments ``type``, ``subject_kind``, ``subject``."""
DELIVER = "deliver"
"""Send one notification; argument ``notification``."""
SUMMARISE = "summarise"
"""Tell a receiver in one message what has gathered; argument ``receiver``."""
REVIEW = "review"
"""Look again at what keeps alerts quiet; argument ``cause``, an alert that may explain others, or nothing for all."""
ESCALATE = "escalate"
"""Tell others of a warning that nobody has received; arguments ``warning``, ``step``."""
TAKE_REPORT = "take-report"
"""Make a finding of what a person or another system has reported; argument ``report``."""
DEADLINE = "deadline"
"""Look at the clock of a work order's step; arguments ``order`` and ``clock``, the count of its clock."""
PLAN_DEADLINE = "plan-deadline"
"""Look at the clocks of the steps of a response plan that runs; argument ``activation``."""
REVIEWS = "reviews"
"""The queue of what the loop does by itself later on."""

_deferrer = App(connector=PsycopgConnector())


async def defer(
    connection: AsyncConnection,
    task: str,
    *,
    queue: str = "alerts",
    lock: str | None = None,
    schedule_at: datetime | None = None,
    **arguments: Any,
) -> None:
    """Add a job in the caller's transaction: it exists if and only if the transaction commits.

    Jobs with the same ``lock`` run one after the other. The news about one subject are announced one after the other.
    """
    if task == ANNOUNCE and lock is None:
        lock = f"{ANNOUNCE}/{arguments['subject']}"
    deferrer = _deferrer.configure_task(task, queue=queue, lock=lock, schedule_at=schedule_at, connection=connection)
    await deferrer.defer_async(**arguments)
