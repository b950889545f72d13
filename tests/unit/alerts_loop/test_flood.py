"""In a flood of news every new danger is a message of its own, and the rest is told together."""

import json
from datetime import timedelta
from typing import Any

from services.alerts.notify.flood import FIRST_SUMMARY_AFTER, OF_A_KIND, WINDOW, Told, goes_alone, next_summary_at
from services.alerts.notify.flood_gate import summary_body
from services.alerts.notify.message import LARGEST_BODY_BYTES
from services.core.lifeline import Lifeline
from services.core.severity import Severity
from tests.unit.alerts_loop.findings_made import NOW

MOST = 10


def _told(
    kind: str = "waterlogging", severity: int = 3, minutes: float = 0, lifeline: Lifeline = Lifeline.DRAINAGE
) -> Told:
    return Told(lifeline, kind, Severity(severity), NOW + timedelta(minutes=minutes))


def _alone(news: Told, before: list[Told], type_: str = "warning.published") -> bool:
    return goes_alone(type_, news, before, MOST)


def test_the_first_of_a_kind_go_alone_and_the_next_wait() -> None:
    before: list[Told] = []
    for number in range(OF_A_KIND):
        assert _alone(_told(minutes=number / 10), before)
        before.append(_told(minutes=number / 10))
    assert not _alone(_told(minutes=1), before)
    assert _alone(_told(minutes=11), before), "what was told ten minutes ago still counts"


def test_a_new_kind_and_a_worse_grade_never_wait_behind_a_flood() -> None:
    flood = [_told(kind) for kind in ("a", "b", "c", "d") for _ in range(OF_A_KIND)]
    assert len(flood) > MOST
    assert _alone(_told("leak-suspected", 2, lifeline=Lifeline.WATER), flood)
    assert _alone(_told("a", 4), flood)
    assert not _alone(_told("a", 3), flood)


def test_gas_and_what_nobody_has_answered_are_told_every_time() -> None:
    gas = [_told("methane-high", 3, lifeline=Lifeline.GAS)] * 50
    assert _alone(_told("methane-high", 3, lifeline=Lifeline.GAS), gas)
    assert not _alone(_told("methane-high", 2, lifeline=Lifeline.GAS), gas)
    assert _alone(_told(), [_told()] * 50, "warning.escalated")


def test_summaries_come_after_a_minute_and_then_every_ten() -> None:
    assert next_summary_at(NOW, None) == NOW + FIRST_SUMMARY_AFTER
    assert next_summary_at(NOW, NOW - timedelta(minutes=2)) == NOW + timedelta(minutes=8)
    assert next_summary_at(NOW, NOW - WINDOW) == NOW + FIRST_SUMMARY_AFTER


def _news(number: int, severity: int) -> dict[str, Any]:
    headline = {"en": f"place {number} " + "x" * 100, "zh": f"地点{number}"}
    return {
        "type": "warning.published",
        "data": {"id": str(number), "lifeline": "drainage", "severity": severity, "headline": headline},
    }


def test_a_summary_names_the_worst_counts_the_rest_and_stays_small() -> None:
    written = summary_body([_news(number, 2 + number % 3) for number in range(500)], NOW, exercise=True)
    assert len(written.encode()) < LARGEST_BODY_BYTES
    data = json.loads(written)["data"]
    assert data["count"] == 500
    assert data["not_listed"] == 500 - len(data["items"])
    assert {item["severity"] for item in data["items"]} == {4}
    assert data["exercise"] is True


def test_of_one_thing_told_twice_the_last_counts() -> None:
    data = json.loads(summary_body([_news(1, 2), _news(1, 4), _news(2, 3)], NOW, exercise=False))["data"]
    assert [(item["id"], item["severity"]) for item in data["items"]] == [("1", 4), ("2", 3)]
