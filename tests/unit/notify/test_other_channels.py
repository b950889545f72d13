"""Alertmanager, e-mail, text messages, calls, sirens: what is sent and what the answers mean."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest

from services.alerts.notify.channels.catalogue import CHANNELS
from services.alerts.notify.channels.contract import (
    Answer,
    HttpRequest,
    Judgement,
    MailRequest,
    NotSendableError,
    Publication,
)
from services.core.channel import Channel
from tests.unit.notify.told import CONTENT, IDENTIFIER, NOW, message, receiver

TEMPLATE = '{"to":"{{phone}}","text":"{{headline}}","level":{{severity}},"key":"{{token}}"}'


def _request(channel: Channel, said: Any = None, **more: Any) -> Any:
    return CHANNELS[channel].request(said or message(), receiver(channel, **more))


def _judge(channel: Channel, answer: Answer, **settings: Any) -> Judgement:
    return CHANNELS[channel].judge(answer, receiver(channel, settings=settings), NOW)


def test_every_channel_has_its_kind() -> None:
    assert set(CHANNELS) == set(Channel)


def test_alertmanager_is_told_what_version_4_asks_for() -> None:
    payload = json.loads(_request(Channel.ALERTMANAGER).content)
    assert set(payload) == {
        *("version", "groupKey", "truncatedAlerts", "status", "receiver", "groupLabels"),
        *("commonLabels", "commonAnnotations", "externalURL", "alerts"),
    }
    assert (payload["version"], payload["status"], payload["receiver"]) == ("4", "firing", "dispatch")
    (alert,) = payload["alerts"]
    assert set(alert) == {
        *("status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint"),
    }
    assert alert["labels"]["alertname"] == "methane-high"
    assert alert["endsAt"] == "0001-01-01T00:00:00Z"
    assert all(isinstance(value, str) for value in (alert["labels"] | alert["annotations"]).values())


def test_a_lifted_warning_resolves_the_same_alert_whatever_its_level_was() -> None:
    fired = json.loads(_request(Channel.ALERTMANAGER).content)
    raised = json.loads(_request(Channel.ALERTMANAGER, message("warning.updated", severity=4)).content)
    over = message("warning.lifted", severity=4, lifted_at="2026-01-05T10:00:00Z")
    resolved = json.loads(_request(Channel.ALERTMANAGER, over).content)
    assert resolved["status"] == resolved["alerts"][0]["status"] == "resolved"
    assert resolved["alerts"][0]["endsAt"] == "2026-01-05T10:00:00Z"
    for payload in (raised, resolved):
        assert payload["alerts"][0]["fingerprint"] == fired["alerts"][0]["fingerprint"]
        assert payload["groupKey"] == fired["groupKey"]


def test_a_letter_has_both_languages_one_identity_and_asks_for_no_answer() -> None:
    request = _request(Channel.EMAIL, url="mailto:duty@gas.example,chief@gas.example")
    assert isinstance(request, MailRequest)
    assert request.recipients == ("duty@gas.example", "chief@gas.example")
    letter = request.letter
    assert "检查井甲烷浓度超限" in letter["Subject"]
    assert letter["Message-ID"] == f"<{IDENTIFIER}@lifeline>"
    assert letter["Auto-Submitted"] == "auto-generated"
    text = letter.get_content()
    for part in ("Keep away.", "疏散人员。", "31 %LEL", "https://city.example/#/alerts/7"):
        assert part in text


def test_a_headline_cannot_add_a_header_to_a_letter() -> None:
    said = message(headline={"en": "Leak\r\nBcc: all@city.example", "zh": "泄漏"})
    letter = _request(Channel.EMAIL, said, url="mailto:duty@gas.example").letter
    assert letter["Bcc"] is None
    assert "\n" not in letter["Subject"]


@pytest.mark.parametrize(
    ("status", "delivered", "final"), [(250, True, False), (421, False, False), (535, False, False), (550, False, True)]
)
def test_a_mail_servers_reply_is_judged(status: int, *, delivered: bool, final: bool) -> None:
    judged = _judge(Channel.EMAIL, Answer(status, "said"))
    assert (judged.delivered, judged.final) == (delivered, final)


def test_a_template_is_filled_as_json_asks_for() -> None:
    settings = {"body": TEMPLATE, "phone": "555-0101", "language": "en"}
    request = _request(Channel.SMS, settings=settings, secrets={"token": 'to"ken'})
    assert isinstance(request, HttpRequest)
    assert json.loads(request.content) == {
        "to": "555-0101",
        "text": 'Warning: Methane "too high" at Manhole 1 & 2',
        "level": 3,
        "key": 'to"ken',
    }


def test_a_template_is_filled_as_a_form_and_an_address_ask_for() -> None:
    form = "application/x-www-form-urlencoded"
    settings = {"body": "to={{phone}}&text={{headline}}", "content_type": form, "phone": "+86 555", "language": "en"}
    request = _request(
        Channel.SMS, settings=settings, url="https://sms.example/{{zone}}?k={{token}}", secrets={"token": "a b&c"}
    )
    fields = parse_qs(request.content.decode())
    assert fields == {"to": ["+86 555"], "text": ['Warning: Methane "too high" at Manhole 1 & 2']}
    assert request.url == "https://sms.example/G1?k=a%20b%26c"
    assert request.shown_url == "https://sms.example/G1?k={{token}}"


def test_what_is_put_into_a_template_is_not_filled_again() -> None:
    said = message(headline={"en": "{{token}}", "zh": "{{token}}"})
    settings = {"body": '{"text":"{{headline}}"}', "phone": "5550"}
    text = _request(Channel.SMS, said, settings=settings, secrets={"token": "hidden-1"}).content.decode()
    assert "hidden-1" not in text


def test_a_call_reads_no_address_out() -> None:
    settings = {"phone": "5550", "language": "zh"}
    assert "https://" not in _request(Channel.VOICE, settings=settings).content.decode()
    assert "https://" in _request(Channel.SMS, settings=settings).content.decode()


@pytest.mark.parametrize(
    ("answer", "delivered", "settings"),
    [
        (Answer(200, ""), True, {}),
        (Answer(500, ""), False, {}),
        (Answer(200, '{"code":"OK"}'), True, {"field": "code", "equals": ["OK"]}),
        (Answer(200, '{"code":"LIMIT"}'), False, {"field": "code", "equals": ["OK"]}),
        (Answer(200, '{"data":[{"code":0}]}'), True, {"field": "data.0.code", "equals": [0]}),
        (Answer(200, "no json"), False, {"field": "code", "equals": ["OK"]}),
        (Answer(201, ""), False, {"status": [200]}),
        (Answer(302, ""), True, {"status": [302]}),
        (Answer(200, '{"ok":true}'), True, {"field": "ok", "equals": ["true"]}),
    ],
)
def test_what_counts_as_delivered_is_the_receivers_to_say(
    answer: Answer, settings: dict[str, Any], *, delivered: bool
) -> None:
    assert _judge(Channel.SMS, answer, delivered=settings).delivered is delivered


def test_a_zones_state_names_the_zone_and_how_long_devices_have() -> None:
    request = _request(Channel.MQTT, url="mqtt:", settings={"acknowledged_within_s": 5})
    assert request == Publication("gas", "G1", "warning.published", timedelta(seconds=5))


@pytest.mark.parametrize("zone", ["", "G1/ack", "+", "#", "片区"])
def test_a_zone_that_cannot_stand_in_a_topic_is_refused(zone: str) -> None:
    with pytest.raises(NotSendableError):
        _request(Channel.MQTT, message(zone=zone), url="mqtt:")


def test_a_cap_message_is_sent_as_it_went_out() -> None:
    said = message()
    object.__setattr__(said, "body", "<alert/>")
    request = _request(Channel.CAP, said)
    assert request.content == b"<alert/>"
    assert request.headers["content-type"].startswith("application/cap+xml")
    assert CONTENT["zone"] == "G1"
