"""Every channel against a real server: what arrives, what its answers lead to, what is written down of it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from services.core import wire
from services.core.broker_address import BrokerAddress
from services.core.cap_message import read_message
from services.core.channel import Channel
from services.core.organisation import Receiver
from services.demo.broker import EmbeddedBroker
from services.demo.ports import free_port
from tests.integration.alerts.alert_harness import ask, until
from tests.integration.alerts.certificates import Authority, new_authority
from tests.integration.alerts.channel_harness import (
    Said,
    attempts,
    http_server,
    lifted,
    raised,
    register,
    telling,
    warned,
)


def _receiver(channel: Channel, url: str, secret: str = "", **more: Any) -> Receiver:
    return Receiver(channel.value, "water-company", url, secret, 1, channel=channel, **more)


ROBOT_ANSWERS = {
    Channel.DINGTALK: (b'{"errcode":0,"errmsg":"ok"}', b'{"errcode":310000,"errmsg":"sign not match"}'),
    Channel.WECOM: (b'{"errcode":0,"errmsg":"ok"}', b'{"errcode":93000,"errmsg":"invalid webhook url"}'),
    Channel.FEISHU: (b'{"code":0,"msg":"success"}', b'{"code":19021,"msg":"sign match fail"}'),
}


@pytest.mark.parametrize("channel", list(ROBOT_ANSWERS))
async def test_a_robot_that_answers_200_and_a_code_has_refused_and_is_tried_again(
    city_url: str, channel: Channel
) -> None:
    good, bad = ROBOT_ANSWERS[channel]
    answers = [bad, good]
    secret = "" if channel is Channel.WECOM else "SEC-of-the-robot"
    async with http_server(lambda _: Said(body=answers.pop(0))) as robot, telling(city_url) as worker:
        url = f"{robot.url}?access_token={{{{key}}}}"
        await register(city_url, _receiver(channel, url, secret, secrets={"key": "token-of-the-robot"}))
        _, warning = await warned(city_url)
        (message,) = await worker.announce("warning.published", warning.id)
        assert await worker.deliver(message) == "failed"
        assert await worker.deliver(message) == "done"
    assert [each.target.split("&")[0] for each in robot.seen] == ["/in?access_token=token-of-the-robot"] * 2
    assert all("WP-1疑似漏水" in each.body.decode() for each in robot.seen)
    first, second = attempts(city_url)
    assert (first["status"], second["status"], second["state"]) == (200, 200, "delivered")
    assert first["error"].startswith("the robot answered ")
    assert second["error"] is None
    for hidden in ("token-of-the-robot", "SEC-of-the-robot", "sign="):
        assert hidden not in str([first, second])
    assert first["request"]["url"] == url


async def test_a_robot_is_told_no_faster_than_it_allows_and_nothing_is_lost(city_url: str) -> None:
    async with http_server(lambda _: Said(body=b'{"errcode":0}')) as robot, telling(city_url) as worker:
        await register(city_url, _receiver(Channel.WECOM, robot.url))
        _, warning = await warned(city_url)
        await worker.announce("warning.published", warning.id)
        for severity in range(10):
            await worker.announcer.announce("warning.updated", "warning", str(warning.id), occasion=f"{severity}")
        waiting = [row["id"] for row in ask(city_url, "select id from notification order by created_at")]
        assert len(waiting) == 11
        outcomes = [await worker.deliver(message) for message in waiting]
    assert outcomes == ["done"] * 8 + ["put off"] * 3
    assert len(robot.seen) == 8
    # What was put off has lost neither an attempt nor its place.
    left = ask(city_url, "select state, attempts from notification where state <> 'delivered'")
    assert left == [{"state": "pending", "attempts": 0}] * 3


async def test_alertmanagers_readers_get_firing_and_resolved(city_url: str) -> None:
    async with http_server() as reader, telling(city_url) as worker:
        await register(city_url, _receiver(Channel.ALERTMANAGER, reader.url))
        _, warning = await warned(city_url)
        for type_, over in (("warning.published", False), ("warning.lifted", True)):
            if over:
                await lifted(city_url, warning)
            (message,) = await worker.announce(type_, warning.id)
            assert await worker.deliver(message) == "done"
    fired, resolved = (json.loads(each.body)["alerts"][0] for each in reader.seen)
    assert (fired["status"], resolved["status"]) == ("firing", "resolved")
    assert fired["fingerprint"] == resolved["fingerprint"]


async def test_a_text_message_is_delivered_when_the_answer_says_so(city_url: str) -> None:
    answers = [b'{"Code":"isv.BUSINESS_LIMIT_CONTROL"}', b'{"Code":"OK"}']
    settings = {
        "phone": "555-0101",
        "body": '{"PhoneNumbers":"{{phone}}","Text":"{{text}}"}',
        "headers": {"Authorization": "Bearer {{token}}"},
        "delivered": {"field": "Code", "equals": ["OK"]},
    }
    async with http_server(lambda _: Said(body=answers.pop(0))) as service, telling(city_url) as worker:
        token = {"token": "token-of-the-service"}
        await register(city_url, _receiver(Channel.SMS, service.url, settings=settings, secrets=token))
        _, warning = await warned(city_url)
        (message,) = await worker.announce("warning.published", warning.id)
        assert [await worker.deliver(message), await worker.deliver(message)] == ["failed", "done"]
    assert service.seen[0].headers["authorization"] == "Bearer token-of-the-service"
    assert json.loads(service.seen[0].body)["PhoneNumbers"] == "555-0101"
    assert "token-of-the-service" not in str(attempts(city_url))


async def test_cap_messages_are_pushed_one_for_each_change(city_url: str) -> None:
    async with http_server() as reader, telling(city_url, exercise=True) as worker:
        await register(city_url, _receiver(Channel.CAP, reader.url))
        _, warning = await warned(city_url)
        await _tell(worker, "warning.published", warning)
        warning = await raised(city_url, warning, 4)
        await _tell(worker, "warning.updated", warning)
        warning = await lifted(city_url, warning)
        await _tell(worker, "warning.lifted", warning)
    assert {each.headers["content-type"] for each in reader.seen} == {"application/cap+xml; charset=utf-8"}
    read = [read_message(each.body) for each in reader.seen]
    assert [message.message_type for message in read] == ["Alert", "Update", "Cancel"]
    assert [len(message.references) for message in read] == [0, 1, 2]
    assert all(message.is_exercise for message in read)
    kept = [row["message"] for row in ask(city_url, "select message from cap_message order by id")]
    assert kept == [each.body.decode() for each in reader.seen]


async def _tell(worker: Any, type_: str, warning: Any) -> None:
    (message,) = await worker.announce(type_, warning.id)
    assert await worker.deliver(message) == "done"


async def test_news_that_are_announced_twice_make_one_message(city_url: str) -> None:
    async with http_server() as reader, telling(city_url) as worker:
        await register(city_url, _receiver(Channel.CAP, reader.url))
        _, warning = await warned(city_url)
        first = await worker.announce("warning.published", warning.id)
        assert await worker.announce("warning.published", warning.id) == first
        # Others are told by escalation what has gone out in public.
        await worker.announcer.announce("warning.escalated", "warning", str(warning.id), occasion="step 1")
    assert len(ask(city_url, "select from cap_message")) == 1
    assert len(ask(city_url, "select distinct body from notification")) == 1


async def test_a_message_that_went_out_cannot_be_changed(city_url: str) -> None:
    import psycopg

    async with telling(city_url) as worker:
        _, warning = await warned(city_url)
        await worker.announce("warning.published", warning.id)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(city_url, "update cap_message set message = 'x' returning 1")


class Mailbox:
    """What a mail server has taken on, and what it refuses."""

    def __init__(self) -> None:
        self.letters: list[bytes] = []
        self.refusals: list[str] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802 - aiosmtpd's own
        if self.refusals:
            return self.refusals.pop(0)
        assert isinstance(envelope.content, bytes)
        self.letters.append(envelope.content)
        return "250 taken on"


def _who(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    good = isinstance(data, LoginPassword) and data.password == b"p/a:ss"
    return AuthResult(success=good)


@asynccontextmanager
async def mail_server(scheme: str, authority: Authority) -> AsyncIterator[tuple[Mailbox, str]]:
    """A mail server with a certificate of ours, and its address with who we are."""
    mailbox, port = Mailbox(), free_port()
    context = authority.server_context()
    options: dict[str, Any] = {"ssl_context": context} if scheme == "smtps" else {}
    if scheme == "smtp":
        options = {"tls_context": context, "require_starttls": True}
    if scheme != "smtp+plain":
        options |= {"authenticator": _who, "auth_required": True, "auth_require_tls": scheme == "smtp"}
    controller = Controller(mailbox, hostname="127.0.0.1", port=port, **options)
    await asyncio.to_thread(controller.start)
    who = "" if scheme == "smtp+plain" else "lifeline:p%2Fa%3Ass@"
    try:
        yield mailbox, f"{scheme}://{who}127.0.0.1:{port}"
    finally:
        await asyncio.to_thread(controller.stop)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return new_authority(tmp_path_factory.mktemp("authority"))


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")
@pytest.mark.parametrize("scheme", ["smtp", "smtps", "smtp+plain"])
async def test_a_letter_arrives_encrypted_and_signed_in(city_url: str, authority: Authority, scheme: str) -> None:
    async with mail_server(scheme, authority) as (mailbox, url):
        mailbox.refusals = ["451 come back later"]
        settings = {"smtp_url": url, "smtp_ca_file": authority.certificate, "mail_from": "lifeline@city.example"}
        async with telling(city_url, **settings) as worker:
            await register(city_url, _receiver(Channel.EMAIL, "mailto:duty@water.example,chief@water.example"))
            _, warning = await warned(city_url)
            (message,) = await worker.announce("warning.published", warning.id)
            assert [await worker.deliver(message), await worker.deliver(message)] == ["failed", "done"]
    (letter,) = mailbox.letters
    assert f"Message-ID: <{message}@lifeline>".encode() in letter
    assert b"From: lifeline@city.example" in letter
    first, second = attempts(city_url)
    assert (first["status"], second["status"]) == (451, 250)
    assert "p/a:ss" not in str([first, second])


async def test_a_letter_is_not_sent_to_a_server_with_a_strange_certificate(
    city_url: str, authority: Authority, tmp_path: Path
) -> None:
    other = new_authority(tmp_path)
    async with mail_server("smtp", authority) as (mailbox, url):
        async with telling(city_url, smtp_url=url, smtp_ca_file=other.certificate) as worker:
            await register(city_url, _receiver(Channel.EMAIL, "mailto:duty@water.example"))
            _, warning = await warned(city_url)
            (message,) = await worker.announce("warning.published", warning.id)
            assert await worker.deliver(message) == "failed"
        assert mailbox.letters == []
    assert "CERTIFICATE_VERIFY_FAILED" in attempts(city_url)[0]["error"]


async def test_a_letter_that_will_never_be_taken_is_given_up_at_once(city_url: str, authority: Authority) -> None:
    async with mail_server("smtp+plain", authority) as (mailbox, url):
        mailbox.refusals = ["550 no such mailbox"]
        async with telling(city_url, smtp_url=url) as worker:
            await register(city_url, _receiver(Channel.EMAIL, "mailto:nobody@water.example"))
            _, warning = await warned(city_url)
            (message,) = await worker.announce("warning.published", warning.id)
            assert await worker.deliver(message) == "given up"
    assert attempts(city_url)[0]["state"] == "failed"


async def test_without_a_mail_server_a_letter_says_what_is_missing(city_url: str) -> None:
    async with telling(city_url) as worker:
        await register(city_url, _receiver(Channel.EMAIL, "mailto:duty@water.example"))
        _, warning = await warned(city_url)
        (message,) = await worker.announce("warning.published", warning.id)
        assert await worker.deliver(message) == "failed"
    assert "LIFELINE_SMTP_URL is not set" in attempts(city_url)[0]["error"]


TOPIC = "lifeline/v1/tiny/warnings/water/W1"


@asynccontextmanager
async def sign(broker: EmbeddedBroker, *, answers: bool) -> AsyncIterator[list[wire.WireZoneState]]:
    """A sign that shows its zone's state, and says so if it ``answers``."""
    shown: list[wire.WireZoneState] = []

    async def show() -> None:
        async for said in client.messages:
            assert isinstance(said.payload, bytes)
            shown.append(wire.decode_zone_state(said.payload))
            if answers:
                answer = wire.WireZoneAnswer(id=shown[-1].id, device="sign-1", done=True)
                await client.publish(f"{TOPIC}/ack", wire.encode_zone_answer(answer), qos=1)

    address = BrokerAddress.parse(broker.url)
    async with aiomqtt.Client(
        address.host,
        address.port,
        username=address.user,
        password=address.password,
        protocol=aiomqtt.ProtocolVersion.V5,
    ) as client:
        await client.subscribe(TOPIC, qos=1)
        task = asyncio.create_task(show())
        try:
            yield shown
        finally:
            task.cancel()


