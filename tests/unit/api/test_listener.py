"""How long somebody may listen to live events."""

from dataclasses import replace
from typing import cast

from services.api.listener import Listener
from services.api.stream_choice import StreamChoice
from services.core.caller import Caller
from services.core.limits import Limits
from services.core.permission import Permission
from services.core.store.pool import Pool

CALLER = Caller("somebody", frozenset({Permission.READ}), "user:somebody")


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


async def test_a_listener_is_looked_up_once_a_minute_and_goes_when_they_are_let_in_no_more() -> None:
    clock = Clock()
    for now, is_welcome in (
        (CALLER, True),
        (None, False),
        (replace(CALLER, permissions=frozenset({Permission.REPORT})), False),
        (replace(CALLER, limits=Limits.of(None, ["gas"], None)), False),
    ):
        looked: list[Caller | None] = []

        async def find(found: Caller | None = now, looked: list[Caller | None] = looked) -> Caller | None:
            looked.append(found)
            return found

        # City-wide callers hear everything, so that nobody asks the database.
        listener = Listener(cast("Pool", None), CALLER, StreamChoice(), find, clock)
        assert await listener.is_welcome()
        clock.now_s += 59
        assert await listener.is_welcome()
        assert looked == []
        clock.now_s += 2
        assert await listener.is_welcome() is is_welcome
        assert looked == [now]
