"""Reading warnings of weather services."""

from datetime import UTC, datetime, timedelta

import pytest

from services.core.cap_message import (
    LARGEST_MESSAGE_BYTES,
    CapError,
    NotMeantForUsError,
    is_message,
    linked_messages,
    read_message,
)
from services.core.severity import Severity
from services.core.weather_warning import MessageType

RAINSTORM = """<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>34010041600000_20260714164000</identifier>
  <sender>weather@example.org</sender>
  <sent>2026-07-14T16:40:00+08:00</sent>
  <status>Actual</status>
  <msgType>Alert</msgType>
  <scope>Public</scope>
  <info>
    <language>zh-CN</language>
    <category>Met</category>
    <event>暴雨</event>
    <urgency>Expected</urgency>
    <severity>Severe</severity>
    <certainty>Likely</certainty>
    <effective>2026-07-14T16:40:00+08:00</effective>
    <onset>2026-07-14T17:00:00+08:00</onset>
    <expires>2026-07-14T22:00:00+08:00</expires>
    <headline>气象台发布暴雨橙色预警</headline>
    <description>预计未来3小时降雨量将达50毫米以上。</description>
    <area>
      <areaDesc>老城区</areaDesc>
      <polygon>31.0,117.0 31.0,117.1 31.1,117.1 31.1,117.0 31.0,117.0</polygon>
    </area>
  </info>
  <info>
    <language>en-US</language>
    <category>Met</category>
    <event>Rainstorm</event>
    <urgency>Expected</urgency>
    <severity>Severe</severity>
    <certainty>Likely</certainty>
    <headline>Orange rainstorm warning</headline>
  </info>
</alert>
"""


def changed(*pairs: tuple[str, str], message: str = RAINSTORM) -> bytes:
    for old, new in pairs:
        assert old in message, old
        message = message.replace(old, new)
    return message.encode()


def test_a_warning_is_read_in_both_languages() -> None:
    warning = read_message(RAINSTORM.encode())
    assert (warning.sender, warning.identifier) == ("weather@example.org", "34010041600000_20260714164000")
    assert (warning.message_type, warning.is_exercise) == (MessageType.ALERT, False)
    assert (warning.event.en, warning.event.zh) == ("Rainstorm", "暴雨")
    assert (warning.headline.en, warning.headline.zh) == ("Orange rainstorm warning", "气象台发布暴雨橙色预警")
    assert warning.description.en == warning.description.zh, "what is said in one language only is said in that one"
    assert warning.severity is Severity.MAJOR
    assert warning.onset == datetime(2026, 7, 14, 9, tzinfo=UTC)
    assert warning.expires == datetime(2026, 7, 14, 14, tzinfo=UTC)
    assert warning.area_names == ("老城区",)
    assert warning.areas[0][1] == (117.1, 31.0), "latitude comes first in the protocol, longitude here"
    assert warning.brings_water


@pytest.mark.parametrize(
    ("word", "severity"),
    [("Extreme", 4), ("Severe", 3), ("Moderate", 2), ("Minor", 1), ("Unknown", 1)],
)
def test_severities_are_red_orange_yellow_and_blue(word: str, severity: int) -> None:
    assert read_message(changed((">Severe<", f">{word}<"))).severity == severity


def test_a_warning_of_heat_brings_no_water() -> None:
    dry = changed(("暴雨", "高温"), ("Rainstorm", "Heat"), ("rainstorm", "heat"), ("降雨", "气温"))
    assert not read_message(dry).brings_water


def test_an_older_version_and_a_message_without_times_are_read() -> None:
    old = changed(("cap:1.2", "cap:1.1"), ("<onset>2026-07-14T17:00:00+08:00</onset>", ""))
    assert read_message(old).onset == read_message(old).sent
    timeless = changed(("<expires>2026-07-14T22:00:00+08:00</expires>", ""))
    warning = read_message(timeless)
    assert warning.expires - warning.onset == timedelta(hours=24)


def test_a_cancellation_names_what_it_takes_back_and_need_not_repeat_it() -> None:
    start, end = RAINSTORM.index("<info>"), RAINSTORM.rindex("</alert>")
    bare = (
        RAINSTORM[:start]
        + "<references>weather@example.org,A-1,2026-07-14T16:00:00+08:00</references>"
        + RAINSTORM[end:]
    )
    warning = read_message(changed((">Alert<", ">Cancel<"), message=bare))
    assert warning.message_type is MessageType.CANCEL
    assert warning.references == (("weather@example.org", "A-1"),)


@pytest.mark.parametrize("status", ["Test", "Draft", "System"])
def test_what_is_not_meant_for_us_is_told_apart_from_what_is_broken(status: str) -> None:
    with pytest.raises(NotMeantForUsError, match=status):
        read_message(changed((">Actual<", f">{status}<")))
    with pytest.raises(NotMeantForUsError, match="Ack"):
        read_message(changed((">Alert<", ">Ack<")))


def test_an_exercise_is_marked() -> None:
    assert read_message(changed((">Actual<", ">Exercise<"))).is_exercise


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("<identifier>34010041600000_20260714164000</identifier>", "", "identifier: is missing"),
        ("<sent>2026-07-14T16:40:00+08:00</sent>", "<sent>yesterday</sent>", "sent: 'yesterday' is no time"),
        ("16:40:00+08:00</sent>", "16:40:00</sent>", "sent: .* has no zone"),
        (">Severe<", ">Orange<", "severity: 'Orange' is none"),
        ("31.0,117.0</polygon>", "31.5,117.5</polygon>", "polygon: is not closed"),
        ("31.1,117.1", "131.1,117.1", "polygon: lies outside the world"),
        ("31.1,117.1", "31.1;117.1", "polygon: .* is no list"),
        ("2026-07-14T22:00:00", "2026-07-13T22:00:00", "expires: lies before sent"),
        ("urn:oasis:names:tc:emergency:cap:1.2", "urn:something-else", "is no CAP alert"),
        ("</alert>", "", "is no XML"),
        ("<alert ", '<!DOCTYPE alert [<!ENTITY a "b">]><alert ', "document type"),
    ],
)
def test_a_broken_message_is_refused_with_the_element_and_the_reason(old: str, new: str, named: str) -> None:
    with pytest.raises(CapError, match=named):
        read_message(changed((old, new)))


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "is no XML"),
        (b"\xff\xfe<\x00a\x00", "is not UTF-8"),
        (b"{}", "is no XML"),
        (b" " * (LARGEST_MESSAGE_BYTES + 1), "bytes"),
    ],
)
def test_rubbish_is_refused(content: bytes, named: str) -> None:
    with pytest.raises(CapError, match=named):
        read_message(content)


def test_feeds_of_both_sorts_are_followed() -> None:
    atom = b"""<feed xmlns="http://www.w3.org/2005/Atom"><entry><link href="/a.xml"/></entry>
        <entry><title>no link</title></entry><entry><link href="https://example.org/b.xml"/></entry></feed>"""
    rss = b"<rss><channel><link>https://example.org/</link><item><link> /c.xml </link></item><item/></channel></rss>"
    assert linked_messages(atom) == ["/a.xml", "https://example.org/b.xml"]
    assert linked_messages(rss) == ["/c.xml"]
    assert not is_message(atom)
    assert is_message(RAINSTORM.encode())
    with pytest.raises(CapError, match="neither"):
        linked_messages(b"<html/>")
