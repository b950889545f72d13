"""This process among the alert processes that divide the feed."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

import psycopg
import structlog
from psycopg import AsyncConnection

from services.alerts.sharing import fair_owners
from services.core.store import shares

_LEAVE_WITHIN_S = 1.0

log = structlog.get_logger()


class Membership:
    """Says that the process is there, takes its part of the shares and notes which of them others should have.

    ``held`` are the shares that were ours when we looked last. They may have been taken since; the transaction that
    stores conclusions finds out. ``surplus`` are those of them that others should have, with their new owners.
    """

    def __init__(self, instance: str) -> None:
        """``instance`` names this process; no two have the same name, not even one after the other."""
        self.instance = instance
        self.held: frozenset[int] = frozenset()
        self.surplus: Mapping[int, str] = {}
        self._told: tuple[int, int] | None = None
        self._beat_now = asyncio.Event()
        self._changing_hands = asyncio.Lock()

    def forget(self) -> None:
        """Hold nothing until the next beat."""
        self.held, self.surplus = frozenset(), {}
        self._beat_now.set()

    def wake(self) -> None:
        """Look again at once: shares may have changed hands."""
        self._beat_now.set()

    async def beat(self, connection: AsyncConnection) -> None:
        """Say that we are there, and take what nobody owns and should be ours."""
        async with self._changing_hands:
            await self._look(connection)

    async def _look(self, connection: AsyncConnection) -> None:
        census = await shares.beat(connection, self.instance)
        planned = fair_owners(census)
        ours = {share for share, owner in census.owners.items() if owner == self.instance}
        wanted = [share for share, owner in planned.items() if owner == self.instance and census.owners[share] is None]
        if wanted:
            ours |= set(await shares.claim(connection, self.instance, wanted))
        self.held = frozenset(ours)
        self.surplus = {share: planned[share] for share in ours if planned[share] != self.instance}
        self._tell(len(census.members))

    async def hand_over(self, connection: AsyncConnection) -> None:
        """Give the surplus to its new owners; everything that was concluded about it has been stored."""
        async with self._changing_hands:
            await shares.hand_over(connection, self.instance, self.surplus)
            await connection.commit()
            self.held -= self.surplus.keys()
            self.surplus = {}

    def _tell(self, members: int) -> None:
        told = (len(self.held), members)
        if told != self._told and not self.surplus:
            log.info(
                "shares of the feed", instance=self.instance, ours=len(self.held), of=shares.SHARES, processes=members
            )
            self._told = told

    async def keep(self, database_url: str) -> None:
        """Beat for ever, on a connection of its own.

        Raises:
            psycopg.OperationalError: the database is away.
        """
        async with await AsyncConnection.connect(database_url, autocommit=True) as connection:
            while True:
                self._beat_now.clear()
                await self.beat(connection)
                with suppress(TimeoutError):
                    async with asyncio.timeout(shares.BEAT_EVERY.total_seconds()):
                        await self._beat_now.wait()

    async def leave(self, database_url: str) -> None:
        """Let the others have our shares at once; without the database they take them when we are not heard."""
        self.forget()
        with suppress(TimeoutError, psycopg.OperationalError):
            async with (
                asyncio.timeout(_LEAVE_WITHIN_S),
                await AsyncConnection.connect(database_url, autocommit=True) as connection,
            ):
                await shares.leave(connection, self.instance)
