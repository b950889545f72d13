"""Reading messages of the Common Alerting Protocol (CAP) 1.1 and 1.2, as weather services publish them. Pure.

Source: OASIS Standard CAP-v1.2, its element names and their meaning. Signatures are not checked.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from datetime import datetime

from services.core.severity import Severity
from services.core.text import Text
from services.core.weather_warning import USUAL_LENGTH, MessageType, WeatherWarning, severity_of

LARGEST_MESSAGE_BYTES = 1_000_000
_NAMESPACES = ("{urn:oasis:names:tc:emergency:cap:1.2}", "{urn:oasis:names:tc:emergency:cap:1.1}")
_ATOM = "{http://www.w3.org/2005/Atom}"
_EARNEST, _EXERCISE = "Actual", "Exercise"
_FEWEST_CORNERS = 4
_LONGEST_TEXT = 5000


class CapError(ValueError):
    """A message cannot be used; the words name the element and the reason."""


class NotMeantForUsError(CapError):
    """A message is a test, a draft or an acknowledgement: nobody is to act on it."""


def read_message(content: bytes) -> WeatherWarning:
    """The warning of one message.

    Raises:
        NotMeantForUsError: it is a test, a draft, an error or an acknowledgement.
        CapError: it is no CAP message, or an element is missing or wrong.
    """
    root = _parsed(content)
    message = _Message(root)
    kind = message.text("msgType")
    if kind not in set(MessageType):
        raise NotMeantForUsError(f"msgType: {kind!r} warns of nothing")
    status = message.text("status")
    if status not in {_EARNEST, _EXERCISE}:
        raise NotMeantForUsError(f"status: {status!r} is not to be acted on")
    sent = message.moment("sent")
    infos = message.infos()
    # A message that takes another back need not repeat what it was about.
    if not infos and kind != MessageType.CANCEL:
        raise CapError("info: is missing")
    first = next(iter(infos.values()), None)
    onset = sent if first is None else first.moment("onset", first.moment("effective", sent))
    expires = sent + USUAL_LENGTH if first is None else first.moment("expires", onset + USUAL_LENGTH)
    if expires <= sent and kind != MessageType.CANCEL:
        raise CapError("expires: lies before sent")
    return WeatherWarning(
        sender=message.text("sender"),
        identifier=message.text("identifier"),
        sent=sent,
        message_type=MessageType(kind),
        is_exercise=status == _EXERCISE,
        event=_said(infos, "event"),
        severity=Severity.NORMAL if first is None else _severity(first),
        headline=_said(infos, "headline", "event"),
        description=_said(infos, "description"),
        instruction=_said(infos, "instruction"),
        onset=onset,
        expires=expires,
        references=tuple(_references(message.text("references", ""))),
        area_names=() if first is None else tuple(first.each("area", "areaDesc")),
        areas=() if first is None else tuple(_ring(text) for text in first.each("area", "polygon")),
    )


def linked_messages(content: bytes) -> list[str]:
    """The addresses of the messages that an Atom or RSS feed lists, newest first as the feed has them.

    Raises:
        CapError: it is neither.
    """
    root = _parsed(content)
    if root.tag == f"{_ATOM}feed":
        links = (entry.find(f"{_ATOM}link") for entry in root.iter(f"{_ATOM}entry"))
        return [link.attrib["href"] for link in links if link is not None and link.attrib.get("href")]
    if root.tag == "rss":
        found = (item.findtext("link") for item in root.iter("item"))
        return [link.strip() for link in found if link and link.strip()]
    raise CapError(f"{root.tag}: is neither an Atom nor an RSS feed")


def is_message(content: bytes) -> bool:
    """Whether this is a CAP message itself, and no list of them.

    Raises:
        CapError: it is no XML.
    """
    return _parsed(content).tag in {f"{name}alert" for name in _NAMESPACES}


def _parsed(content: bytes) -> ET.Element:
    if len(content) > LARGEST_MESSAGE_BYTES:
        raise CapError(f"has more than {LARGEST_MESSAGE_BYTES:,} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CapError(f"is not UTF-8: {error}") from None
    # A message has no business with entities of its own: they are how a small document is made to fill the memory.
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise CapError("has a document type declaration")
    try:
        return ET.fromstring(text)  # noqa: S314  # without a document type there is nothing to expand
    except (ET.ParseError, ValueError) as error:
        raise CapError(f"is no XML: {error}") from None


class _Part:
    """An element whose children have names of one version of the protocol."""

    def __init__(self, element: ET.Element, namespace: str) -> None:
        self._element = element
        self._namespace = namespace

    def text(self, name: str, default: str | None = None) -> str:
        found = (self._element.findtext(f"{self._namespace}{name}") or "").strip()
        if found:
            return found[:_LONGEST_TEXT]
        if default is None:
            raise CapError(f"{name}: is missing")
        return default

    def moment(self, name: str, default: datetime | None = None) -> datetime:
        text = self.text(name, "" if default is not None else None)
        if not text and default is not None:
            return default
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise CapError(f"{name}: {text!r} is no time") from None
        if moment.tzinfo is None:
            raise CapError(f"{name}: {text!r} has no zone")
        return moment

    def parts(self, name: str) -> "list[_Part]":
        return [_Part(element, self._namespace) for element in self._element.findall(f"{self._namespace}{name}")]

    def each(self, within: str, name: str) -> Iterator[str]:
        for part in self.parts(within):
            for found in part.parts(name):
                if text := (found._element.text or "").strip():  # noqa: SLF001  # of its own kind
                    yield text


class _Message(_Part):
    def __init__(self, root: ET.Element) -> None:
        namespace = next((name for name in _NAMESPACES if root.tag == f"{name}alert"), None)
        if namespace is None:
            raise CapError(f"{root.tag}: is no CAP alert")
        super().__init__(root, namespace)

    def infos(self) -> dict[str, _Part]:
        """The blocks by language, the first of each."""
        by_language: dict[str, _Part] = {}
        for info in self.parts("info"):
            by_language.setdefault(info.text("language", "en-US").lower(), info)
        return by_language


def _said(infos: Mapping[str, _Part], *names: str) -> Text:
    """What is said under the first of the names that is there, in both languages; in the other one where one lacks."""

    def of(language: str) -> str:
        parts = [info for key, info in infos.items() if key.startswith(language)]
        return next((said for part in parts for name in names if (said := part.text(name, ""))), "")

    other = next((said for info in infos.values() for name in names if (said := info.text(name, ""))), "")
    return Text(of("en") or other, of("zh") or other)


def _severity(info: _Part) -> Severity:
    word = info.text("severity")
    try:
        return severity_of(word)
    except KeyError:
        raise CapError(f"severity: {word!r} is none of the protocol's words") from None


def _references(text: str) -> Iterator[tuple[str, str]]:
    for reference in text.split():
        parts = reference.split(",")
        if len(parts) != 3:  # noqa: PLR2004  # sender, identifier and time
            raise CapError(f"references: {reference!r} is not made of sender, identifier and time")
        yield parts[0], parts[1]


def _ring(text: str) -> tuple[tuple[float, float], ...]:
    """The protocol writes latitude first."""
    try:
        pairs = [tuple(float(number) for number in pair.split(",")) for pair in text.split()]
        ring = tuple((longitude, latitude) for latitude, longitude in pairs)
    except ValueError:
        raise CapError(f"polygon: {text[:80]!r} is no list of latitude,longitude") from None
    if len(ring) < _FEWEST_CORNERS or ring[0] != ring[-1]:
        raise CapError("polygon: is not closed")
    if not all(abs(longitude) <= 180 and abs(latitude) <= 90 for longitude, latitude in ring):  # noqa: PLR2004  # degrees
        raise CapError("polygon: lies outside the world")
    return ring
