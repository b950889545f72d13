"""The clocks of the steps of a response plan: who should have done what by now."""

from datetime import datetime
from uuid import UUID

from psycopg import AsyncConnection

from services.core.response_plan import ActivatedStep
from services.core.store import plan_activations


async def look(connection: AsyncConnection, identifier: UUID, now: datetime) -> list[ActivatedStep]:
    """Tell of the steps that are due and not done, each once, and come back for the next; returns those told of now."""
    activation = await plan_activations.find(connection, identifier, lock=True)
    if activation is None or activation.ended_at is not None:
        return []
    told = await plan_activations.tell_overdue(connection, activation, now)
    again = await plan_activations.find(connection, identifier)
    if again is not None:
        await plan_activations.watch(connection, again, now)
    return told
