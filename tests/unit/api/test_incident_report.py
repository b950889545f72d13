"""The incident report: everything told, nothing unescaped, late steps shown as late, an exercise marked."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.crew_page import Language
from services.api.crew_sketch import Sketch
from services.api.crew_sketch import draw as draw_sketch
from services.api.incident_curve import draw
from services.api.incident_report import ReportFacts, incident_report
from services.core.asset import Asset
from services.core.incident import Incident, IncidentCost
from services.core.lifeline import Lifeline
from services.core.store.incident_curves import Curve
from services.core.store.order_moves import OrderStep
from services.core.text import Text
from tests.unit.core.test_work_order import order_at

NOW = datetime(2026, 7, 14, 6, 0, tzinfo=UTC)
EVIL = "<script>alert('x')</script>"


def facts(*, lessons: str = "learn", is_exercise: bool = False, words: str = "Leak") -> ReportFacts:
    order = order_at()
    incident = Incident(
        UUID(int=9), Lifeline.GAS, "G1-S-1", Text(words, words), is_exercise, NOW, "rule", None, lessons, "desk", 1
    )
    steps = [
        OrderStep(
            1, order.id, NOW, words, "receive", "dispatched", "received", 1, None, NOW - timedelta(minutes=5), None
        ),
        OrderStep(2, order.id, NOW, words, "arrive", "received", "on-site", 1, None, NOW + timedelta(minutes=7), None),
    ]
    costs = [
        IncidentCost(UUID(int=number), words, Decimal(amount), "CNY", words, NOW)
        for number, amount in enumerate(("1850.50", "-50.25"))
    ]
    curve = Curve("s", Text(words, words), "%LEL", [NOW, NOW + timedelta(hours=1)], [0.0, 5.0], [1.0, 31.0])
    return ReportFacts(
        incident=incident,
        alerts=[],
        kinds={},
        assets={},
        orders=[order],
        steps=steps,
        feedback=[],
        attachments=[],
        supervisions=[],
        activations=[],
        trail=[],
        costs=costs,
        curves=[curve],
        organisations={},
        now=NOW,
    )


def test_a_pipe_of_which_the_register_knows_one_point_is_drawn_as_a_dot() -> None:
    pipe = Asset(
        "GP-1", Lifeline.GAS, "pipe", "G1", Text("Main", "干管"), {"type": "Point", "coordinates": [117.0, 31.0]}
    )
    drawn = draw_sketch(
        Sketch(
            assets=(pipe,),
            suspects={"GP-1": 0.9},
            shut=frozenset(),
            sample=[],
            values={},
            centre=None,
            radius_m=None,
            title="map",
        )
    )
    assert "GP-1 90%" in drawn


@pytest.mark.parametrize(("language", "late"), [("en", "0:05:00 late"), ("zh", "0:05:00 超期")])
def test_steps_are_held_against_their_deadlines_and_costs_are_added_up(language: Language, late: str) -> None:
    page = incident_report(facts(), language)
    assert f'<span class="late">{late}' in page
    assert "0:07:00" in page
    assert "1,800.25 CNY" in page


@pytest.mark.parametrize(
    ("language", "open_", "order"),
    [("en", "not closed, running for", "orders not closed: 1"), ("zh", "尚未关闭", "1张工单未办结")],
)
def test_an_open_incident_says_what_is_still_open_and_a_closed_one_when_it_ended(
    language: Language, open_: str, order: str
) -> None:
    page = incident_report(facts(), language)
    assert open_ in page
    assert order in page
    over = facts()
    over = replace(over, incident=replace(over.incident, closed_at=NOW + timedelta(hours=1)))
    page = incident_report(over, language)
    assert open_ not in page
    assert order not in page
    assert "1:00:00" in page


def test_words_of_people_with_braces_are_told_as_they_are() -> None:
    assert "{count}" in incident_report(facts(words="{count} {0}"), "en")


def test_an_exercise_says_so_before_anything_else() -> None:
    page = incident_report(facts(is_exercise=True), "en")
    assert page.index("EXERCISE") < page.index("<h1>")
    assert "EXERCISE" not in incident_report(facts(), "en")


@given(st.text(max_size=40))
def test_nothing_that_people_wrote_becomes_markup(words: str) -> None:
    page = incident_report(facts(lessons=words + EVIL, words=words + EVIL), "en")
    assert "<script" not in page


def test_the_page_needs_nothing_from_elsewhere() -> None:
    page = incident_report(facts(), "zh")
    assert 'lang="zh-CN"' in page
    for outside in ("http:", "https:", "src=", "@import", "url("):
        assert outside not in page


def test_a_curve_of_one_value_and_one_without_readings_are_drawn_or_left_out() -> None:
    flat = Curve("s", Text("x", "x"), "m", [NOW], [2.0], [2.0])
    assert "nan" not in draw(flat, [(NOW, "1")], "s", NOW)
    assert draw(Curve("s", Text("x", "x"), "m", [], [], []), [], "s", NOW) == ""


def test_times_are_those_of_the_citys_clock_and_the_page_says_which() -> None:
    page = incident_report(replace(facts(), now=NOW.astimezone(ZoneInfo("Asia/Shanghai"))), "en")
    assert "2026-07-14 14:00:00 (UTC+08:00)" in page
    assert "2026-07-14 06:00:00" not in page
