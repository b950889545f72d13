"""A backtest says the same whatever the order of the lines, and of a beginning the beginning."""

import json
import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.backtest.backtest import run_backtest
from services.core.recording import RecordingError, read_recording
from tests.unit.backtest import recorded

pytestmark = pytest.mark.timeout(300)


def backtest(recording: Path, out: Path, **options: Any) -> list[dict[str, Any]]:
    run_backtest(read_recording(recording), out, **options)
    return [json.loads(line) for line in (out / "alerts.jsonl").read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded.write_recording(tmp_path_factory.mktemp("whole") / "recording")


@pytest.fixture(scope="module")
def result(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("result")
    backtest(folder, out)
    return out


@pytest.fixture(scope="module")
def alerts(result: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (result / "alerts.jsonl").read_text("utf-8").splitlines()]


def test_the_leak_is_raised_while_it_runs_and_nothing_before(alerts: list[dict[str, Any]]) -> None:
    detected = [datetime.fromisoformat(alert["detected_at"]) for alert in alerts]
    assert detected, "nothing was raised"
    assert min(detected) >= recorded.LEAK_BEGIN
    assert min(detected) < recorded.LEAK_BEGIN + timedelta(hours=6)


def test_an_alert_has_the_fields_of_the_contract_and_no_others(alerts: list[dict[str, Any]]) -> None:
    for alert in alerts:
        assert list(alert) == [
            "id",
            "lifeline",
            "kind",
            "severity",
            "detected_at",
            "started_at",
            "cleared_at",
            "sensors",
            "trace",
            "score",
            "detector",
            "detector_version",
            "explanation",
        ]
        assert set(alert["explanation"]) == {"en", "zh"}
        assert all(set(each) == {"asset", "probability"} for each in alert["trace"])
        shares = [each["probability"] for each in alert["trace"]]
        assert shares == sorted(shares, reverse=True)


def test_alerts_stand_in_the_order_in_which_they_were_raised(alerts: list[dict[str, Any]]) -> None:
    detected = [alert["detected_at"] for alert in alerts]
    assert detected == sorted(detected)


def test_a_danger_is_traced_on_the_network(alerts: list[dict[str, Any]]) -> None:
    named = {each["asset"] for alert in alerts for each in alert["trace"]}
    assert named & {"p12", "p23", "p34", "p45", "p51", "n2", "n3", "n4"}


@pytest.mark.parametrize("days", [8.0, 10.02, 10.1, 10.5, 11.01, 11.6])
def test_the_beginning_of_a_recording_gives_the_beginning_of_the_result(
    days: float, alerts: list[dict[str, Any]], result: Path, tmp_path: Path
) -> None:
    shorter = recorded.write_recording(tmp_path / "recording", days)
    found = backtest(shorter, tmp_path / "out")
    for before, after in zip(found, alerts, strict=False):
        assert before["cleared_at"] in {None, after["cleared_at"]}
    assert [without_end(alert) for alert in found] == [without_end(alert) for alert in alerts[: len(found)]]
    last = recorded.rows(days)[-1][0].isoformat().replace("+00:00", "Z")
    assert sum(alert["detected_at"] < last for alert in alerts) <= len(found), "something was told too late"
    whole = (result / "scores.csv").read_text("utf-8")
    assert whole.startswith((tmp_path / "out" / "scores.csv").read_text("utf-8"))


def test_until_is_the_same_as_a_shorter_recording(folder: Path, tmp_path: Path) -> None:
    shorter = recorded.write_recording(tmp_path / "recording", 10.5)
    expected = backtest(shorter, tmp_path / "shorter")
    assert expected
    assert backtest(folder, tmp_path / "out", until=recorded.START + timedelta(days=10.5)) == expected


def test_shuffled_lines_in_files_of_any_kind_give_the_same_bytes(result: Path, tmp_path: Path) -> None:
    folder = tmp_path / "recording"
    recorded.write_description(folder)
    shuffled = recorded.rows()
    random.Random(3).shuffle(shuffled)  # noqa: S311 - reproducible
    half = len(shuffled) // 2
    recorded.write_wide(folder / "readings" / "b.csv.gz", shuffled[:half], recorded.SENSORS[::-1])
    single = [(time, sensor, value) for time, row in shuffled[half:] for sensor, value in row.items()]
    random.Random(4).shuffle(single)  # noqa: S311 - reproducible
    recorded.write_long(folder / "readings" / "a.csv", single)
    backtest(folder, tmp_path / "out")
    for name in ("alerts.jsonl", "scores.csv"):
        assert (tmp_path / "out" / name).read_bytes() == (result / name).read_bytes()


def test_truth_is_not_looked_at(folder: Path, result: Path, tmp_path: Path) -> None:
    copy = recorded.write_recording(tmp_path / "recording")
    (copy / "truth.csv").write_text("this is no table", "utf-8")
    backtest(copy, tmp_path / "out")
    assert (tmp_path / "out" / "alerts.jsonl").read_bytes() == (result / "alerts.jsonl").read_bytes()


def test_scores_are_left_out_when_nobody_wants_them(folder: Path, result: Path, tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text("of an earlier run", "utf-8")
    backtest(folder, tmp_path, with_scores=False)
    assert not (tmp_path / "scores.csv").exists()
    assert (tmp_path / "alerts.jsonl").read_bytes() == (result / "alerts.jsonl").read_bytes()


def test_the_summary_counts_what_was_done(result: Path, alerts: list[dict[str, Any]]) -> None:
    summary = json.loads((result / "summary.json").read_text("utf-8"))
    rows = len(recorded.rows())
    assert summary["readings"] == rows * len(recorded.SENSORS)
    assert summary["alerts"] == len(alerts) == sum(summary["by_kind"].values())
    scores = len((result / "scores.csv").read_text("utf-8").splitlines()) - 1
    # At least one rule judges every row but the last, which may not be complete.
    assert summary["scores"] == scores >= rows - 1
    assert summary["learn_until"] == "2026-01-09T00:00:00Z"
    assert summary["versions"]["lifeline"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("recording.toml", recorded.DESCRIPTION.replace("network.inp", "lost.inp"), "recording.toml: network = 'lost"),
        ("recording.toml", recorded.DESCRIPTION.replace("2026-01-13T00:00:00Z", "soon"), "recording.toml: Invalid iso"),
        ("recording.toml", recorded.DESCRIPTION.replace("-09T00:00:00Z", "-09T00:00:00"), "recording.toml: time '2026"),
        ("recording.toml", recorded.DESCRIPTION.replace("2026-01-13", "2025-01-13"), "recording.toml: scored ends"),
        ("recording.toml", recorded.DESCRIPTION + "learn_rows = 0\n", "recording.toml: learn_rows = 0 is not"),
        ("network.inp", recorded.NETWORK.replace("p34 n3 n4", "p34 n3 n9"), "network.inp, [PIPES], line 13: node 'n9'"),
        ("network.inp", "nothing", "network.inp, line 1"),
        ("sensors.csv", "sensor,lifeline\n", "sensors.csv, line 1, quantity: the column is missing"),
        ("readings/z.csv", "time,P.n9\n", "z.csv, line 1: sensor 'P.n9' is not in sensors.csv"),
        ("readings/z.csv", "time,P.n1\n2026-01-01T00:00:00,1\n", "z.csv, line 2: time '2026-01-01T00:00:00' has no z"),
        ("readings/z.csv", "time,P.n1\n2026-01-01T00:00:00Z,low\n", "z.csv, line 2: could not convert string to float"),
        ("readings/z.csv.gz", "time,P.n1\n", "z.csv.gz: cannot be read"),
    ],
)
def test_a_broken_recording_is_refused_before_anything_is_written(
    name: str, content: str, message: str, tmp_path: Path
) -> None:
    folder = recorded.write_recording(tmp_path / "recording", days=0.1)
    (folder / name).write_text(content, "utf-8")
    with pytest.raises(RecordingError) as caught:
        backtest(folder, tmp_path / "out")
    assert str(caught.value).startswith(message)
    assert not (tmp_path / "out").exists()


def without_end(alert: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in alert.items() if name != "cleared_at"}