async def test_a_sign_shows_the_worst_of_its_zone_whatever_message_comes_last(
    city_url: str, mosquitto_broker: EmbeddedBroker
) -> None:
    settings = {"acknowledged_within_s": 5}
    async with (
        telling(city_url, mqtt_url=mosquitto_broker.url) as worker,
        sign(mosquitto_broker, answers=True) as shown,
    ):
        await register(city_url, _receiver(Channel.MQTT, "mqtt:", settings=settings))
        _, first = await warned(city_url, 3)
        await _tell(worker, "warning.published", first)
        _, second = await warned(city_url, 4, "WJ-1")
        await _tell(worker, "warning.published", second)
        await lifted(city_url, first)
        await _tell(worker, "warning.lifted", first)
        await lifted(city_url, second)
        await _tell(worker, "warning.lifted", second)
        await until(lambda: len(shown) >= 4, 5)
    assert [state.severity for state in shown][-4:] == [3, 4, 4, 0]
    assert [[warning.asset for warning in state.warnings] for state in shown][-4:] == [
        ["WP-1"],
        ["WJ-1", "WP-1"],
        ["WJ-1"],
        [],
    ]
    answered = ask(city_url, "select device, done from acknowledgement")
    assert answered == [{"device": "sign-1", "done": True}] * 4


