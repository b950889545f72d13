"""Messages that we write: valid by the schema of OASIS, and read by others as they were meant."""

import logging
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import capparselib
import pytest
from capparselib.parsers import CAPParser
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from services.core.cap_alert import (
    NAMESPACE,
    CapAlert,
    CapArea,
    CapReference,
    CapStatus,
    certainty_of,
    moment,
    named,
    urgency_of,
    write_message,
)
from services.core.cap_feed import FeedEntry, write_feed
from services.core.cap_message import NotMeantForUsError, linked_messages, read_message
from services.core.severity import Severity
from services.core.text import Text
from services.core.weather_warning import MessageType

_SCHEMAS = Path(capparselib.__file__).parent / "schema"
SCHEMA = etree.XMLSchema(etree.parse(str(_SCHEMAS / "CAP-v1.2.xsd")))
"""The schema of OASIS as capparselib carries it."""
SENT = datetime(2026, 1, 5, 17, 0, 30, 123456, tzinfo=timezone(timedelta(hours=8)))
RING = [(117.0, 31.0), (117.1, 31.0), (117.1, 31.1), (117.0, 31.0)]


def alert(**changes: Any) -> CapAlert:
    fields: dict[str, Any] = {
        "identifier": "tiny-0c9d0c52",
        "sender": "lifeline@city.example",
        "sent": SENT,
        "status": CapStatus.ACTUAL,
        "message_type": MessageType.ALERT,
        "references": (),
        "event": Text("Gas warning", "燃气预警"),
        "urgency": "Immediate",
        "severity": Severity.MAJOR,
        "certainty": "Likely",
        "onset": SENT - timedelta(minutes=2),
        "expires": SENT + timedelta(hours=24),
        "sender_name": Text("City centre", "城市监测中心"),
        "headline": Text("Methane too high", "甲烷浓度超限"),
        "description": Text("Methane reached 31 %LEL", "甲烷达到31 %LEL"),
        "instruction": Text("Keep away.", "疏散人员。"),
        "web": "https://city.example/#/alerts/7",
        "parameters": {"lifeline:kind": "methane-high"},
        "areas": [
            CapArea(
                Text("Manhole 1", "1号井"),
                rings=[RING],
                circles=[(117.0, 31.0, 0.05)],
                codes={"lifeline:zone": "G1"},
            )
        ],
    }
    return CapAlert(**(fields | changes))


def valid(message: str) -> etree._Element:
    root = etree.fromstring(message.encode())
    SCHEMA.assertValid(root)
    return root


def texts(root: etree._Element, path: str) -> list[str]:
    return [element.text or "" for element in root.findall("/".join(f"{{{NAMESPACE}}}{p}" for p in path.split("/")))]


EARLIER = (CapReference("lifeline@city.example", "tiny-1", SENT), CapReference("lifeline@city.example", "tiny-2", SENT))


@pytest.mark.parametrize("status", CapStatus)
@pytest.mark.parametrize("message_type", MessageType)
@pytest.mark.parametrize("severity", Severity)
def test_every_kind_of_message_is_valid_by_the_schema(
    status: CapStatus, message_type: MessageType, severity: Severity
) -> None:
    references = () if message_type is MessageType.ALERT else EARLIER
    urgency, certainty = urgency_of(severity, message_type), certainty_of(severity, is_confirmed=False)
    said = alert(
        status=status,
        message_type=message_type,
        references=references,
        severity=severity,
        urgency=urgency,
        certainty=certainty,
    )
    root = valid(write_message(said))
    assert texts(root, "status") == [status.value]
    assert texts(root, "info/language") == ["zh-CN", "en-US"]
    assert texts(root, "info/category") == ["Infra", "Infra"]


def test_the_schema_refuses_what_is_none() -> None:
    """A schema that let everything through would make the tests above worthless."""
    written = write_message(alert())
    for old, new in (
        ("<scope>Public</scope>", "<scope>Everybody</scope>"),
        ("-00:00</sent>", "Z</sent>"),
        ("<identifier>tiny-0c9d0c52</identifier>", ""),
        ("<category>Infra</category>", "<category>Pipes</category>"),
    ):
        assert old in written
        assert not SCHEMA.validate(etree.fromstring(written.replace(old, new, 1).encode()))


def test_times_have_neither_z_nor_fractions() -> None:
    root = valid(write_message(alert()))
    assert texts(root, "sent") == ["2026-01-05T09:00:30-00:00"]
    assert moment(datetime(2026, 1, 5, 9, tzinfo=UTC)) == "2026-01-05T09:00:00-00:00"


