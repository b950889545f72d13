"""Webhooks signed after Standard Webhooks 1.0."""

from datetime import datetime

from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from services.alerts.notify.channels.contract import (
    Answer,
    HttpRequest,
    Judgement,
    Message,
    NotSendableError,
    filled_address,
    own_headers,
)
from services.alerts.notify.channels.http_answer import judge_status
from services.core.organisation import Receiver


class WebhookChannel:
    """The body as it is stored, with one signature for each secret that is valid."""

    pace = None

    def request(self, message: Message, receiver: Receiver) -> HttpRequest:
        """The identifier is the same in every attempt, the timestamp is not.

        Raises:
            NotSendableError: a secret is empty or no base64.
        """
        signatures = [signature(message, secret) for secret in _valid_secrets(receiver)]
        headers = own_headers(receiver) | {
            "content-type": "application/json",
            "webhook-id": str(message.id),
            "webhook-timestamp": str(int(message.now.timestamp())),
            "webhook-signature": " ".join(signatures),
        }
        return HttpRequest(
            url=filled_address(receiver),
            shown_url=receiver.url,
            content=message.body.encode(),
            headers=headers,
            hidden=tuple(signatures),
        )

    def judge(self, answer: Answer, receiver: Receiver, now: datetime) -> Judgement:  # noqa: ARG002  # the contract's
        """By the status alone."""
        return judge_status(answer, now)


def signature(message: Message, secret: str) -> str:
    """The signature of the message under one secret.

    Raises:
        NotSendableError: the secret is none; the words of the library might repeat it.
    """
    try:
        return Webhook(secret).sign(str(message.id), message.now, message.body)
    except (ValueError, RuntimeError, EmptyWebhookSecretError) as failure:
        raise NotSendableError(f"the message cannot be signed ({type(failure).__name__})") from None


def _valid_secrets(receiver: Receiver) -> list[str]:
    return [receiver.secret, *([receiver.previous_secret] if receiver.previous_secret else [])]
