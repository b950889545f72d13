"""The demo's view of the running service: it looks and acts through the API alone, as any client would."""

from collections.abc import Mapping
from typing import Any

import httpx

_MOVES_BEFORE_FEEDBACK = ("receive", "arrive", "control")
_MOVES_OF_THE_DESK = ("verify", "close")
_CONFLICT = 409


class Desk:
    """Two people with a key each: the officer at the desk, and the crew, for nobody judges the work they did."""

    def __init__(self, client: httpx.AsyncClient, crew: httpx.AsyncClient, receiver_url: str) -> None:
        """The clients have the API's base address and a key; ``receiver_url`` is the built-in webhook receiver."""
        self._client = client
        self._crew = crew
        self._receiver_url = receiver_url

    async def _get(self, path: str, **parameters: Any) -> Any:
        answer = await self._client.get(f"/api/v1{path}", params=parameters)
        answer.raise_for_status()
        return answer.json()

    async def alerts(self) -> list[dict[str, Any]]:
        """Every alert so far, oldest first."""
        found: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = await self._get("/alerts", limit=500, **cursor)
            found += page["items"]
            if page["next"] is None:
                return found[::-1]
            cursor = {"cursor": page["next"]}

    async def alert(self, alert: str) -> dict[str, Any]:
        """Everything about one alert."""
        return dict(await self._get(f"/alerts/{alert}"))

    async def warning(self, warning: str) -> dict[str, Any]:
        """One warning."""
        return dict(await self._get(f"/warnings/{warning}"))

    async def work_order(self, order: str) -> dict[str, Any]:
        """One work order."""
        return dict(await self._get(f"/work-orders/{order}"))

    async def delivered(self, subject: str) -> dict[str, Any] | None:
        """The first delivered notification about a warning whose signature the receiver has verified."""
        page = await self._get("/notifications", subject=subject)
        verified = await self._verified()
        for notification in reversed(page["items"]):
            if notification["state"] == "delivered" and notification["id"] in verified:
                return dict(notification)
        return None

    async def _verified(self) -> set[str]:
        answer = await self._client.get(f"{self._receiver_url}/deliveries")
        answer.raise_for_status()
        return {attempt["webhook-id"] for attempt in answer.json() if attempt["verified"]}

    async def zones(self) -> dict[str, str]:
        """The zone of every asset."""
        collection = await self._get("/assets")
        return {feature["properties"]["id"]: feature["properties"]["zone"] for feature in collection["features"]}

    async def handle(self, order: Mapping[str, Any], *, repaired: bool) -> str:
        """Do what the crew can do now with an order; returns its state.

        Before the cause is repaired the crew gets it under control and stays; after that it hands the order back,
        and verifies and closes as soon as the sensors agree.
        """
        state, moves = str(order["state"]), list(order["moves"])
        while moves:
            move = moves[0]
            if move not in _MOVES_BEFORE_FEEDBACK and not repaired:
                break
            body = {"text": "Found, repaired, tested. 已查明并修复，测试合格。"} if move == "hand-back" else {}
            who = self._client if move in _MOVES_OF_THE_DESK else self._crew
            answer = await who.post(f"/api/v1/work-orders/{order['id']}/{move}", json=body)
            if answer.status_code == _CONFLICT:
                break  # the sensors do not agree yet, or a person at the dashboard was faster
            answer.raise_for_status()
            state, moves = answer.json()["state"], answer.json()["moves"]
        return state
