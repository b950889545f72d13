"""Webhooks: what other implementations of Standard Webhooks accept."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from services.alerts.notify.channels.contract import Answer, Message, NotSendableError
from services.alerts.notify.channels.webhook import WebhookChannel, signature
from services.core.channel import Channel, new_signing_secret
from services.core.organisation import Receiver
from services.demo.receiver import is_genuine
from tests.unit.notify.told import IDENTIFIER, NOW, message, receiver

OLD, NEW = (new_signing_secret(bytes([number]) * 32) for number in (1, 2))
CHANNEL = WebhookChannel()


def _now_sent(to: Receiver) -> tuple[bytes, dict[str, str]]:
    """A request made now: the library refuses what is older than five minutes."""
    said = message()
    request = CHANNEL.request(Message(said.id, said.type, said.body, datetime.now(UTC)), to)
    return request.content, dict(request.headers)


def test_the_library_verifies_what_we_sign() -> None:
    content, headers = _now_sent(receiver(Channel.WEBHOOK, secret=NEW))
    assert Webhook(NEW).verify(content, headers)["type"] == "warning.published"
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(content, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(content.replace(b"gas", b"gaz", 1), headers)


def test_the_signature_is_computed_as_the_specification_says() -> None:
    said = message()
    signed = f"{IDENTIFIER}.{int(NOW.timestamp())}.{said.body}".encode()
    digest = hmac.new(base64.b64decode(NEW.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    assert signature(said, NEW) == f"v1,{base64.b64encode(digest).decode()}"


def test_our_receiver_verifies_what_the_library_signs() -> None:
    said, now = message(), datetime.now(UTC)
    headers = {
        "webhook-id": str(said.id),
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(NEW).sign(str(said.id), now, said.body),
    }
    assert is_genuine(NEW, said.body.encode(), headers)
    assert not is_genuine(OLD, said.body.encode(), headers)


def test_while_a_secret_is_changed_both_are_valid() -> None:
    content, headers = _now_sent(receiver(Channel.WEBHOOK, secret=NEW, previous_secret=OLD))
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (OLD, NEW):
        assert Webhook(secret).verify(content, headers)["data"]["zone"] == "G1"
    with pytest.raises(WebhookVerificationError):
        Webhook(new_signing_secret(b"x" * 32)).verify(content, headers)


def test_every_attempt_has_the_same_identifier_and_its_own_time() -> None:
    said = message()
    to = receiver(Channel.WEBHOOK, secret=NEW)
    later = Message(said.id, said.type, said.body, NOW.replace(minute=30))
    first, second = CHANNEL.request(said, to).headers, CHANNEL.request(later, to).headers
    assert first["webhook-id"] == second["webhook-id"] == str(IDENTIFIER)
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 1800
    assert first["webhook-signature"] != second["webhook-signature"]


def test_own_headers_carry_their_secrets_and_cannot_replace_the_signature() -> None:
    headers = {"X-Api-Key": "Key {{token}}", "Webhook-Id": "forged"}
    to = receiver(Channel.WEBHOOK, secret=NEW, settings={"headers": headers}, secrets={"token": "open sesame"})
    sent = CHANNEL.request(message(), to).headers
    assert sent["x-api-key"] == "Key open sesame"
    assert sent["webhook-id"] == str(IDENTIFIER)


def test_a_secret_in_the_address_is_filled_in_and_not_shown() -> None:
    to = receiver(Channel.WEBHOOK, "https://receiver.example/in?key={{key}}", NEW, secrets={"key": "a b&c"})
    request = CHANNEL.request(message(), to)
    assert request.url == "https://receiver.example/in?key=a%20b%26c"
    assert request.shown_url == "https://receiver.example/in?key={{key}}"


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!", "whsec_" + "A" * 5])
def test_a_secret_that_is_none_is_said_without_repeating_it(secret: str) -> None:
    with pytest.raises(NotSendableError) as refused:
        CHANNEL.request(message(), receiver(Channel.WEBHOOK, secret=secret))
    assert "AAAAA" not in str(refused.value)


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (204, {}, (True, None, False)),
        (500, {}, (False, None, False)),
        (307, {}, (False, None, False)),
        (410, {}, (False, None, True)),
        (429, {"retry-after": "120"}, (False, 120.0, False)),
        (503, {"retry-after": "Mon, 05 Jan 2026 09:01:30 GMT"}, (False, 60.0, False)),
        (429, {"retry-after": "99999999999"}, (False, 3600.0, False)),
        (429, {"retry-after": "Mon, 05 Jan 2015 09:01:30 GMT"}, (False, 0.0, False)),
        (429, {"retry-after": "soon"}, (False, None, False)),
        (500, {"retry-after": "120"}, (False, None, False)),
    ],
)
def test_an_answer_is_judged_by_its_status_and_its_wish_to_be_left_alone(
    status: int, headers: dict[str, str], expected: tuple[Any, ...]
) -> None:
    judged = CHANNEL.judge(Answer(status, "", headers), receiver(Channel.WEBHOOK), NOW)
    wait_s = None if judged.wait is None else judged.wait.total_seconds()
    assert (judged.delivered, wait_s, judged.final) == expected
