"""By which way a receiver is told, and what its description has to hold. Pure.

A description may name secrets: ``{{token}}`` in an address, a header or a body stands for the secret of that name. The
secrets themselves are kept apart, are never shown again, and reach neither the log nor the record of deliveries.
"""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from services.core import quiet_hours
from services.core.quiet_hours import QuietHours, QuietHoursError

SIGNING = "signing"
"""The name of the secret that messages are signed with."""
SHORTEST_SECRET = 6
"""Anything shorter would be found by chance in any text that it has to be taken out of."""
PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z][A-Za-z0-9_]*)\s*\}\}")
SECRET_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")
MESSAGE_FIELDS = frozenset(
    {"id", "type", "time", "phone", "text", "headline", "label", "instruction", "explanation"}
    | {"severity", "lifeline", "zone", "asset", "state", "url"}
)
"""What a template may say of a message."""
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_OUR_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"})
_MAIL_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[A-Za-z0-9.-]{1,255}")
_PHONE = re.compile(r"\+?[0-9][0-9 \-]{2,30}")
_LONGEST_WAIT_S = 60.0
_MOST_HEADERS = 20
_SHORTEST_KEY, _LONGEST_KEY = 24, 64
"""Bytes of a key, by Standard Webhooks."""


class Channel(StrEnum):
    """The ways to a receiver."""

    WEBHOOK = "webhook"
    """A program that takes webhooks signed after Standard Webhooks."""
    ALERTMANAGER = "alertmanager"
    """A program that takes what Prometheus Alertmanager sends, version 4."""
    DINGTALK = "dingtalk"
    """A group robot (钉钉)."""
    WECOM = "wecom"
    """A group robot (企业微信)."""
    FEISHU = "feishu"
    """A group robot (飞书)."""
    EMAIL = "email"
    SMS = "sms"
    """A text message through any service that takes an HTTP request."""
    VOICE = "voice"
    """A spoken call through any service that takes an HTTP request."""
    MQTT = "mqtt"
    """Sirens and signs: the state of a zone as a retained message."""
    CAP = "cap"
    """A program that takes messages of the Common Alerting Protocol."""


ROBOTS = frozenset({Channel.DINGTALK, Channel.WECOM, Channel.FEISHU})
TEMPLATES = frozenset({Channel.SMS, Channel.VOICE})
MACHINES = frozenset({Channel.MQTT, Channel.CAP, Channel.ALERTMANAGER})
"""Receivers of these are not people: signs, sirens and other systems need each message, at any hour."""
WARNINGS_ALONE = frozenset({Channel.ALERTMANAGER, Channel.MQTT, Channel.CAP})
"""Channels that have no words for a work order."""


class Language(StrEnum):
    """In which language people are told."""

    EN = "en"
    ZH = "zh"
    BOTH = "both"


class ReceiverNotValidError(ValueError):
    """A receiver's description cannot be used: ``field`` says where, the words say why."""

    def __init__(self, field: str, reason: str) -> None:
        """Name the field and the reason; neither repeats what might be a secret."""
        super().__init__(reason)
        self.field = field


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a receiver may be told: ``burst`` messages at once, then one every ``interval``."""

    burst: int
    interval: timedelta


def without_secrets(channel: Channel, url: str) -> tuple[str, dict[str, str]]:
    """An address with its secrets taken out, and these by name.

    Each value in the query counts as one, and the last part of the path of a Feishu robot, which is its token.

    Raises:
        ReceiverNotValidError: the address carries a user or a password.
    """
    if channel in {Channel.EMAIL, Channel.MQTT}:
        return url, {}
    parts = _parts(url)
    if parts.username is not None or parts.password is not None:
        raise ReceiverNotValidError("url", "must not carry a user or a password; send them in a header")
    secrets: dict[str, str] = {}

    def hidden(name: str, value: str) -> str:
        if not value or PLACEHOLDER.fullmatch(value) or len(value) < SHORTEST_SECRET:
            return value
        key = re.sub(r"\W", "_", name) if SECRET_NAME.fullmatch(re.sub(r"\W", "_", name)) else f"query_{len(secrets)}"
        secrets[key] = value
        return f"{{{{{key}}}}}"

    path = parts.path
    if channel is Channel.FEISHU:
        before, _, token = path.rpartition("/")
        path = f"{before}/{hidden('token', token)}"
    query = "&".join(f"{name}={hidden(name, value)}" for name, value in parse_qsl(parts.query, keep_blank_values=True))
    return parts._replace(path=path, query=query, fragment="").geturl(), secrets


def headers_without_secrets(headers: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Headers with their values taken out, and these by name.

    What a header holds is mostly there to prove something. A value that names a secret already stays as it is.
    """
    secrets: dict[str, str] = {}
    shown = {}
    for name, value in headers.items():
        shown[name] = value
        if isinstance(value, str) and len(value) >= SHORTEST_SECRET and not PLACEHOLDER.search(value):
            key = f"header_{re.sub(r'[^A-Za-z0-9]', '_', name)}"[:32]
            secrets[key] = value
            shown[name] = f"{{{{{key}}}}}"
    return shown, secrets


