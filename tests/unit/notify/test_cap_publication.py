"""A warning's life as messages: which kind is due, where it holds, what it says."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.alerts.notify.cap_publication import Place, Publisher, area_of, message_type_of, publication
from services.core.alert import Verdict
from services.core.asset import Asset
from services.core.cap_alert import CapAlert, CapStatus, write_message
from services.core.cap_message import read_message
from services.core.lifeline import Lifeline
from services.core.severity import Severity
from services.core.store.cap_messages import StoredCapMessage
from services.core.store.network import Zone
from services.core.text import Text
from services.core.warning import WarningState
from services.core.weather_warning import MessageType
from tests.unit.alerts_loop.findings_made import NOW, alert
from tests.unit.alerts_loop.test_message import _warning

PUBLISHER = Publisher("lifeline@city.example", Text("City", "城市"), CapStatus.ACTUAL, timedelta(hours=24))
PIPE = Asset(
    id="US-1",
    lifeline=Lifeline.GAS,
    kind="pipe",
    zone="G1",
    name=Text("Pipe 1", "1号管"),
    geometry={"type": "LineString", "coordinates": [[117.0, 31.0], [117.002, 31.0]]},
)
OUTLINE = [[117.0, 31.0], [117.01, 31.0], [117.01, 31.04], [117.0, 31.0]]
ZONE = Zone("G1", Lifeline.GAS, Text("Zone 1", "1区"), {"type": "Polygon", "coordinates": [OUTLINE]})


def _stored(message_type: MessageType, number: int = 1) -> StoredCapMessage:
    return StoredCapMessage(f"m{number}", _warning(alert()).id, "s@c", NOW, message_type, NOW, "h", "头", "<alert/>")


def _said(message_type: MessageType = MessageType.ALERT, **changes: Any) -> CapAlert:
    about = changes.pop("about", alert())
    warning = replace(_warning(about), **changes.pop("warning", {}))
    earlier = changes.pop("earlier", [])
    publisher = changes.pop("publisher", PUBLISHER)
    return publication(
        warning,
        about,
        Place(PIPE, ZONE),
        publisher,
        earlier,
        identifier="tiny-1",
        message_type=message_type,
        web=None,
        now=NOW,
    )


@pytest.mark.parametrize(
    ("earlier", "lifted", "expected"),
    [
        ([], False, MessageType.ALERT),
        ([MessageType.ALERT], False, MessageType.UPDATE),
        ([MessageType.ALERT, MessageType.UPDATE], True, MessageType.CANCEL),
        ([], True, None),
        ([MessageType.ALERT, MessageType.CANCEL], True, None),
        ([MessageType.ALERT, MessageType.CANCEL], False, None),
    ],
)
def test_which_message_is_due(earlier: list[MessageType], expected: MessageType | None, *, lifted: bool) -> None:
    warning = replace(_warning(alert()), lifted_at=NOW if lifted else None)
    assert message_type_of(warning, [_stored(kind) for kind in earlier]) is expected


def test_a_draft_says_nothing_in_public() -> None:
    assert message_type_of(replace(_warning(alert()), published_at=None), []) is None


def test_a_change_refers_to_all_that_went_before() -> None:
    earlier = [_stored(MessageType.ALERT, 1), _stored(MessageType.UPDATE, 2)]
    said = _said(MessageType.CANCEL, earlier=earlier)
    assert [reference.identifier for reference in said.references] == ["m1", "m2"]
    assert said.headline.en.startswith("Lifted: ")
    assert (said.urgency, said.instruction) == ("Past", Text("", ""))
    assert read_message(write_message(said).encode()).message_type is MessageType.CANCEL


@pytest.mark.parametrize(
    ("severity", "words", "urgency"),
    [(4, "Extreme", "Immediate"), (3, "Severe", "Immediate"), (2, "Moderate", "Expected"), (1, "Minor", "Expected")],
)
def test_red_orange_yellow_and_blue_are_said_in_the_protocols_words(severity: int, words: str, urgency: str) -> None:
    said = _said(warning={"severity": Severity(severity)})
    assert said.urgency == urgency
    assert f"<severity>{words}</severity>" in write_message(said)


def test_only_what_a_person_has_judged_true_is_observed() -> None:
    assert _said().certainty == "Likely"
    assert _said(about=replace(alert(), verdict=Verdict.TRUE_ALARM)).certainty == "Observed"
    assert _said(about=replace(alert(), verdict=Verdict.TEST)).certainty == "Likely"


def test_an_exercise_is_one_in_its_status_and_its_headline() -> None:
    said = _said(publisher=replace(PUBLISHER, status=CapStatus.EXERCISE))
    assert said.status is CapStatus.EXERCISE
    assert said.headline.zh.startswith("【演练】")
    assert read_message(write_message(said).encode()).is_exercise


def test_the_area_is_a_circle_around_the_asset_and_not_the_whole_zone() -> None:
    area = area_of(_warning(alert()), Place(PIPE, ZONE))
    ((longitude, latitude, radius_km),) = area.circles
    assert (longitude, latitude) == pytest.approx((117.001, 31.0))
    # Half of 0.002 degrees of longitude at 31 degrees north are 95 m; a street's width comes on top.
    assert radius_km == pytest.approx(0.095 + 0.05, abs=0.002)
    assert not area.rings
    assert area.codes == {"lifeline:zone": "G1", "lifeline:asset": "US-1"}


def test_a_warning_that_names_its_area_and_its_end_is_taken_at_its_word() -> None:
    until = NOW + timedelta(hours=2)
    said = _said(warning={"area": {"type": "Polygon", "coordinates": [OUTLINE]}, "valid_until": until})
    assert said.expires == until
    assert [list(point) for point in said.areas[0].rings[0]] == OUTLINE
    assert not said.areas[0].circles
    assert _said(warning={"valid_until": NOW - timedelta(hours=1)}).expires == NOW + timedelta(hours=24)


def test_what_was_cancelled_is_not_called_lifted() -> None:
    said = _said(MessageType.CANCEL, earlier=[_stored(MessageType.ALERT)], warning={"state": WarningState.CANCELLED})
    assert said.headline.zh.startswith("撤销：")


def test_what_is_no_asset_warns_the_zone() -> None:
    area = area_of(_warning(alert()), Place(None, ZONE))
    assert not area.circles
    assert [list(point) for point in area.rings[0]] == OUTLINE
    assert area_of(_warning(alert()), Place(None, None)).description == Text("G1", "G1")


def test_an_outline_of_thousands_of_corners_is_thinned_and_stays_closed() -> None:
    outline = [[117.0 + number / 1e5, 31.0 + (number % 7) / 1e5] for number in range(5000)]
    large = replace(ZONE, geometry={"type": "MultiPolygon", "coordinates": [[[*outline, outline[0]]]]})
    (ring,) = area_of(_warning(alert()), Place(None, large)).rings
    assert len(ring) <= 201
    assert ring[0] == ring[-1] == (117.0, 31.0)
