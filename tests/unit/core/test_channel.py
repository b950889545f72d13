"""Which descriptions of receivers can be used, and that secrets are taken out of them."""

from typing import Any

import pytest

from services.core.channel import (
    Channel,
    ReceiverNotValidError,
    check_receiver,
    check_signing_secret,
    headers_without_secrets,
    named_secrets,
    new_signing_secret,
    without_secrets,
)

SMS = {"phone": "555-0101", "body": '{"to": "{{phone}}", "text": "{{text}}", "key": "{{token}}"}'}


@pytest.mark.parametrize(
    ("channel", "url", "settings", "secrets"),
    [
        (Channel.WEBHOOK, "https://receiver.example/in", {}, {}),
        (Channel.WEBHOOK, "https://receiver.example/in", {"headers": {"X-Key": "{{key}}"}}, {"key": "secret-1"}),
        (Channel.WECOM, "https://robot.example/send?key={{key}}", {"language": "zh"}, {"key": "secret-1"}),
        (Channel.EMAIL, "mailto:a@city.example,b@city.example", {}, {}),
        (Channel.SMS, "https://sms.example/{{zone}}", SMS, {"token": "secret-1"}),
        (Channel.MQTT, "mqtt:", {"acknowledged_within_s": 5}, {}),
        (Channel.CAP, "https://cap.example/in", {}, {}),
    ],
)
def test_a_receiver_that_can_be_told_is_accepted(
    channel: Channel, url: str, settings: dict[str, Any], secrets: dict[str, str]
) -> None:
    check_receiver(channel, url, settings, secrets)


@pytest.mark.parametrize(
    ("channel", "url", "settings", "secrets", "field"),
    [
        (Channel.WEBHOOK, "ftp://receiver.example/", {}, {}, "url"),
        (Channel.WEBHOOK, "http://[half/", {}, {}, "url"),
        (Channel.WEBHOOK, "http:///path", {}, {}, "url"),
        (Channel.WEBHOOK, "https://{{host}}/", {}, {"host": "secret-1"}, "url"),
        (Channel.WEBHOOK, "https://receiver.example/?k={{missing}}", {}, {}, "url"),
        (Channel.WEBHOOK, "https://receiver.example/{{zone}}", {}, {}, "url"),
        (Channel.WEBHOOK, "https://r.example/", {"headers": {"Host": "x"}}, {}, "settings.headers.Host"),
        (Channel.WEBHOOK, "https://r.example/", {"headers": {"webhook-id": "x"}}, {}, "settings.headers.webhook-id"),
        (Channel.WEBHOOK, "https://r.example/", {"headers": {"X-A": "1\r\nX-B: 2"}}, {}, "settings.headers.X-A"),
        (Channel.WEBHOOK, "https://r.example/", {"headers": ["X-A"]}, {}, "settings.headers"),
        (Channel.WEBHOOK, "https://r.example/", {"body": "{}"}, {}, "settings.body"),
        (Channel.WEBHOOK, "https://r.example/", {"language": "fr"}, {}, "settings.language"),
        (Channel.WEBHOOK, "https://r.example/", {}, {"key": "short"}, "secrets.key"),
        (Channel.WEBHOOK, "https://r.example/", {}, {"no name": "secret-1"}, "secrets.no name"),
        (Channel.EMAIL, "mailto:nobody", {}, {}, "url"),
        (Channel.EMAIL, "mailto:a@city.example\r\nBcc:b@city.example", {}, {}, "url"),
        (Channel.MQTT, "mqtt://other.example/", {}, {}, "url"),
        (Channel.MQTT, "mqtt:", {"acknowledged_within_s": 3600}, {}, "settings.acknowledged_within_s"),
        (Channel.SMS, "https://sms.example/", {"body": "{}"}, {}, "settings.phone"),
        (Channel.SMS, "https://sms.example/", {"phone": "5550", "body": "{"}, {}, "settings.body"),
        (Channel.SMS, "https://sms.example/", {"phone": "5550", "body": '"{{token}}"'}, {}, "settings.body"),
        (Channel.SMS, "https://sms.example/", {"phone": "5550", "method": "DELETE"}, {}, "settings.method"),
        (Channel.SMS, "https://sms.example/", {"phone": "5550", "delivered": {"field": "x"}}, {}, "settings.delivered"),
    ],
)
def test_a_receiver_that_cannot_is_refused_with_the_field(
    channel: Channel, url: str, settings: dict[str, Any], secrets: dict[str, str], field: str
) -> None:
    with pytest.raises(ReceiverNotValidError) as refused:
        check_receiver(channel, url, settings, secrets)
    assert refused.value.field == field
    assert not any(secret in str(refused.value) for secret in secrets.values())


def test_what_stands_in_a_query_is_kept_apart() -> None:
    url, secrets = without_secrets(Channel.WECOM, "https://robot.example/send?key=0123-4567&v=2")
    assert (url, secrets) == ("https://robot.example/send?key={{key}}&v=2", {"key": "0123-4567"})
    assert without_secrets(Channel.WECOM, url) == (url, {})


def test_a_feishu_robots_token_is_kept_apart() -> None:
    url, secrets = without_secrets(Channel.FEISHU, "https://robot.example/open-apis/bot/v2/hook/0123-4567")
    assert (url, secrets) == ("https://robot.example/open-apis/bot/v2/hook/{{token}}", {"token": "0123-4567"})
    assert without_secrets(Channel.FEISHU, url) == (url, {})


def test_a_password_in_an_address_is_refused_without_repeating_it() -> None:
    with pytest.raises(ReceiverNotValidError) as refused:
        without_secrets(Channel.WEBHOOK, "https://user:pass-word@receiver.example/")
    assert "pass-word" not in str(refused.value)


def test_what_stands_in_a_header_is_kept_apart() -> None:
    shown, secrets = headers_without_secrets({"Authorization": "Bearer 0123", "X-A": "{{key}}", "X-Version": "2"})
    assert shown == {"Authorization": "{{header_Authorization}}", "X-A": "{{key}}", "X-Version": "2"}
    assert secrets == {"header_Authorization": "Bearer 0123"}


def test_the_secrets_that_a_description_uses_are_known() -> None:
    settings = {"headers": {"X-A": "{{first}}"}, "body": '{"k": "{{second}}"}'}
    assert named_secrets("https://r.example/?k={{third}}", settings) == {"first", "second", "third"}


def test_signing_secrets_are_those_of_standard_webhooks() -> None:
    check_signing_secret(Channel.WEBHOOK, new_signing_secret(b"x" * 32))
    check_signing_secret(Channel.DINGTALK, "SEC0123")
    for secret in ("", "whsec_", "SEC0123", "whsec_!", new_signing_secret(b"x" * 23), new_signing_secret(b"x" * 65)):
        with pytest.raises(ReceiverNotValidError):
            check_signing_secret(Channel.WEBHOOK, secret)
    with pytest.raises(ReceiverNotValidError):
        check_signing_secret(Channel.CAP, "SEC0123")