def named_secrets(url: str, settings: Mapping[str, Any]) -> frozenset[str]:
    """The names that a description's placeholders use."""
    texts = [url, str(settings.get("body", "")), *map(str, settings.get("headers", {}).values())]
    return frozenset(name for text in texts for name in PLACEHOLDER.findall(text))


def new_signing_secret(random_bytes: bytes) -> str:
    """A Standard Webhooks secret made of random bytes, 24 to 64 of them."""
    return f"whsec_{base64.b64encode(random_bytes).decode()}"


def check_signing_secret(channel: Channel, secret: str) -> None:
    """Whether messages of a channel can be signed with it; an empty one signs nothing.

    Raises:
        ReceiverNotValidError: they cannot.
    """
    if channel in {Channel.DINGTALK, Channel.FEISHU}:
        return
    if channel is not Channel.WEBHOOK:
        if secret:
            raise ReceiverNotValidError("secret", f"is nothing that {channel} signs with")
        return
    try:
        length = len(base64.b64decode(secret.removeprefix("whsec_"), validate=True))
    except ValueError:
        length = 0
    if not secret.startswith("whsec_") or not _SHORTEST_KEY <= length <= _LONGEST_KEY:
        raise ReceiverNotValidError("secret", "must be whsec_ and the base64 of 24 to 64 bytes")


