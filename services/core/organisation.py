"""Who owns assets and who is told."""

from dataclasses import dataclass
from enum import StrEnum

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
    """A webhook end point of an organisation; ``secret`` is a Standard Webhooks ``whsec_…`` key."""

    id: str
    organisation: str
    url: str
    secret: str
    minimum_severity: int
