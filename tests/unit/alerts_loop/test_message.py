"""Webhook bodies: valid JSON, small, with times that everybody can read."""

import json
import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from services.alerts.notify.message import warning_body, work_order_body
from services.core.alert import Alert
from services.core.disposal_rule import default_rule
from services.core.severity import Scheme, Severity
from services.core.text import Text
from services.core.warning import PublicWarning, WarningState
from services.core.work_order import WorkOrder, WorkOrderState
from tests.unit.alerts_loop.findings_made import NOW, alert

LIMIT_BYTES = 20_000
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
IDENTIFIER = UUID("6f1b7a52-2f0e-4a55-9c41-1f3d3b8f6a10")
CHINA = timezone(timedelta(hours=8))


def _warning(about: Alert, severity: Severity = Severity.MAJOR) -> PublicWarning:
    return PublicWarning(
        id=IDENTIFIER,
        alert=about.id,
        state=WarningState.PUBLISHED,
        lifeline=about.lifeline,
        zone=about.zone,
        asset=about.asset,
        severity=severity,
        scheme=Scheme.EMERGENCY,
        headline=Text("Level II (orange): Methane too high at Manhole", "二级（橙色）：检查井甲烷浓度超限"),
        instruction=Text("Keep away.", "疏散人员。"),
        organisation="gas-company",
        policy="rule gas-methane-level: published from severity 3",
        created_at=NOW,
        published_at=NOW,
        published_by="system",
        received_at=None,
        received_by=None,
        lifted_at=None,
        lifted_by=None,
        version=1,
    )


def _order(about: Alert) -> WorkOrder:
    clocks: dict[str, Any] = dict.fromkeys(
        ("received_at", "on_site_at", "under_control_at", "handled_at", "verified_at", "closed_at")
    )
    return WorkOrder(
        id=IDENTIFIER,
        alert=about.id,
        warning=None,
        state=WorkOrderState.DISPATCHED,
        lifeline=about.lifeline,
        zone=about.zone,
        asset=about.asset,
        severity=about.severity,
        organisation="gas-company",
        title=Text("Methane", "甲烷"),
        feedback=None,
        feedback_by=None,
        verification=None,
        created_at=NOW,
        dispatched_at=NOW,
        **clocks,
        version=1,
        rule=default_rule(about.lifeline),
    )


def _large() -> Alert:
    """An alert as large as they come: a gateway with two thousand sensors, ten candidates, a hundred valves."""
    reason = Text("a" * 200, "管" * 200).as_json()
    candidates = [{"asset": f"WP-{number}", "probability": 0.1, "reason": reason} for number in range(10)]
    return replace(
        alert(),
        sensors=tuple(f"SENSOR-OF-THE-GATEWAY-{number:06d}" for number in range(2000)),
        explanation=Text("e" * 500, "解" * 500),
        trace={
            "candidates": candidates,
            "isolation": [f"WV-{number}" for number in range(100)],
            "upstream": [f"WP-{number}" for number in range(50)],
            "downstream": [f"WP-{number}" for number in range(50)],
        },
    )


def _times(content: Any, name: str = "") -> list[str]:
    if isinstance(content, dict):
        return [time for key, value in content.items() for time in _times(value, key)]
    return [content] if name.endswith(("_at", "timestamp")) and content is not None else []


def test_bodies_follow_standard_webhooks_and_say_what_happened() -> None:
    about = alert()
    body = json.loads(warning_body("warning.published", _warning(about), about, "https://city/#/alerts/1", NOW))
    assert set(body) == {"type", "timestamp", "data"}
    assert (body["type"], body["timestamp"]) == ("warning.published", "2026-01-05T09:00:00Z")
    said = body["data"]
    assert (said["severity"], said["label"]["zh"], said["scheme"]) == (3, "二级（橙色）", "emergency")
    assert said["url"] == "https://city/#/alerts/1"
    assert said["alert"]["explanation"] == {"en": "level at 0: 3", "zh": "level at 0: 3"}
    assert said["alert"]["id"] == str(about.id)
    body = json.loads(work_order_body("work-order.dispatched", _order(about), about, None, NOW))
    assert (body["data"]["state"], body["data"]["title"]["zh"], body["data"]["url"]) == ("dispatched", "甲烷", None)


def test_the_largest_alert_stays_under_twenty_kilobytes_and_says_how_much_was_left_out() -> None:
    about = _large()
    for body in (
        warning_body("warning.published", _warning(about), about, None, NOW),
        work_order_body("work-order.dispatched", _order(about), about, None, NOW),
    ):
        assert len(body.encode()) < LIMIT_BYTES
        told = json.loads(body)["data"]["alert"]
        assert told["sensor_count"] == 2000
        assert len(told["sensors"]) == 50
        assert [each["asset"] for each in told["trace"]["candidates"]] == ["WP-0", "WP-1", "WP-2"]


def test_ten_thousand_sensors_and_a_trace_without_end_stay_under_twenty_kilobytes() -> None:
    words = Text("e" * 5000, "解" * 5000)
    ring = [[117.0 + number / 1e6, 31.0] for number in range(5000)]
    candidate = {
        "probability": 0.1,
        "reason": {"en": "a" * 5000, "zh": "管" * 5000},
        "geometry": {"type": "LineString", "coordinates": ring},
    }
    about = replace(
        alert(),
        sensors=tuple(f"{number:064d}" for number in range(10_000)),
        explanation=words,
        trace={
            "candidates": [candidate | {"asset": f"{number:064d}"} for number in range(100)],
            "isolation": [f"{number:064d}" for number in range(1000)],
        },
    )
    warning = replace(_warning(about), headline=words, instruction=words, policy="p" * 5000)
    for body in (
        warning_body("warning.published", warning, about, "https://city/" + "x" * 500, NOW),
        work_order_body("work-order.dispatched", replace(_order(about), title=words), about, None, NOW),
    ):
        assert len(body.encode()) < LIMIT_BYTES
        told = json.loads(body)["data"]
        assert told["alert"]["sensor_count"] == 10_000
        assert told["alert"]["explanation"]["zh"].startswith("解")
        assert told["alert"]["trace"]["candidates"][0]["asset"] == f"{0:064d}"
        assert "geometry" not in body


def test_an_exercise_says_so() -> None:
    about = alert()
    for exercise in (False, True):
        warning = warning_body("warning.published", _warning(about), about, None, NOW, exercise=exercise)
        order = work_order_body("work-order.dispatched", _order(about), about, None, NOW, exercise=exercise)
        for body in (warning, order):
            assert json.loads(body)["data"]["exercise"] is exercise


@settings(deadline=None)
@given(
    moment=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(CHINA)),  # noqa: DTZ001 - hypothesis adds the zone
    words=st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
    value=st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
    severity=st.sampled_from(Severity),
)
def test_every_body_is_valid_json_with_times_in_utc(
    moment: datetime, words: str, value: float | None, severity: Severity
) -> None:
    about = replace(alert(), started_at=moment, explanation=Text(words, words), peak_value=value)
    warning = replace(_warning(about, severity), headline=Text(words, words), lifted_at=moment)
    text = warning_body("warning.lifted", warning, about, None, moment)

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    body = json.loads(text, parse_constant=refuse)
    assert body["data"]["headline"]["zh"] == words
    assert body["data"]["alert"]["value"] == value
    times = _times(body)
    assert len(times) == 5
    for time in times:
        assert RFC_3339.fullmatch(time)
        assert time.endswith("Z")
    assert datetime.fromisoformat(body["timestamp"]) == moment
