"""Somebody who listens to live events: they hear of their part of the city, and no longer than they are let in."""

import json
from collections.abc import Awaitable, Callable

from services.api.live import Message
from services.api.stream_choice import StreamChoice
from services.core.caller import Caller
from services.core.permission import Permission
from services.core.store import alerts, limited_views, warnings, work_orders
from services.core.store.pool import Pool

_LOOK_EVERY_S = 60.0
_TABLES = {alerts.EVENT: "alert", warnings.EVENT: "warning", work_orders.EVENT: "work_order"}


class Listener:
    """Passes on what its caller may hear and has chosen to.

    ``find_caller`` looks again who they are, ``clock`` gives seconds.
    """

    def __init__(
        self,
        pool: Pool,
        caller: Caller,
        choice: StreamChoice,
        find_caller: Callable[[], Awaitable[Caller | None]],
        clock: Callable[[], float],
    ) -> None:
        self._pool = pool
        self._caller = caller
        self._choice = choice
        self._find_caller = find_caller
        self._clock = clock
        self._looked_s = clock()
        self._sensors: frozenset[str] | None = None

    async def is_welcome(self) -> bool:
        """Whether key or session still count, with the rights and limits that they had; looked up once a minute."""
        if self._clock() - self._looked_s < _LOOK_EVERY_S:
            return True
        self._looked_s = self._clock()
        self._sensors = None
        found = await self._find_caller()
        return found is not None and Permission.READ in found.permissions and found.limits == self._caller.limits

    async def heard(self, message: Message) -> str | None:
        """What of a message is for this caller; ``None``: nothing."""
        if not self._choice.wants(message.type, message.subject):
            return None
        is_whole = message.subject is not None or not self._choice.is_by_place
        if self._caller.limits.is_city_wide and is_whole:
            return message.data
        table = _TABLES.get(message.type)
        if table is not None:
            async with self._pool.connection() as connection:
                await limited_views.confine(connection, self._caller.limits)
                is_seen = await limited_views.is_seen(connection, table, json.loads(message.data)["id"])
            return message.data if is_seen else None
        if self._sensors is None:
            async with self._pool.connection() as connection:
                await limited_views.confine(connection, self._caller.limits)
                self._sensors = await limited_views.seen_sensors(connection, self._choice.lifeline, self._choice.zone)
        items = [item for item in json.loads(message.data)["items"] if item["sensor"] in self._sensors]
        return json.dumps({"items": items}) if items else None
