"""One attempt to deliver one message to one webhook receiver."""

import asyncio
import ipaddress
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import httpx
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from services.core.notification import Notification
from services.core.organisation import Receiver

_RESPONSE_KEPT = 2000
_RESPONSE_READ = 8192
"""Bytes after which the rest of an answer is left unread; characters have up to four."""
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
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise TargetRefusedError(f"the receiver's address is no address: {error}") from None
    # The address itself is not repeated: it may hold a password or a token.
    if parts.scheme not in _PORTS or not parts.hostname:
        raise TargetRefusedError("the receiver's address is not an http or https address")
    if private_allowed:
        return
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(parts.hostname, port or _PORTS[parts.scheme], type=socket.SOCK_STREAM)
    for address in {entry[4][0] for entry in found}:
        if not ipaddress.ip_address(address).is_global:
            raise TargetRefusedError(f"{parts.hostname} is at {address}, which is not a public address")


def signed_headers(notification: Notification, secret: str, now: datetime) -> dict[str, str]:
    """Standard Webhooks 1.0 headers; the identifier is the same in every attempt, the timestamp is not."""
    identifier = str(notification.id)
    return {
        "accept-encoding": "identity",
        "content-type": "application/json",
        "user-agent": "lifeline",
        "webhook-id": identifier,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(identifier, now, notification.body),
    }


async def send(
    client: httpx.AsyncClient,
    notification: Notification,
    receiver: Receiver,
    *,
    private_allowed: bool,
    longest_wait: timedelta,
) -> Outcome:
    """Try once, for ``longest_wait`` at the most. Every failure is an outcome, not an exception: it is written down."""
    began = time.perf_counter()
    status, answer, error = None, bytearray(), None
    headers: dict[str, str] = {}
    try:
        headers = signed_headers(notification, receiver.secret, datetime.now(UTC))
        async with asyncio.timeout(longest_wait.total_seconds()):
            await check_target(receiver.url, private_allowed=private_allowed)
            content = notification.body.encode()
            async with client.stream("POST", receiver.url, content=content, headers=headers) as response:
                status = response.status_code
                async for part in response.aiter_raw(_RESPONSE_READ):
                    answer += part
                    if len(answer) >= _RESPONSE_READ:
                        break
    except (TimeoutError, httpx.TimeoutException):
        error = f"no answer within {longest_wait.total_seconds():g} s"
    except (httpx.HTTPError, httpx.InvalidURL, TargetRefusedError, OSError) as failure:
        error = f"{type(failure).__name__}: {failure}".removesuffix(": ")
    except (ValueError, RuntimeError, EmptyWebhookSecretError) as failure:
        # A secret that is empty or no base64; the words of the library might repeat it.
        error = f"the message cannot be signed or addressed ({type(failure).__name__})"
    # A receiver that has given its status has answered, whatever becomes of the rest of the answer.
    delivered = status is not None and httpx.codes.is_success(status)
    if status is not None:
        error = None if delivered else f"the receiver answered {status}"
    return Outcome(
        delivered=delivered,
        status=status,
        response=None if status is None else _readable(bytes(answer), receiver.secret, headers),
        error=error,
        duration_ms=_since(began),
    )


def _readable(answer: bytes, secret: str, headers: Mapping[str, str]) -> str:
    """The beginning of an answer as text that a database takes, without what an echoing receiver must not give away."""
    text = answer[:_RESPONSE_READ].decode(errors="replace").replace("\x00", "")
    for hidden in (secret, headers["webhook-signature"]):
        text = text.replace(hidden, "…")
    return text[:_RESPONSE_KEPT]


def _since(began: float) -> float:
    return (time.perf_counter() - began) * 1000.0
