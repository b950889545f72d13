"""The measures of the operation benchmarks, on cases counted by hand."""

from datetime import UTC, datetime

import pytest

from tests.benchmarks.detection.ctown_score import ctown_score
from tests.benchmarks.detection.skab_score import count_rows

HOUR_S = 3600.0


def _alert(begin_s: float, end_s: float | None, kind: str = "operation-unusual") -> dict[str, object]:
    return {"kind": kind, "detected_at": _text(begin_s), "cleared_at": None if end_s is None else _text(end_s)} | {
        "sensors": ["P-1"]
    }


def _text(time_s: float) -> str:
    return datetime.fromtimestamp(time_s, UTC).isoformat()


def test_delay_hits_and_quiet_hours_make_the_contest_score() -> None:
    attacks = [("a1", 10 * HOUR_S, 19 * HOUR_S), ("a2", 50 * HOUR_S, 59 * HOUR_S)]
    alerts = [_alert(13 * HOUR_S, 22 * HOUR_S), _alert(50 * HOUR_S, 60 * HOUR_S, kind="sensor-stuck")]
    result = ctown_score(alerts, attacks, (0.0, 100 * HOUR_S))
    assert [attack.delay_hours for attack in result.attacks] == [3.0, None]
    assert result.true_positive_rate == pytest.approx(7 / 20)
    assert result.true_negative_rate == pytest.approx(78 / 80)
    assert result.score == pytest.approx(0.5 * (1 - (3 / 9 + 1) / 2) + 0.25 * (7 / 20 + 78 / 80))
    assert result.attacks[0].named == ("P-1",)


def test_an_alert_that_never_ends_earns_three_quarters() -> None:
    result = ctown_score([_alert(0, None)], [("a1", 10 * HOUR_S, 19 * HOUR_S)], (0.0, 100 * HOUR_S))
    assert result.score == pytest.approx(0.75)


def test_a_score_needs_an_attack() -> None:
    with pytest.raises(ValueError, match="needs hours with an attack"):
        ctown_score([], [], (0.0, 10 * HOUR_S))


def test_rows_are_counted_until_the_alert_is_cleared_and_the_anomaly_includes_its_end() -> None:
    rows = count_rows([float(second) for second in range(100)], [_alert(45, 70)], [("a1", 40.0, 59.0)])
    assert (rows.hits, rows.false_alarms, rows.missed, rows.quiet) == (15, 10, 5, 70)
    assert rows.f1 == pytest.approx(30 / 45)
    assert (rows + rows).false_alarm_percent == pytest.approx(12.5)
    assert rows.missed_percent == pytest.approx(25)
