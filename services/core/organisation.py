"""Who owns assets and who is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from services.core.channel import Channel
from services.core.lifeline import Lifeline
from services.core.text import Text


class OrganisationRole(StrEnum):
    """What an organisation does in the loop."""

    OWNER = "owner"
    """权属单位: owns and repairs assets."""
    REGULATOR = "regulator"
    """行业主管部门: supervises owners."""
    EMERGENCY = "emergency"
    """应急管理: commands when several organisations act together."""
    CENTRE = "centre"
    """监测中心: watches and judges."""


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation and the lifelines it answers for."""

    id: str
    name: Text
    role: OrganisationRole
    lifelines: frozenset[Lifeline]


@dataclass(frozen=True, slots=True)
class Person:
    """A person by name and post (责任人), reachable by phone."""

    id: str
    organisation: str
    name: str
    post: Text
    phone: str


@dataclass(frozen=True, slots=True)
class Receiver:
    """A way to tell an organisation.

    ``secret`` signs what is sent (Standard Webhooks: a ``whsec_…`` key; empty: nothing is signed). While a secret is
    being changed ``previous_secret`` is valid beside it. ``secrets`` are those that ``url`` and ``settings`` name.
    """

    id: str
    organisation: str
    url: str
    secret: str = field(repr=False)
    minimum_severity: int
    channel: Channel = Channel.WEBHOOK
    settings: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    previous_secret: str | None = field(default=None, repr=False)
    enabled: bool = True
