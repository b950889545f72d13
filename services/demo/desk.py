"""The demo's view of the running service: it looks and acts through the API alone, as any client would."""

from uuid import UUID

import httpx

from services.client import AsyncClient, ProblemError, calls
from services.client.answers import (
    AlertAnswer,
    AlertDetailAnswer,
    NotificationAnswer,
    WarningAnswer,
    WorkOrderAnswer,
)

_MOVES_BEFORE_FEEDBACK = ("receive", "arrive", "control")
_MOVES_OF_THE_DESK = ("verify", "close")
_CONFLICT = 409


class Desk:
    """Two people with a key each: the officer at the desk, and the crew, for nobody judges the work they did."""

    def __init__(self, client: AsyncClient, crew: AsyncClient, receiver: httpx.AsyncClient) -> None:
        """``receiver`` has the address of the built-in webhook receiver."""
        self._client = client
        self._crew = crew
        self._receiver = receiver

    async def alerts(self) -> list[AlertAnswer]:
        """Every alert so far, oldest first."""
        return [alert async for alert in self._client.all(calls.alerts())][::-1]

    async def alert(self, alert: UUID) -> AlertDetailAnswer:
        """Everything about one alert."""
        return await self._client.ask(calls.alert(alert))

    async def warning(self, warning: UUID) -> WarningAnswer:
        """One warning."""
        return await self._client.ask(calls.warning(warning))

    async def work_order(self, order: UUID) -> WorkOrderAnswer:
        """One work order."""
        return await self._client.ask(calls.work_order(order))

    async def delivered(self, subject: UUID) -> NotificationAnswer | None:
        """The first delivered notification about a warning whose signature the receiver has verified."""
        told = [notification async for notification in self._client.all(calls.notifications(subject=subject))]
        verified = await self._verified()
        for notification in reversed(told):
            if notification.state == "delivered" and str(notification.id) in verified:
                return notification
        return None

    async def _verified(self) -> set[str]:
        answer = await self._receiver.get("/deliveries")
        answer.raise_for_status()
        return {attempt["webhook-id"] for attempt in answer.json() if attempt["verified"]}

    async def zones(self) -> dict[str, str]:
        """The zone of every asset."""
        collection = await self._client.ask(calls.assets())
        return {feature.id: feature.properties.zone for feature in collection.features}

    async def handle(self, order: WorkOrderAnswer, *, repaired: bool) -> str:
        """Do what the crew can do now with an order; returns its state.

        Before the cause is repaired the crew gets it under control and stays; after that it hands the order back,
        and verifies and closes as soon as the sensors agree.
        """
        while order.moves:
            move = order.moves[0]
            if move not in _MOVES_BEFORE_FEEDBACK and not repaired:
                break
            call = calls.move_order(order.id, move)
            if move == "hand-back":
                call = calls.hand_back(order.id, "Found, repaired, tested. 已查明并修复，测试合格。")
            who = self._client if move in _MOVES_OF_THE_DESK else self._crew
            try:
                order = await who.ask(call)
            except ProblemError as error:
                if error.problem.status != _CONFLICT:
                    raise
                break  # the sensors do not agree yet, or a person at the dashboard was faster
        return order.state