def check_receiver(channel: Channel, url: str, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> None:
    """Whether a receiver can be told as described; ``secrets`` by name, the one for signing among them.

    Raises:
        ReceiverNotValidError: it cannot.
    """
    for name, value in secrets.items():
        if not SECRET_NAME.fullmatch(name):
            raise ReceiverNotValidError(f"secrets.{name[:32]}", "must be a name of letters, digits and _")
        if len(value) < SHORTEST_SECRET:
            raise ReceiverNotValidError(f"secrets.{name}", f"must have at least {SHORTEST_SECRET} characters")
    _check_url(channel, url)
    known = frozenset(secrets) - {SIGNING}
    _check_placeholders("url", url, known | (MESSAGE_FIELDS if channel in TEMPLATES else frozenset()))
    allowed = {"headers", "language"} | _OWN_SETTINGS.get(channel, frozenset())
    if channel not in MACHINES:
        allowed |= {quiet_hours.SETTING}
    for name in settings:
        if name not in allowed:
            raise ReceiverNotValidError(f"settings.{name[:60]}", f"is none of {', '.join(sorted(allowed))}")
    if settings.get("language", Language.BOTH) not in set(Language):
        raise ReceiverNotValidError("settings.language", "must be en, zh or both")
    _check_headers(settings.get("headers", {}), known)
    if channel in TEMPLATES:
        _check_template(settings, known)
    _check_quiet_hours(settings)
    wait_s = settings.get("acknowledged_within_s", 0)
    if not isinstance(wait_s, int | float) or isinstance(wait_s, bool) or not 0 <= wait_s <= _LONGEST_WAIT_S:
        raise ReceiverNotValidError("settings.acknowledged_within_s", f"must lie between 0 and {_LONGEST_WAIT_S:g}")


_OWN_SETTINGS: Mapping[Channel, frozenset[str]] = {
    Channel.SMS: frozenset({"method", "content_type", "body", "phone", "delivered"}),
    Channel.VOICE: frozenset({"method", "content_type", "body", "phone", "delivered"}),
    Channel.MQTT: frozenset({"acknowledged_within_s"}),
}


def _check_quiet_hours(settings: Mapping[str, Any]) -> None:
    try:
        QuietHours.from_settings(settings)
    except QuietHoursError as error:
        field, _, reason = str(error).partition(": ")
        raise ReceiverNotValidError(f"settings.{field}", reason) from None


def _parts(url: str) -> Any:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise ReceiverNotValidError("url", f"is no address: {error}") from None
    return parts


def _check_url(channel: Channel, url: str) -> None:
    if channel is Channel.MQTT:
        if url != "mqtt:":
            raise ReceiverNotValidError("url", "must read mqtt: for the broker and the city's own topics")
        return
    parts = _parts(url)
    if channel is Channel.EMAIL:
        addresses = parts.path.split(",")
        if parts.scheme != "mailto" or not all(_MAIL_ADDRESS.fullmatch(address) for address in addresses):
            raise ReceiverNotValidError("url", "must read mailto:name@example.org, several with commas between them")
        return
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ReceiverNotValidError("url", "must be an http or https address")
    if PLACEHOLDER.search(parts.netloc):
        raise ReceiverNotValidError("url", "must name its host")


def _check_placeholders(field: str, text: str, known: frozenset[str]) -> None:
    for name in PLACEHOLDER.findall(text):
        if name not in known:
            raise ReceiverNotValidError(field, f"names {{{{{name}}}}}, which is neither a field nor a secret")


def _check_headers(headers: Any, known: frozenset[str]) -> None:
    if not isinstance(headers, dict) or len(headers) > _MOST_HEADERS:
        raise ReceiverNotValidError("settings.headers", f"must be up to {_MOST_HEADERS} headers by name")
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or name.lower() in _OUR_HEADERS or name.lower().startswith("webhook-"):
            raise ReceiverNotValidError(f"settings.headers.{name[:60]}", "is no header that may be set")
        if not isinstance(value, str) or not value.isprintable() or not value.isascii():
            raise ReceiverNotValidError(f"settings.headers.{name}", "must be printable ASCII on one line")
        _check_placeholders(f"settings.headers.{name}", value, known)


def _check_template(settings: Mapping[str, Any], secrets: frozenset[str]) -> None:
    for name in ("method", "content_type", "body", "phone"):
        if not isinstance(settings.get(name, ""), str):
            raise ReceiverNotValidError(f"settings.{name}", "must be a text")
    if settings.get("method", "POST") not in {"GET", "POST", "PUT"}:
        raise ReceiverNotValidError("settings.method", "must be GET, POST or PUT")
    if settings.get("content_type", "application/json") not in {
        "application/json",
        "application/x-www-form-urlencoded",
    }:
        raise ReceiverNotValidError(
            "settings.content_type", "must be application/json or application/x-www-form-urlencoded"
        )
    if not _PHONE.fullmatch(settings.get("phone", "")):
        raise ReceiverNotValidError("settings.phone", "must be a phone number")
    body = settings.get("body", "")
    _check_placeholders("settings.body", body, secrets | MESSAGE_FIELDS)
    if body and settings.get("content_type", "application/json") == "application/json":
        try:
            json.loads(PLACEHOLDER.sub("0", body))
        except ValueError as error:
            raise ReceiverNotValidError("settings.body", f"is no JSON once it is filled in: {error}") from None
    _check_delivered(settings.get("delivered", {}))


def _check_delivered(delivered: Any) -> None:
    field = "settings.delivered"
    if not isinstance(delivered, dict) or not set(delivered) <= {"status", "field", "equals"}:
        raise ReceiverNotValidError(field, "may have status, field and equals")
    statuses = delivered.get("status", [])
    if not isinstance(statuses, list) or not all(isinstance(each, int) for each in statuses):
        raise ReceiverNotValidError(f"{field}.status", "must be a list of HTTP statuses")
    if ("field" in delivered) != ("equals" in delivered):
        raise ReceiverNotValidError(field, "names a field and what it equals, or neither")
    if not isinstance(delivered.get("field", ""), str) or not isinstance(delivered.get("equals", []), list):
        raise ReceiverNotValidError(field, "must be a field's path and a list of values")
