"""Deferred work: jobs are rows of the same database, written in the transaction that makes them necessary."""

from datetime import datetime
from typing import Any

from procrastinate import App, PsycopgConnector
from psycopg import AsyncConnection

ANNOUNCE = "announce"
"""Route a subject's news to its receivers; arguments ``type``, ``subject_kind``, ``subject``."""
DELIVER = "deliver"
"""Send one notification; argument ``notification``."""

_deferrer = App(connector=PsycopgConnector())


async def defer(
    connection: AsyncConnection,
    task: str,
    *,
    lock: str | None = None,
    schedule_at: datetime | None = None,
    **arguments: Any,
) -> None:
    """Add a job in the caller's transaction: it exists if and only if the transaction commits.

    Jobs with the same ``lock`` run one after the other.
    """
    deferrer = _deferrer.configure_task(task, queue="alerts", lock=lock, schedule_at=schedule_at, connection=connection)
    await deferrer.defer_async(**arguments)
