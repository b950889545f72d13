"""The one place where messages leave: requests over HTTP, letters to the mail server, states to the broker."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiomqtt
import aiosmtplib
import httpx
import msgspec

from services.alerts.notify.channels.catalogue import CHANNELS
from services.alerts.notify.channels.contract import (
    Answer,
    HttpRequest,
    Judgement,
    MailRequest,
    Message,
    NotSendableError,
    Publication,
    Request,
)
from services.alerts.notify.mail_server import MailServer
from services.alerts.notify.redaction import redacted
from services.alerts.notify.target import TargetRefusedError
from services.core import wire
from services.core.broker_address import BrokerAddress
from services.core.notification import Notification
from services.core.organisation import Receiver

_RESPONSE_KEPT = 2000
_REQUEST_KEPT = 4000
_RESPONSE_READ = 8192
"""Bytes after which the rest of an answer is left unread; characters have up to four."""
_SHOWN_HEADERS = frozenset({"content-type", "webhook-id", "webhook-timestamp", "user-agent"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt: what was sent, and an answer with its status or an error in words. No secrets in it."""

    delivered: bool
    status: int | None
    response: str | None
    error: str | None
    duration_ms: float
    request: Mapping[str, Any] | None = None
    wait: timedelta | None = None
    """How long the receiver asks to be left alone."""
    final: bool = False
    """The receiver will never take this message."""
    answers: tuple[wire.WireZoneAnswer, ...] = ()
    """What devices said."""


@dataclass(frozen=True, slots=True)
class Exits:
    """By which ways messages can leave here. Without a mail server or a broker, what needs one fails and says so."""

    client: httpx.AsyncClient
    mail_server: MailServer | None = None
    broker: BrokerAddress | None = None
    city: str = "demo"


async def send(
    exits: Exits,
    notification: Notification,
    receiver: Receiver,
    *,
    longest_wait: timedelta,
    state: wire.WireZoneState | None = None,
) -> Outcome:
    """Try once, for ``longest_wait`` at the most. Every failure is an outcome, not an exception: it is written down.

    ``state`` is what is in force in the zone, for channels that publish it.
    """
    began = time.perf_counter()
    now = datetime.now(UTC)
    kind = CHANNELS[receiver.channel]
    request: Request | None = None
    answer: Answer | None = None
    answers: list[wire.WireZoneAnswer] = []
    error: str | None = None
    try:
        request = kind.request(Message(notification.id, notification.type, notification.body, now), receiver)
        if isinstance(request, HttpRequest):
            answer, error = await _over_http(exits.client, request, longest_wait)
        elif isinstance(request, MailRequest):
            answer = await _by_mail(exits.mail_server, request, longest_wait)
        else:
            answer, answers = await _to_broker(exits, request, state, longest_wait)
    except (TimeoutError, httpx.TimeoutException, aiosmtplib.SMTPTimeoutError):
        error = f"no answer within {longest_wait.total_seconds():g} s"
    except aiosmtplib.SMTPResponseException as refusal:
        answer = Answer(status=refusal.code, text=str(refusal.message))
    except aiosmtplib.SMTPRecipientsRefused as refusal:
        first = refusal.recipients[0]
        answer = Answer(status=first.code, text=str(first.message))
    except (NotSendableError, TargetRefusedError, httpx.HTTPError, httpx.InvalidURL) as failure:
        error = _in_words(failure)
    except (aiosmtplib.SMTPException, aiomqtt.MqttError, OSError, ValueError) as failure:
        error = _in_words(failure)
    judgement = Judgement(delivered=False, error=error)
    if answer is not None:
        # A receiver that has given its status has answered, whatever becomes of the rest of the answer.
        judgement = kind.judge(answer, receiver, datetime.now(UTC))
    hidden = _secrets_of(receiver) + (request.hidden if isinstance(request, HttpRequest) else ())
    return Outcome(
        delivered=judgement.delivered,
        status=answer.status if answer is not None and answer.status else None,
        response=None if answer is None else redacted(answer.text, hidden)[:_RESPONSE_KEPT],
        error=None if judgement.error is None else redacted(judgement.error, hidden),
        duration_ms=(time.perf_counter() - began) * 1000.0,
        request=None if request is None else _shown(request, notification, hidden),
        wait=judgement.wait,
        final=judgement.final,
        answers=tuple(answers),
    )


