"""What the API asks and answers about receivers, and how a receiver is shown: never with a secret."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.api.schemas import Answer, NotificationAnswer
from services.core.channel import Channel
from services.core.organisation import Receiver
from services.core.store.receiver_health import ReceiverHealth

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}$")]
SecretValue = Annotated[str, Field(min_length=6, max_length=4000)]
MOST_SECRETS = 20
LONGEST_OVERLAP = timedelta(days=30)


class ReceiverHealthAnswer(Answer):
    """How a receiver is doing."""

    state: Literal["unknown", "ok", "failing", "paused"] = Field(
        description="`paused`: left alone until `paused_until`, then tried by one message"
    )
    failures: int = Field(description="in a row")
    paused_until: datetime | None
    last_success_at: datetime | None
    last_failure_at: datetime | None
    last_error: str | None


class ReceiverAnswer(Answer):
    """A way to tell an organisation; secrets are named and never shown."""

    id: str
    organisation: str
    channel: Channel
    url: str = Field(description="`{{name}}` stands for a secret")
    minimum_severity: int
    settings: dict[str, Any]
    secrets: list[str] = Field(description="the names of the secrets that are kept")
    is_signed: bool = Field(description="whether a signing secret is kept")
    has_previous_secret: bool = Field(description="whether the signing secret before it is still valid")
    enabled: bool
    health: ReceiverHealthAnswer


class CreatedReceiverAnswer(ReceiverAnswer):
    """A new receiver."""

    secret: str | None = Field(description="the signing secret that was made for it; shown this once")


class RotatedSecretAnswer(BaseModel):
    """A new signing secret; the one before it stays valid for a while."""

    secret: str | None = Field(description="the secret that was made; shown this once. null: it was the caller's own")
    previous_until: datetime


class ReceiverRequest(BaseModel):
    """A receiver to be created."""

    model_config = ConfigDict(extra="forbid")

    id: Identifier
    organisation: str = Field(max_length=64)
    channel: Channel = Channel.WEBHOOK
    url: str = Field(max_length=2000, description="`mailto:` for e-mail, `mqtt:` for sirens and signs, else http(s)")
    minimum_severity: int = Field(default=1, ge=0, le=4)
    settings: dict[str, Any] = Field(default_factory=dict)
    secret: SecretValue | None = Field(
        default=None, description="what messages are signed with; webhooks get one where none is given"
    )
    secrets: dict[str, SecretValue] = Field(default_factory=dict, max_length=MOST_SECRETS)


class ReceiverChangeRequest(BaseModel):
    """What is to be changed; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    url: str | None = Field(default=None, max_length=2000)
    minimum_severity: int | None = Field(default=None, ge=0, le=4)
    settings: dict[str, Any] | None = None
    secrets: dict[str, SecretValue] | None = Field(
        default=None, max_length=MOST_SECRETS, description="added to those that are kept"
    )
    enabled: bool | None = None


class RotateSecretRequest(BaseModel):
    """A new signing secret; without one it is made."""

    model_config = ConfigDict(extra="forbid")

    secret: SecretValue | None = None
    overlap_s: float = Field(
        default=86_400.0,
        ge=0,
        le=LONGEST_OVERLAP.total_seconds(),
        description="for so long messages are signed with the old one as well",
    )


class AcknowledgementAnswer(Answer):
    """What a siren or a sign answered."""

    device: str
    done: bool
    reason: str | None
    at: datetime


class NotificationDetailAnswer(NotificationAnswer):
    """A message as it was sent, with every attempt."""

    body: str
    acknowledgements: list[AcknowledgementAnswer]


class DeliveryFiguresAnswer(Answer):
    """How well messages reach a receiver."""

    receiver: str
    messages: int
    delivered: int
    failed: int
    pending: int
    success: float | None = Field(description="delivered of those that are settled; null: none is")
    attempts: int
    median_ms: float | None = Field(description="how long an attempt took")
    p95_ms: float | None
    median_delay_s: float | None = Field(description="from the message being written to its delivery")


def health_answer(health: ReceiverHealth | None, now: datetime) -> ReceiverHealthAnswer:
    """How a receiver is doing, in a word and in numbers."""
    if health is None:
        return ReceiverHealthAnswer(
            state="unknown", failures=0, paused_until=None, last_success_at=None, last_failure_at=None, last_error=None
        )
    state: Literal["unknown", "ok", "failing", "paused"] = "ok" if health.last_success_at else "unknown"
    if health.failures:
        state = "failing"
    if health.paused_until is not None:
        state = "paused" if health.paused_until > now else "failing"
    return ReceiverHealthAnswer(
        state=state,
        failures=health.failures,
        paused_until=health.paused_until,
        last_success_at=health.last_success_at,
        last_failure_at=health.last_failure_at,
        last_error=health.last_error,
    )


def receiver_answer(receiver: Receiver, health: ReceiverHealth | None, now: datetime) -> ReceiverAnswer:
    """A receiver as it is shown."""
    return ReceiverAnswer(
        id=receiver.id,
        organisation=receiver.organisation,
        channel=receiver.channel,
        url=receiver.url,
        minimum_severity=receiver.minimum_severity,
        settings=dict(receiver.settings),
        secrets=sorted(receiver.secrets),
        is_signed=bool(receiver.secret),
        has_previous_secret=receiver.previous_secret is not None,
        enabled=receiver.enabled,
        health=health_answer(health, now),
    )


def audited(receiver: Receiver) -> dict[str, Any]:
    """What the audit trail keeps of a receiver."""
    return {
        "organisation": receiver.organisation,
        "channel": receiver.channel,
        "url": receiver.url,
        "minimum_severity": receiver.minimum_severity,
        "settings": dict(receiver.settings),
        "secrets": sorted(receiver.secrets),
        "enabled": receiver.enabled,
    }


class TestMessageAnswer(BaseModel):
    """A test message is on its way."""

    notification: UUID
