"""`lifeline backtest` and `lifeline report` as a person starts them."""

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from services.core.settings import Settings
from tests.unit.backtest import recorded

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

HANOI = Settings().bench_data / "hanoi-sparse" / "hanoi-sparse-0004"
HANOI_CUTS = ("2017-02-01T00:00:00Z", "2017-02-20T10:10:00Z")


def lifeline(*words: str | Path) -> subprocess.CompletedProcess[str]:
    # Neither a database nor a broker is reachable: a backtest needs none.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LIFELINE_")}
    return subprocess.run(
        [sys.executable, "-m", "services.cli", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=500,
    )


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded.write_recording(tmp_path_factory.mktemp("data") / "recording")


@pytest.fixture(scope="module")
def out(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("result") / "out"
    run = lifeline("backtest", recording, "--out", folder)
    assert run.returncode == 0, run.stderr
    assert "6,912 readings" in run.stdout
    return folder


def test_the_leak_is_found_where_and_when_it_was(out: Path) -> None:
    alerts = [json.loads(line) for line in (out / "alerts.jsonl").read_text("utf-8").splitlines()]
    leaks = [alert for alert in alerts if alert["kind"] == "leak-suspected"]
    assert leaks, f"only {[alert['kind'] for alert in alerts]}"
    detected = datetime.fromisoformat(leaks[0]["detected_at"])
    assert recorded.LEAK_BEGIN <= detected <= recorded.LEAK_BEGIN + timedelta(hours=6)
    assert leaks[0]["trace"][0]["asset"] in {"n3", "p23", "p34"}, "the leak is at n3"


def test_a_summary_and_scores_lie_beside_the_alerts(out: Path) -> None:
    summary = json.loads((out / "summary.json").read_text("utf-8"))
    assert summary["readings"] == len(recorded.rows()) * len(recorded.SENSORS)
    assert (out / "scores.csv").read_text("utf-8").startswith("time,asset_or_sensor,score\n")


def test_a_broken_recording_is_refused_with_file_line_and_reason(recording: Path, tmp_path: Path) -> None:
    broken = recorded.write_recording(tmp_path / "recording", days=0.5)
    (broken / "readings" / "more.csv").write_text("time,P.n1\n2026-01-01T00:00:00Z,wet\n", "utf-8")
    run = lifeline("backtest", broken, "--out", tmp_path / "out")
    assert run.returncode == 1
    assert "more.csv, line 2: could not convert string to float: 'wet'" in run.stderr
    assert "Traceback" not in run.stderr
    assert not (tmp_path / "out").exists()


class _Page(HTMLParser):
    """What a page shows, and whether it is well-formed and asks for nothing from elsewhere."""

    _ALONE = frozenset({"meta"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.counts: dict[str, int] = {}
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1
        self.fetched += [value or "" for name, value in attrs if name in {"src", "href", "action"}]
        if tag not in self._ALONE:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self._ALONE:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_report_shows_truth_and_alerts_in_both_languages(recording: Path, out: Path) -> None:
    run = lifeline("report", out, "--recording", recording)
    assert run.returncode == 0, run.stderr
    page = _Page()
    page.feed((out / "report.html").read_text("utf-8"))
    assert page.open == []
    assert page.fetched == [], "the page asks for something from elsewhere"
    assert page.counts["svg"] == 2  # over time, and the map
    for words in ("t1", "Leak suspected", "疑似漏损", "1 / 1", "troubles noticed", "事件发现数"):
        assert words in page.text


def test_the_report_does_without_the_recording(out: Path, tmp_path: Path) -> None:
    run = lifeline("report", out, "--out", tmp_path / "page.html")
    assert run.returncode == 0, run.stderr
    page = _Page()
    page.feed((tmp_path / "page.html").read_text("utf-8"))
    assert page.counts["svg"] == 1
    assert "troubles noticed" not in page.text


def test_a_report_about_nothing_is_refused(tmp_path: Path) -> None:
    run = lifeline("report", tmp_path)
    assert run.returncode == 1
    assert "is not what a backtest writes" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.skipif(not HANOI.is_dir(), reason=f"no recording in {HANOI}")
def test_the_beginning_of_a_public_recording_gives_the_beginning_of_the_result(tmp_path: Path) -> None:
    results = {}
    for until in (*HANOI_CUTS, "2017-03-10T00:00:00Z"):
        run = lifeline("backtest", HANOI, "--out", tmp_path / until, "--until", until)
        assert run.returncode == 0, run.stderr
        lines = (tmp_path / until / "alerts.jsonl").read_text("utf-8").splitlines()
        results[until] = [{**json.loads(line), "cleared_at": None} for line in lines]
    *shorter, whole = results.values()
    scores = [(tmp_path / until / "scores.csv").read_text("utf-8") for until in results]
    assert all(scores[-1].startswith(beginning) and len(beginning) > 1000 for beginning in scores)
    for until, result in zip(HANOI_CUTS, shorter, strict=True):
        assert result == whole[: len(result)]
        assert sum(alert["detected_at"] < until for alert in whole) - len(result) in {0, 1}