async def _over_http(
    client: httpx.AsyncClient, request: HttpRequest, longest_wait: timedelta
) -> tuple[Answer | None, str | None]:
    headers = {"user-agent": "lifeline", **request.headers, "accept-encoding": "identity"}
    head: httpx.Response | None = None
    text = bytearray()
    error = None
    try:
        async with (
            asyncio.timeout(longest_wait.total_seconds()),
            client.stream(request.method, request.url, content=request.content, headers=headers) as response,
        ):
            head = response
            async for part in response.aiter_raw(_RESPONSE_READ):
                text += part
                if len(text) >= _RESPONSE_READ:
                    break
    except (TimeoutError, httpx.TimeoutException):
        error = f"no answer within {longest_wait.total_seconds():g} s"
    except httpx.TransportError as failure:
        error = _in_words(failure)
    if head is None:
        return None, error
    readable = bytes(text[:_RESPONSE_READ]).decode(errors="replace").replace("\x00", "")
    return Answer(status=head.status_code, text=readable, headers=dict(head.headers)), None


async def _by_mail(server: MailServer | None, request: MailRequest, longest_wait: timedelta) -> Answer:
    if server is None:
        raise NotSendableError("LIFELINE_SMTP_URL is not set: no e-mail can be sent")
    async with asyncio.timeout(longest_wait.total_seconds()):
        said = await server.take(request.letter, request.recipients, longest_wait)
    return Answer(status=250, text=said)


async def _to_broker(
    exits: Exits, request: Publication, state: wire.WireZoneState | None, longest_wait: timedelta
) -> tuple[Answer, list[wire.WireZoneAnswer]]:
    if exits.broker is None or state is None:
        raise NotSendableError("LIFELINE_MQTT_URL is not set: no device can be told")
    address = exits.broker
    answers: list[wire.WireZoneAnswer] = []
    async with asyncio.timeout(longest_wait.total_seconds() + request.acknowledged_within.total_seconds()):
        async with aiomqtt.Client(
            address.host,
            address.port,
            username=address.user,
            password=address.password,
            tls_context=address.ssl_context(),
            protocol=aiomqtt.ProtocolVersion.V5,
            timeout=longest_wait.total_seconds(),
        ) as client:
            if request.acknowledged_within:
                topic = wire.warning_answer_topic(exits.city, request.lifeline, request.zone)
                await client.subscribe(topic, qos=1)
            topic = wire.warning_topic(exits.city, request.lifeline, request.zone)
            await client.publish(topic, wire.encode_zone_state(state), qos=1, retain=True)
            if not request.acknowledged_within:
                return Answer(status=0, text=""), answers
            return await _first_answer(client, state.id, request.acknowledged_within, answers), answers


async def _first_answer(
    client: aiomqtt.Client, message: str, within: timedelta, answers: list[wire.WireZoneAnswer]
) -> Answer:
    """Wait until a device has done what the message says; what devices say meanwhile is added to ``answers``."""
    try:
        async with asyncio.timeout(within.total_seconds()):
            async for said in client.messages:
                try:
                    answer = wire.decode_zone_answer(said.payload if isinstance(said.payload, bytes) else b"")
                except msgspec.MsgspecError:
                    continue
                if answer.id == message:
                    answers.append(answer)
                    if answer.done:
                        return Answer(status=0, text=f"{answer.device} has done it")
    except TimeoutError:
        pass
    refused = "; ".join(f"{answer.device}: {answer.reason or 'not done'}" for answer in answers)
    return Answer(status=1, text=refused or f"no device answered within {within.total_seconds():g} s")


def _in_words(failure: Exception) -> str:
    words = str(failure)
    return f"{type(failure).__name__}: {words}" if words else type(failure).__name__


def _secrets_of(receiver: Receiver) -> tuple[str, ...]:
    known = (receiver.secret, receiver.previous_secret or "", *receiver.secrets.values())
    return tuple(secret for secret in known if secret)


def _shown(request: Request, notification: Notification, hidden: tuple[str, ...]) -> dict[str, Any]:
    """What is kept of a request. The stored message is not repeated where it was sent as it is."""
    if isinstance(request, HttpRequest):
        headers = {name: value if name in _SHOWN_HEADERS else "…" for name, value in sorted(request.headers.items())}
        content = request.content.decode(errors="replace")
        body = None if content == notification.body else redacted(content, hidden)[:_REQUEST_KEPT]
        return {"method": request.method, "url": request.shown_url, "headers": headers, "body": body}
    if isinstance(request, MailRequest):
        return {"method": "SMTP", "to": list(request.recipients), "subject": str(request.letter["Subject"])}
    return {"method": "MQTT", "lifeline": request.lifeline, "zone": request.zone}
