"""Prometheus scrapes what is there and asks for metrics that exist."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.metrics import asked_for, exported
from tests.deploy.stack import DEPLOY, Stack

CONFIGURATION = DEPLOY / "prometheus" / "prometheus.yml"
RULES = DEPLOY / "prometheus" / "alerts.yml"
PROMTOOL = shutil.which("promtool")

needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (Debian: prometheus)")


def _rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.mark.parametrize("rule", _rules(), ids=lambda rule: str(rule["alert"]))
def test_a_rule_asks_for_metrics_that_are_exported(rule: dict[str, Any]) -> None:
    names = asked_for(rule["expr"])
    assert names
    assert names <= exported()


@pytest.mark.parametrize("rule", _rules(), ids=lambda rule: str(rule["alert"]))
def test_a_rule_says_what_is_wrong_in_both_languages_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"warning", "critical"}
    english, chinese = rule["annotations"]["summary"].split(" · ")
    assert english.isascii()
    assert any("一" <= character <= "鿿" for character in chinese)
    assert rule["annotations"]["description"]


def test_every_process_with_metrics_is_scraped_where_it_serves_them(stack: Stack) -> None:
    jobs = yaml.safe_load(CONFIGURATION.read_text(encoding="utf-8"))["scrape_configs"]
    targets = {
        job["job_name"]: {target for part in job["static_configs"] for target in part["targets"]} for job in jobs
    }
    ingest = {
        f"{name}:{stack.environment(name)['LIFELINE_INGEST_METRICS_PORT']}"
        for name, service in stack.ours.items()
        if service["command"] == ["ingest"]
    }
    assert targets["ingest"] == ingest
    assert targets["alerts"] == {
        f"{name}:{stack.environment(name)['LIFELINE_ALERTS_METRICS_PORT']}"
        for name, service in stack.ours.items()
        if service["command"] == ["alerts"]
    }
    assert targets["api"] == {f"api:{stack.environment('api')['LIFELINE_API_PORT']}"}
    scraped = {target.split(":")[0] for target in targets["ingest"] | targets["alerts"] | targets["api"]}
    assert all("watch" in stack.services[name]["networks"] for name in scraped)


@needs_promtool
def test_promtool_accepts_the_configuration_and_the_rules(tmp_path: Path) -> None:
    assert PROMTOOL is not None
    here = tmp_path / "prometheus.yml"
    text = CONFIGURATION.read_text(encoding="utf-8").replace("/etc/prometheus/alerts.yml", str(RULES))
    here.write_text(text, encoding="utf-8")
    checked = subprocess.run(
        [PROMTOOL, "check", "config", here], capture_output=True, text=True, check=False, timeout=60
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


@needs_promtool
def test_the_rules_fire_when_they_should_and_are_quiet_otherwise() -> None:
    assert PROMTOOL is not None
    cases = Path(__file__).with_name("alerts_test.yml")
    command: list[str | Path] = [PROMTOOL, "test", "rules", cases]
    checked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert checked.returncode == 0, checked.stdout + checked.stderr
