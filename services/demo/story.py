"""Follows the loop while the story plays: which cause was found, told, handled and closed, and when."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from services.client.answers import AlertAnswer, AlertDetailAnswer
from services.demo.chapter import Chapter, unexplained
from services.demo.desk import Desk

_LONG_MIN = 1440.0

Say = Callable[[str], None]


def story_time(state_file: Path) -> datetime | None:
    """How far the simulation has come, from the file in which it remembers that."""
    try:
        state = json.loads(state_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return datetime.fromisoformat(state["published"])


class Story:
    """Watches the chapters through the API; with ``crew`` it also handles the work orders."""

    def __init__(self, chapters: list[Chapter], desk: Desk, say: Say, *, page: str, crew: bool) -> None:
        """``page`` is the dashboard's address, ``say`` prints a line for a person."""
        self.chapters = chapters
        self._desk = desk
        self._say = say
        self._page = page
        self._crew = crew
        self._begun: set[str] = set()

    @property
    def done(self) -> bool:
        """Whether the loop went all the way for every cause."""
        return all(chapter.done for chapter in self.chapters)

    async def look(self, now: datetime) -> None:
        """Look at everything once; ``now`` is story time."""
        alerts = await self._desk.alerts()
        for chapter in self.chapters:
            if now < chapter.start:
                continue
            if chapter.id not in self._begun:
                self._begun.add(chapter.id)
                self._say(f"{chapter.start:%H:%M} {chapter.title} began ({chapter.asset}, {chapter.lifeline})")
            await self._follow(chapter, alerts, now)
        if self._crew:
            await self._handle_others(alerts, now)

    async def _follow(self, chapter: Chapter, alerts: list[AlertAnswer], now: datetime) -> None:
        if "alert" not in chapter.times:
            self._find_alert(chapter, alerts)
            self._tell_lead(chapter, alerts)
        if chapter.alert is None or not chapter.is_danger or chapter.done:
            return
        chapter.alert = alert = await self._desk.alert(chapter.alert.id)
        if alert.warning is None:
            return
        await self._follow_warning(chapter, alert, alert.warning)
        if alert.work_order is not None:
            await self._follow_order(chapter, alert.work_order, now)

    def _find_alert(self, chapter: Chapter, alerts: list[AlertAnswer]) -> None:
        possible = [alert for alert in alerts if chapter.explains(alert)]
        # Of several alerts of one cause the story follows one that was published, at the very asset if there is one.
        possible.sort(key=lambda alert: (alert.warning is None, alert.asset != chapter.asset))
        if not possible or (chapter.is_danger and possible[0].warning is None):
            return
        chapter.alert = possible[0]
        chapter.times["alert"] = datetime.now(UTC)
        detected = chapter.alert.detected_at
        minutes = (detected - chapter.start).total_seconds() / 60
        self._say(
            f"{detected:%H:%M} {chapter.title}: {_found(minutes)} "
            f"— {chapter.alert.explanation.en} {self._page}/#/alerts/{chapter.alert.id}"
        )

    def _tell_lead(self, chapter: Chapter, alerts: list[AlertAnswer]) -> None:
        """How long before the water passed the first grade it was expected to."""
        lead = chapter.lead(alerts) if chapter.alert is not None else None
        if lead is not None:
            minutes = lead.total_seconds() / 60
            self._say(f"      {chapter.title}: warning {minutes:.0f} min before the water passed 15 cm")

    async def _follow_warning(self, chapter: Chapter, alert: AlertDetailAnswer, warning_id: UUID) -> None:
        if "warning" not in chapter.times:
            warning = await self._desk.warning(warning_id)
            if warning.published_at is None:
                return
            chapter.times["warning"] = warning.published_at
            chapter.trace_rank = _trace_rank(alert, chapter.asset)
            self._say(f"      {chapter.title}: warning published: {warning.headline.en}")
        if "webhook" not in chapter.times:
            notification = await self._desk.delivered(warning_id)
            if notification is not None and notification.delivered_at is not None:
                chapter.times["webhook"] = notification.delivered_at
                self._say(f"      {chapter.title}: webhook delivered to {notification.receiver}, signature verified")

    async def _follow_order(self, chapter: Chapter, order_id: UUID, now: datetime) -> None:
        order = await self._desk.work_order(order_id)
        state = order.state
        if self._crew:
            state = await self._desk.handle(order, repaired=now >= chapter.end)
        if state == "closed" and "order_closed" not in chapter.times:
            chapter.times["order_closed"] = datetime.now(UTC)
            self._say(f"      {chapter.title}: sensors normal, work order verified and closed")

    async def _handle_others(self, alerts: list[AlertAnswer], now: datetime) -> None:
        """Orders of alerts that are not the one a chapter follows: a second manhole, a second low point."""
        followed = {chapter.alert.id for chapter in self.chapters if chapter.alert is not None}
        for alert in alerts:
            if alert.work_order is None or alert.id in followed:
                continue
            order = await self._desk.work_order(alert.work_order)
            if order.moves:
                causes = [chapter.end for chapter in self.chapters if chapter.explains(alert)]
                await self._desk.handle(order, repaired=now >= max(causes, default=now))

    async def summary(self) -> dict[str, Any]:
        """What came of it, as one JSON object."""
        alerts = await self._desk.alerts()
        false_alarms = unexplained(alerts, self.chapters)
        return {
            "passed": self.done,
            "chapters": [_chapter_summary(chapter) for chapter in self.chapters],
            "alerts": len(alerts),
            "false_alarms": [
                {
                    "kind": alert.kind,
                    "asset": alert.asset,
                    "detected_at": alert.detected_at.isoformat(),
                    "published": alert.warning is not None,
                }
                for alert in false_alarms
            ],
        }


def _found(minutes: float) -> str:
    if minutes >= _LONG_MIN:
        return f"found after {minutes / 1440:.1f} days"
    return f"found after {minutes:.0f} min" if minutes >= 0 else f"foreseen {-minutes:.0f} min ahead"


def _trace_rank(alert: AlertDetailAnswer, asset: str) -> int | None:
    candidates = [] if alert.trace is None else [candidate.asset for candidate in alert.trace.candidates]
    return candidates.index(asset) + 1 if asset in candidates else None


def _chapter_summary(chapter: Chapter) -> dict[str, Any]:
    alert = chapter.alert
    return {
        "id": chapter.id,
        "kind": chapter.kind,
        "asset": chapter.asset,
        "passed": chapter.done,
        "started_at": chapter.start.isoformat(),
        "ended_at": chapter.end.isoformat(),
        "detected_at": None if alert is None else alert.detected_at.isoformat(),
        "alert": None if alert is None else str(alert.id),
        "trace_rank": chapter.trace_rank,
        "steps": {step: moment.isoformat() for step, moment in sorted(chapter.times.items())},
    }
