"""A stop that is never lost: on Python 3.11 ``asyncio.wait_for`` drops a cancellation that comes with the result."""

import asyncio
import sys
from collections.abc import Awaitable
from typing import TypeVar

_Result = TypeVar("_Result")


async def wait_for(awaitable: Awaitable[_Result], timeout: float | None) -> _Result:  # noqa: ASYNC109 - its name there
    """The result of ``awaitable`` within ``timeout`` seconds, as Python 3.12 and later wait for it.

    Raises:
        TimeoutError: it took longer.
        asyncio.CancelledError: the caller was cancelled, even in the moment in which the result came.
    """
    async with asyncio.timeout(timeout):
        return await awaitable


def keep_cancellations() -> None:
    """Put `wait_for` in the place of Python 3.11's own, in the whole process.

    Ours is not the code that needs it: pools wait for a connection by it, those of the job workers too. A part of a
    process that was told to stop while it got its connection went on for ever, and its process did not end.
    """
    if sys.version_info < (3, 12):
        asyncio.wait_for = wait_for  # type: ignore[assignment] # the library says it in more unions
