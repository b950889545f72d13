"""One attempt to deliver one message to one webhook receiver."""

import asyncio
import ipaddress
import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx
from standardwebhooks import Webhook

from services.core.notification import Notification
from services.core.organisation import Receiver

_RESPONSE_KEPT = 2000
_PORTS = {"http": 80, "https": 443}


class TargetRefusedError(Exception):
    """The receiver's address is not one the service may call."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt: an answer with its status, or an error in words."""

    delivered: bool
    status: int | None
    response: str | None
    error: str | None
    duration_ms: float


async def check_target(url: str, *, private_allowed: bool) -> None:
    """Refuse addresses that a webhook must not reach.

    Raises:
        TargetRefusedError: not http or https, or a host on a private, loopback or link-local network.
        OSError: the host's name cannot be resolved.
    """
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise TargetRefusedError(f"{url} is not an http or https address")
    if private_allowed:
        return
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(parts.hostname, parts.port or _PORTS[parts.scheme], type=socket.SOCK_STREAM)
    for address in {entry[4][0] for entry in found}:
        if not ipaddress.ip_address(address).is_global:
            raise TargetRefusedError(f"{parts.hostname} is at {address}, which is not a public address")


def signed_headers(notification: Notification, secret: str, now: datetime) -> dict[str, str]:
    """Standard Webhooks 1.0 headers; the identifier is the same in every attempt, the timestamp is not."""
    identifier = str(notification.id)
    return {
        "content-type": "application/json",
        "user-agent": "lifeline",
        "webhook-id": identifier,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(identifier, now, notification.body),
    }


async def send(
    client: httpx.AsyncClient, notification: Notification, receiver: Receiver, *, private_allowed: bool
) -> Outcome:
    """Try once. Every failure is an outcome, not an exception: it goes into the delivery log."""
    began = time.perf_counter()
    try:
        await check_target(receiver.url, private_allowed=private_allowed)
        response = await client.post(
            receiver.url,
            content=notification.body.encode(),
            headers=signed_headers(notification, receiver.secret, datetime.now(UTC)),
        )
    except (httpx.HTTPError, httpx.InvalidURL, TargetRefusedError, OSError) as error:
        reason = f"{type(error).__name__}: {error}".removesuffix(": ")
        return Outcome(delivered=False, status=None, response=None, error=reason, duration_ms=_since(began))
    return Outcome(
        delivered=response.is_success,
        status=response.status_code,
        response=response.text[:_RESPONSE_KEPT].replace("\x00", ""),
        error=None if response.is_success else f"the receiver answered {response.status_code}",
        duration_ms=_since(began),
    )


def _since(began: float) -> float:
    return (time.perf_counter() - began) * 1000.0
