"""One request to the service as a value: what is asked, and what kind of answer comes. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from pydantic import BaseModel

AnswerT = TypeVar("AnswerT")


class Method(StrEnum):
    """How the service is asked."""

    GET = "GET"
    POST = "POST"


@dataclass(frozen=True, slots=True)
class Call(Generic[AnswerT]):
    """A request whose answer is an ``AnswerT``.

    ``route`` is the path as the API's description writes it, filled in from ``places``. What is ``None`` in ``query``
    or ``body`` is left out. ``version``: the thing is changed only if it is still this version of it (``If-Match``).
    """

    answer: type[AnswerT]
    route: str
    method: Method = Method.GET
    places: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    version: int | None = None

    @property
    def path(self) -> str:
        """The path with its places filled in, whatever characters their names have."""
        return self.route.format(**{name: quote(value, safe="") for name, value in self.places.items()})

    @property
    def parameters(self) -> dict[str, Any]:
        """The query as it is sent: moments in RFC 3339, several values of one name as a list."""
        return {name: _sent(value) for name, value in self.query.items() if value is not None}

    @property
    def content(self) -> dict[str, Any] | None:
        """The body as it is sent."""
        if self.body is None:
            return None
        return {name: _sent(value) for name, value in self.body.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Listing(Call[AnswerT]):
    """A list that comes in pages; ``AnswerT`` is one item of it."""


class Page(BaseModel, Generic[AnswerT]):
    """One page of a list; ``next`` is the cursor of the page behind it, absent on the last one."""

    items: list[AnswerT]
    next: str | None = None


def _sent(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