async def test_a_message_that_no_sign_acknowledges_is_tried_again_and_stays_retained(
    city_url: str, mosquitto_broker: EmbeddedBroker
) -> None:
    settings = {"acknowledged_within_s": 0.3}
    async with telling(city_url, mqtt_url=mosquitto_broker.url) as worker:
        await register(city_url, _receiver(Channel.MQTT, "mqtt:", settings=settings))
        _, warning = await warned(city_url)
        (message,) = await worker.announce("warning.published", warning.id)
        assert await worker.deliver(message) == "failed"
        assert attempts(city_url)[0]["error"] == "no device answered within 0.3 s"
        async with sign(mosquitto_broker, answers=True) as shown:
            await until(lambda: len(shown) == 1, 5)
            assert shown[0].id == str(message)
            assert await worker.deliver(message) == "done"
        await lifted(city_url, warning)
        await worker.announce("warning.lifted", warning.id)


async def test_without_a_broker_a_sign_cannot_be_told(city_url: str) -> None:
    async with telling(city_url) as worker:
        await register(city_url, _receiver(Channel.MQTT, "mqtt:"))
        _, warning = await warned(city_url)
        (message,) = await worker.announce("warning.published", warning.id)
        assert await worker.deliver(message) == "failed"
    assert "LIFELINE_MQTT_URL is not set" in attempts(city_url)[0]["error"]
