"""Writing messages of the Common Alerting Protocol (CAP) 1.2. Pure.

Source: OASIS Standard CAP-v1.2, section 3: the elements, their order, and what the words mean.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from services.core.severity import Severity
from services.core.text import Text
from services.core.weather_warning import MessageType

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
MEDIA_TYPE = "application/cap+xml"
NOT_ALLOWED = re.compile(r"[\s,<&]")
"""What identifiers and senders must not hold: references are made of them, with commas and blanks between."""
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FEWEST_CORNERS = 4
_LANGUAGES = {"zh-CN": "zh", "en-US": "en"}


class CapStatus(StrEnum):
    """How a message is meant."""

    ACTUAL = "Actual"
    EXERCISE = "Exercise"
    TEST = "Test"


SEVERITIES: Mapping[Severity, str] = {
    Severity.CRITICAL: "Extreme",
    Severity.MAJOR: "Severe",
    Severity.MODERATE: "Moderate",
    Severity.MINOR: "Minor",
    Severity.NORMAL: "Unknown",
}
"""Red, orange, yellow, blue in the protocol's words; a convention of ours, the protocol knows no colours."""


@dataclass(frozen=True, slots=True)
class CapReference:
    """An earlier message that this one changes or takes back."""

    sender: str
    identifier: str
    sent: datetime


@dataclass(frozen=True, slots=True)
class CapArea:
    """Where it holds. Rings are longitude, latitude and closed; circles longitude, latitude and radius in km."""

    description: Text
    rings: Sequence[Sequence[tuple[float, float]]] = ()
    circles: Sequence[tuple[float, float, float]] = ()
    codes: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class CapAlert:
    """What a message says. A message that changes or takes back others names them."""

    identifier: str
    sender: str
    sent: datetime
    status: CapStatus
    message_type: MessageType
    references: Sequence[CapReference]
    event: Text
    urgency: str
    severity: Severity
    certainty: str
    onset: datetime
    expires: datetime
    sender_name: Text
    headline: Text
    description: Text
    instruction: Text
    web: str | None
    parameters: Mapping[str, str]
    areas: Sequence[CapArea]


def urgency_of(severity: Severity, message_type: MessageType) -> str:
    """From orange on at once, below that soon; what is taken back is past. A convention of ours."""
    if message_type is MessageType.CANCEL:
        return "Past"
    return "Immediate" if severity >= Severity.MAJOR else "Expected"


def certainty_of(severity: Severity, *, is_confirmed: bool) -> str:
    """Observed where a person has judged it true, else what a detector's severity allows. A convention of ours."""
    if is_confirmed:
        return "Observed"
    return "Likely" if severity >= Severity.MODERATE else "Possible"


def moment(time: datetime) -> str:
    """A time as the protocol wants it: whole seconds, and UTC written ``-00:00``, never ``Z``."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S-00:00")


def named(text: str) -> str:
    """A text as an identifier or a sender may be written."""
    return NOT_ALLOWED.sub("-", text)


def write_message(alert: CapAlert) -> str:
    """The message as XML, with one block in each language.

    Raises:
        ValueError: an identifier or a sender holds what it must not, or a change names nothing that it changes.
    """
    for name in (alert.identifier, alert.sender):
        if not name or NOT_ALLOWED.search(name):
            raise ValueError(f"{name!r} cannot name a message or its sender")
    if alert.message_type is not MessageType.ALERT and not alert.references:
        raise ValueError(f"a message of type {alert.message_type} names what it refers to")
    root = ET.Element("alert", xmlns=NAMESPACE)
    _add(root, "identifier", alert.identifier)
    _add(root, "sender", alert.sender)
    _add(root, "sent", moment(alert.sent))
    _add(root, "status", alert.status)
    _add(root, "msgType", alert.message_type)
    _add(root, "scope", "Public")
    if alert.references:
        _add(root, "references", " ".join(f"{r.sender},{r.identifier},{moment(r.sent)}" for r in alert.references))
    for language, name in _LANGUAGES.items():
        _add_info(root, alert, language, name)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _add_info(root: ET.Element, alert: CapAlert, language: str, name: str) -> None:
    def said(text: Text) -> str:
        return text.zh if name == "zh" else text.en

    info = ET.SubElement(root, "info")
    _add(info, "language", language)
    _add(info, "category", "Infra")
    _add(info, "event", said(alert.event))
    _add(info, "responseType", "AllClear" if alert.message_type is MessageType.CANCEL else "Execute")
    _add(info, "urgency", alert.urgency)
    _add(info, "severity", SEVERITIES[alert.severity])
    _add(info, "certainty", alert.certainty)
    _add(info, "effective", moment(alert.sent))
    _add(info, "onset", moment(alert.onset))
    _add(info, "expires", moment(alert.expires))
    _add(info, "senderName", said(alert.sender_name))
    _add(info, "headline", said(alert.headline))
    _add(info, "description", said(alert.description))
    if said(alert.instruction):
        _add(info, "instruction", said(alert.instruction))
    if alert.web:
        _add(info, "web", alert.web)
    for key, value in alert.parameters.items():
        _add_pair(info, "parameter", key, value)
    for area in alert.areas:
        _add_area(info, area, said(area.description))


def _add_area(info: ET.Element, area: CapArea, description: str) -> None:
    element = ET.SubElement(info, "area")
    _add(element, "areaDesc", description)
    for ring in area.rings:
        if len(ring) >= _FEWEST_CORNERS and ring[0] == ring[-1]:
            # The protocol writes latitude first.
            _add(element, "polygon", " ".join(f"{latitude:.6f},{longitude:.6f}" for longitude, latitude in ring))
    for longitude, latitude, radius_km in area.circles:
        _add(element, "circle", f"{latitude:.6f},{longitude:.6f} {radius_km:.3f}")
    for key, value in (area.codes or {}).items():
        _add_pair(element, "geocode", key, value)


def _add(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = _NO_XML.sub("", text)


def _add_pair(parent: ET.Element, name: str, key: str, value: str) -> None:
    element = ET.SubElement(parent, name)
    _add(element, "valueName", key)
    _add(element, "value", value)
