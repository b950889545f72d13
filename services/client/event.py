"""Live events as the service sends them, with the answer that each carries."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from httpx_sse import ServerSentEvent
from pydantic import TypeAdapter

from services.client.answers import AlertAnswer, LatestAnswer, WarningAnswer, WorkOrderAnswer
from services.client.call import Page

Content = AlertAnswer | WarningAnswer | WorkOrderAnswer | Page[LatestAnswer]

_CONTENTS: dict[str, TypeAdapter[Content]] = {
    "alert": TypeAdapter(AlertAnswer),
    "warning": TypeAdapter(WarningAnswer),
    "work-order": TypeAdapter(WorkOrderAnswer),
    "latest": TypeAdapter(Page[LatestAnswer]),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """What a listener wants to hear; what is ``None`` or empty leaves nothing out.

    ``types`` are ``alert``, ``warning``, ``work-order``, ``latest``; ``severity`` is the lowest that counts.
    """

    types: Sequence[str] = ()
    lifeline: str | None = None
    zone: str | None = None
    severity: int | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        """The query of the stream."""
        query = {"type": list(self.types), "lifeline": self.lifeline, "zone": self.zone, "severity": self.severity}
        return {name: value for name, value in query.items() if value not in (None, [])}


@dataclass(frozen=True, slots=True)
class Event:
    """Something has changed: ``content`` is the whole thing as it is now.

    ``position`` is where a later listener goes on. New values (``latest``) are not sent again and have that of the
    event before them, if there was one.
    """

    type: str
    position: str | None
    content: Content


def read_event(sent: ServerSentEvent) -> Event | None:
    """The event as a value; ``None``: of a type that this client does not know.

    Raises:
        ValidationError: it is not what the API's description says.
    """
    content = _CONTENTS.get(sent.event)
    return None if content is None else Event(sent.event, sent.id or None, content.validate_json(sent.data))
