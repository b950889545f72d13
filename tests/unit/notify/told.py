"""A stored message and a receiver, for the tests of channels."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.alerts.notify.channels.contract import Message
from services.core.channel import Channel
from services.core.organisation import Receiver

NOW = datetime(2026, 1, 5, 9, 0, 30, tzinfo=UTC)
IDENTIFIER = UUID("6f1b7a52-2f0e-4a55-9c41-1f3d3b8f6a10")
CONTENT: dict[str, Any] = {
    "id": "0c9d0c52-7d6c-4a55-9c41-1f3d3b8f6a11",
    "exercise": False,
    "state": "published",
    "lifeline": "gas",
    "zone": "G1",
    "asset": "US-1",
    "severity": 3,
    "label": {"en": "Level II (orange)", "zh": "二级（橙色）"},
    "headline": {"en": 'Methane "too high" at Manhole 1 & 2', "zh": "检查井甲烷浓度超限"},
    "instruction": {"en": "Keep away.", "zh": "疏散人员。"},
    "published_at": "2026-01-05T09:00:00Z",
    "lifted_at": None,
    "alert": {
        "id": "7",
        "kind": "methane-high",
        "started_at": "2026-01-05T08:59:00Z",
        "explanation": {"en": "Methane reached 31 %LEL\nand rises", "zh": "甲烷达到31 %LEL\n并在上升"},
    },
    "url": "https://city.example/#/alerts/7",
}


def message(type_: str = "warning.published", **changes: Any) -> Message:
    body = {"type": type_, "timestamp": "2026-01-05T09:00:00Z", "data": CONTENT | changes}
    return Message(IDENTIFIER, type_, json.dumps(body, ensure_ascii=False), NOW)


def receiver(channel: Channel, url: str = "https://receiver.example/in", secret: str = "", **more: Any) -> Receiver:
    return Receiver("dispatch", "gas-company", url, secret, 1, channel=channel, **more)
