"""The Grafana dashboards: on the provisioned data source, with metrics that exist, in both languages."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.metrics import asked_for, exported
from tests.deploy.stack import DEPLOY, Stack

GRAFANA = DEPLOY / "grafana"
DASHBOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))
COLUMNS = 24

each_dashboard = pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)


def _dashboard(path: Path) -> dict[str, Any]:
    content = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


def _panels(path: Path) -> list[dict[str, Any]]:
    return [panel for panel in _dashboard(path)["panels"] if panel["type"] != "row"]


def test_there_is_a_dashboard() -> None:
    assert DASHBOARDS


@each_dashboard
def test_every_query_asks_for_metrics_that_are_exported(path: Path) -> None:
    for panel in _panels(path):
        assert panel["targets"], panel["title"]
        for target in panel["targets"]:
            names = asked_for(target["expr"])
            assert names, panel["title"]
            assert names <= exported(), panel["title"]


@each_dashboard
def test_every_panel_reads_the_provisioned_data_source(path: Path) -> None:
    provisioned = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yaml").read_text(encoding="utf-8"))
    known = {source["uid"] for source in provisioned["datasources"]}
    used = {target["datasource"]["uid"] for panel in _panels(path) for target in panel["targets"]}
    assert used <= known


@each_dashboard
def test_every_title_is_in_both_languages(path: Path) -> None:
    for panel in _dashboard(path)["panels"]:
        english, chinese = panel["title"].split(" · ")
        assert english.isascii()
        assert any("一" <= character <= "鿿" for character in chinese) or chinese == english


@each_dashboard
def test_panels_lie_beside_one_another_and_have_numbers_of_their_own(path: Path) -> None:
    panels = _dashboard(path)["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= COLUMNS, panel["title"]
        assert not cells & taken, panel["title"]
        taken |= cells


def test_grafana_finds_the_dashboards_where_they_are_mounted(stack: Stack) -> None:
    providers = yaml.safe_load((GRAFANA / "provisioning/dashboards/lifeline.yaml").read_text(encoding="utf-8"))
    folder = providers["providers"][0]["options"]["path"]
    mounted = {mount.split(":")[1] for mount in stack.services["grafana"]["volumes"]}
    assert folder in mounted
    home = stack.environment("grafana")["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home.startswith(f"{folder}/")
    assert Path(home).name in {path.name for path in DASHBOARDS}


def test_the_data_source_is_prometheus_of_the_stack(stack: Stack) -> None:
    provisioned = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yaml").read_text(encoding="utf-8"))
    assert provisioned["datasources"][0]["url"] == "http://prometheus:9090"
    assert set(stack.services["prometheus"]["networks"]) & set(stack.services["grafana"]["networks"])
