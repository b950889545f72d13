"""Holds news back when a receiver is told too much, and tells them together."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from psycopg import AsyncConnection

from services.alerts.notify.flood import WINDOW, Told, goes_alone, next_summary_at
from services.alerts.notify.message import LARGEST_BODY_BYTES
from services.core.channel import MACHINES
from services.core.lifeline import Lifeline
from services.core.notification import Notification, NotificationState
from services.core.organisation import Receiver
from services.core.quiet_hours import QuietHours
from services.core.severity import Severity
from services.core.store import notifications, organisations, summaries

SUMMARY = "flood.summary"
_LISTED = 40
"""Places named in one summary, the worst first; the rest are counted."""
_NAMESPACE = uuid5(NAMESPACE_URL, "urn:lifeline:flood")


class FloodGate:
    """Decides for each message to a person whether it goes out by itself."""

    def __init__(self, most: int) -> None:
        """Let ``most`` messages in ten minutes through; with none, everything."""
        self._most = most

    async def pass_on(self, connection: AsyncConnection, receiver: Receiver, note: Notification, news: Told) -> None:
        """Send a message, or keep it for the next summary, in the caller's transaction. Twice changes nothing.

        What does not override a receiver's quiet hours waits for their end, however little there is of it.
        """
        waits_until = _waits_until(receiver, note.created_at, news.severity)
        if receiver.channel in MACHINES or (self._most == 0 and waits_until is None):
            await notifications.enqueue(connection, note)
            return
        # Announcements run side by side; each has to see what the others have decided to send.
        await connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 11))", (receiver.id,))
        if waits_until is not None:
            await _keep(connection, receiver, note, waits_until)
            return
        lately = await summaries.told_since(connection, receiver.id, note.created_at - WINDOW)
        before = [Told(Lifeline(lifeline), kind, Severity(severity), at) for lifeline, kind, severity, at in lately]
        if goes_alone(note.type, news, before, self._most):
            await notifications.enqueue(connection, note)
            await summaries.note_told(connection, note, news.lifeline, news.kind, int(news.severity))
            return
        last = await summaries.last_summary(connection, receiver.id)
        await _keep(connection, receiver, note, next_summary_at(note.created_at, last))

    async def summarise(self, connection: AsyncConnection, receiver: str, now: datetime, *, exercise: bool) -> None:
        """One message about everything that waits for a receiver; in its quiet hours only if the worst overrides them.

        Whoever is told of something bad at night is told of the rest with it.
        """
        known = await organisations.find_receiver(connection, receiver)
        worst = await summaries.worst_waiting(connection, receiver)
        waits_until = None if known is None or worst is None else _waits_until(known, now, Severity(worst))
        if waits_until is not None:
            await summaries.postpone(connection, receiver, waits_until)
            return
        waiting = await summaries.take(connection, receiver, now)
        if not waiting:
            return
        first: UUID = waiting[0]["id"]
        note = Notification(
            id=uuid5(_NAMESPACE, str(first)),
            receiver=receiver,
            type=SUMMARY,
            subject_kind="receiver",
            subject=uuid5(_NAMESPACE, receiver),
            body=summary_body([row["news"] for row in waiting], now, exercise=exercise),
            state=NotificationState.PENDING,
            attempts=0,
            created_at=now,
            delivered_at=None,
        )
        await notifications.enqueue(connection, note)


def _waits_until(receiver: Receiver, now: datetime, severity: Severity) -> datetime | None:
    """When the receiver's quiet hours end, where they keep something of this severity back."""
    quiet = QuietHours.from_settings(receiver.settings)
    return None if quiet is None else quiet.end_for(now, severity)


async def _keep(connection: AsyncConnection, receiver: Receiver, note: Notification, until: datetime) -> None:
    """Put news by for a summary, unless they went out before the receiver's settings changed."""
    if await notifications.find(connection, note.id) is None:
        content = {"type": note.type, "data": _listed(json.loads(note.body)["data"])}
        await summaries.put_by(connection, note.id, receiver.id, content, note.created_at)
        await summaries.ask_for_summary(connection, receiver.id, until)


def _listed(data: Mapping[str, Any]) -> dict[str, Any]:
    """What a summary says of one thing."""
    names = ("id", "state", "lifeline", "zone", "asset", "severity", "label", "headline", "title", "url")
    return {name: data[name] for name in names if data.get(name) is not None}


def summary_body(news: Iterable[Mapping[str, Any]], now: datetime, *, exercise: bool) -> str:
    """The body of a summary: how many, and the worst by name. Of one thing told several times the last counts."""
    newest = {str(each["data"]["id"]): each for each in news}
    worst = sorted(newest.values(), key=lambda each: -each["data"]["severity"])
    counts: dict[str, int] = {}
    for each in worst:
        counts[each["data"]["lifeline"]] = counts.get(each["data"]["lifeline"], 0) + 1
    severity = max((each["data"]["severity"] for each in worst), default=0)
    named = "; ".join(f"{lifeline} {count}" for lifeline, count in sorted(counts.items()))
    written = ""
    for listed in range(min(_LISTED, len(worst)), -1, -1):
        body = {
            "type": SUMMARY,
            "timestamp": now.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "data": {
                "exercise": exercise,
                "severity": severity,
                "count": len(worst),
                "headline": {
                    "en": f"{len(worst)} messages have gathered ({named}), the worst first",
                    "zh": f"已汇总{len(worst)}条消息（{named}），按严重程度排列",
                },
                "items": [{"type": each["type"], **each["data"]} for each in worst[:listed]],
                "not_listed": len(worst) - listed,
            },
        }
        written = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        if len(written.encode()) < LARGEST_BODY_BYTES:
            break
    return written