def test_our_reader_reads_what_was_meant() -> None:
    read = read_message(write_message(alert()).encode())
    assert (read.identifier, read.sender) == ("tiny-0c9d0c52", "lifeline@city.example")
    assert read.sent == SENT.replace(microsecond=0)
    assert (read.severity, read.message_type, read.is_exercise) == (Severity.MAJOR, MessageType.ALERT, False)
    assert read.headline == Text("Methane too high", "甲烷浓度超限")
    assert read.instruction == Text("Keep away.", "疏散人员。")
    assert read.expires - read.sent == timedelta(hours=24)
    assert read.areas == (tuple(RING),)
    update = read_message(write_message(alert(message_type=MessageType.CANCEL, references=EARLIER)).encode())
    assert update.references == (("lifeline@city.example", "tiny-1"), ("lifeline@city.example", "tiny-2"))
    assert read_message(write_message(alert(status=CapStatus.EXERCISE)).encode()).is_exercise
    with pytest.raises(NotMeantForUsError):
        read_message(write_message(alert(status=CapStatus.TEST)).encode())


def test_an_independent_reader_reads_the_same(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    read = CAPParser(write_message(alert(message_type=MessageType.UPDATE, references=EARLIER))).as_dict()[0]
    assert read["cap_id"] == "tiny-0c9d0c52"
    assert read["cap_sender"] == "lifeline@city.example"
    assert read["cap_message_type"] == "Update"
    assert read["cap_status"] == "Actual"
    chinese, english = read["cap_info"]
    assert (chinese["cap_headline"], english["cap_headline"]) == ("甲烷浓度超限", "Methane too high")
    assert {str(info["cap_severity"]) for info in (chinese, english)} == {"Severe"}
    (area,) = english["cap_area"]
    assert area["area_description"] == "Manhole 1"
    assert not caplog.records


@pytest.mark.parametrize("name", ["", "a b", "a,b", "a<b", "a&b", "a\tb"])
def test_a_name_that_would_spoil_references_is_refused(name: str) -> None:
    for field in ("identifier", "sender"):
        with pytest.raises(ValueError, match="cannot name"):
            write_message(alert(**{field: name}))
    assert name == "" or write_message(alert(identifier=named(name)))


@pytest.mark.parametrize("message_type", [MessageType.UPDATE, MessageType.CANCEL])
def test_a_change_names_what_it_changes(message_type: MessageType) -> None:
    with pytest.raises(ValueError, match="names what it refers to"):
        write_message(alert(message_type=message_type))


def test_a_ring_that_is_not_closed_is_left_out() -> None:
    root = valid(write_message(alert(areas=[CapArea(Text("a", "甲"), rings=[RING[:-1], RING[:2]])])))
    assert texts(root, "info/area/polygon") == []


def test_polygons_and_circles_have_latitude_first() -> None:
    root = valid(write_message(alert()))
    assert texts(root, "info/area/polygon")[0].startswith("31.000000,117.000000 31.000000,117.100000")
    assert texts(root, "info/area/circle")[0] == "31.000000,117.000000 0.050"


@settings(deadline=None, max_examples=60)
@given(words=st.text(max_size=200), sent=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001 - given its zone below
def test_any_words_make_a_valid_message(words: str, sent: datetime) -> None:
    said = Text(words, words)
    areas = [CapArea(said, codes={"name": words})]
    at = sent.replace(tzinfo=UTC)
    printable = words.encode(errors="ignore").decode()
    written = write_message(
        alert(sent=at, headline=said, description=said, instruction=said, areas=areas, parameters={"p": words})
    )
    root = valid(written)
    assert len(texts(root, "info/headline")) == 2
    if printable.isprintable():
        assert texts(root, "info/headline")[0] == printable


@pytest.fixture
def feed() -> str:
    addresses = [f"https://city.example/api/v1/cap/tiny-{number}.xml" for number in (2, 1)]
    entries = [FeedEntry(f"tiny-{n}", address, "甲烷 & <Methane>", SENT, SENT) for n, address in enumerate(addresses)]
    return write_feed("https://city.example/api/v1/cap.atom", "tiny", "tiny", entries, SENT)


def test_the_feed_lists_messages_where_they_are(feed: str) -> None:
    assert linked_messages(feed.encode()) == [
        "https://city.example/api/v1/cap/tiny-2.xml",
        "https://city.example/api/v1/cap/tiny-1.xml",
    ]


def test_the_feed_is_valid_by_a_schema_of_atom(feed: str) -> None:
    schema = etree.XMLSchema(etree.parse(str(_SCHEMAS / "atom.xsd")))
    schema.assertValid(etree.fromstring(feed.encode()))
    assert not schema.validate(
        etree.fromstring(feed.replace("<id>", "<number>").replace("</id>", "</number>").encode())
    )
