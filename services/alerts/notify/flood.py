"""When a receiver is told each thing by itself, and when many are told in one message. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.core.lifeline import Lifeline
from services.core.severity import Severity

WINDOW = timedelta(minutes=10)
"""Ten messages in ten minutes are what an operator can take (practice of alarm management)."""
OF_A_KIND = 3
"""So many of one kind of trouble say what is going on; a default."""
FIRST_SUMMARY_AFTER = timedelta(seconds=60)
_ALWAYS = frozenset({"warning.escalated", "warning.cancelled", "receiver.test"})
"""Told each by itself: somebody has not answered, or something wrong was said."""


@dataclass(frozen=True, slots=True)
class Told:
    """A message that a receiver has been sent: about which kind of trouble, how bad, and when."""

    lifeline: Lifeline
    kind: str
    severity: Severity
    at: datetime


def goes_alone(type_: str, news: Told, before: Iterable[Told], most: int) -> bool:
    """Whether news are a message of their own; ``before`` is what the receiver was sent lately, ``most`` how many.

    The first of each kind of trouble and what is worse than all before it of its kind always are, so that no new danger
    waits behind a flood; gas in a place where it may ignite is, every time.
    """
    if type_ in _ALWAYS or (news.lifeline is Lifeline.GAS and news.severity >= Severity.MAJOR):
        return True
    lately = [told for told in before if news.at - told.at < WINDOW]
    alike = [told for told in lately if (told.lifeline, told.kind) == (news.lifeline, news.kind)]
    if all(news.severity > told.severity for told in alike):
        return True
    return len(alike) < OF_A_KIND and len(lately) < most


def next_summary_at(now: datetime, last: datetime | None) -> datetime:
    """When what has gathered is told: a minute after it began, and then every ten minutes."""
    return now + FIRST_SUMMARY_AFTER if last is None else max(now + FIRST_SUMMARY_AFTER, last + WINDOW)
