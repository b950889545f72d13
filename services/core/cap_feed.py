"""An Atom feed of messages of the Common Alerting Protocol, so that others may fetch them. Pure."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from services.core.cap_alert import MEDIA_TYPE

FEED_MEDIA_TYPE = "application/atom+xml"
_ATOM = "http://www.w3.org/2005/Atom"


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """A message and where it can be fetched."""

    identifier: str
    address: str
    title: str
    sent: datetime
    expires: datetime


def write_feed(address: str, title: str, author: str, entries: Sequence[FeedEntry], updated: datetime) -> str:
    """The feed at ``address``; ``entries`` newest first."""
    feed = ET.Element("feed", xmlns=_ATOM)
    _add(feed, "id", address)
    _add(feed, "title", title)
    _add(feed, "updated", _moment(updated))
    _add(ET.SubElement(feed, "author"), "name", author)
    ET.SubElement(feed, "link", rel="self", href=address, type=FEED_MEDIA_TYPE)
    for each in entries:
        entry = ET.SubElement(feed, "entry")
        _add(entry, "id", each.address)
        _add(entry, "title", each.title)
        _add(entry, "updated", _moment(each.sent))
        _add(entry, "published", _moment(each.sent))
        _add(entry, "summary", f"{each.title}, {_moment(each.expires)}")
        ET.SubElement(entry, "link", href=each.address, type=MEDIA_TYPE)
    ET.indent(feed)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(feed, encoding="unicode") + "\n"


def _add(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = text


def _moment(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="seconds")
