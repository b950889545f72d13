"""What a channel does: a message and a receiver become a request, and an answer is read. Pure; nothing is sent here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any, Protocol
from urllib.parse import quote
from uuid import UUID

from services.core.channel import PLACEHOLDER, Pace
from services.core.organisation import Receiver

LONGEST_WAIT = timedelta(hours=1)
"""A receiver that asks for more patience than this gets no more."""


class NotSendableError(Exception):
    """A message cannot be put as the receiver's description wants it; the words repeat no secret."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it is stored, at the moment of an attempt."""

    id: UUID
    type: str
    body: str
    now: datetime

    def content(self) -> Mapping[str, Any]:
        """What the body says under ``data``.

        Raises:
            NotSendableError: the body is none of ours.
        """
        try:
            content = json.loads(self.body)["data"]
        except (ValueError, KeyError, TypeError):
            raise NotSendableError("the stored message is no webhook body") from None
        return dict(content)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What is sent. ``hidden`` are signatures that must not be kept; ``shown_url`` is the address without secrets."""

    url: str
    shown_url: str
    content: bytes
    headers: Mapping[str, str]
    method: str = "POST"
    hidden: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class MailRequest:
    """A letter; its sender is the service's to set."""

    recipients: tuple[str, ...]
    letter: EmailMessage


@dataclass(frozen=True, slots=True)
class Publication:
    """The state of a zone to the broker; with ``acknowledged_within`` a device has to answer in that time."""

    lifeline: str
    zone: str
    type: str
    acknowledged_within: timedelta


Request = HttpRequest | MailRequest | Publication


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the HTTP or SMTP status, headers by small name, and the beginning of the text."""

    status: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an answer means.

    ``wait`` is how long the receiver asks to be left alone, ``final`` that it will never take this message.
    """

    delivered: bool
    error: str | None = None
    wait: timedelta | None = None
    final: bool = False


class ChannelKind(Protocol):
    """One way of telling."""

    @property
    def pace(self) -> Pace | None:
        """How fast a receiver may be told; ``None``: as fast as it answers."""
        ...

    def request(self, message: Message, receiver: Receiver) -> Request:
        """What to send.

        Raises:
            NotSendableError: it cannot be put so.
        """
        ...

    def judge(self, answer: Answer, receiver: Receiver, now: datetime) -> Judgement:
        """What the answer means."""
        ...


def filled(text: str, secrets: Mapping[str, str]) -> str:
    """A text with the secrets it names; one that is missing stays a placeholder, which the receiver will refuse."""
    return PLACEHOLDER.sub(lambda found: secrets.get(found[1], found[0]), text)


def filled_address(receiver: Receiver) -> str:
    """The receiver's address with the secrets it names, written as an address wants them."""
    return filled(receiver.url, {name: quote(value, safe="") for name, value in receiver.secrets.items()})


def own_headers(receiver: Receiver) -> dict[str, str]:
    """The headers that the receiver's description adds, with their secrets."""
    headers = receiver.settings.get("headers", {})
    return {name.lower(): filled(value, receiver.secrets) for name, value in headers.items()}
