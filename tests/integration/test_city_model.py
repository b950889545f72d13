"""`lifeline import` of a city folder brings its hydraulic model along, and a city without one gets it."""

from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner, Result

from services.cli import app
from services.core.epanet_file import read_epanet
from services.core.network_file import NetworkFile, NetworkFormat
from services.demo.preparation import migrate_with_catalogue
from simulators.demo_city.folder import write_city


@pytest.fixture
def catalogued(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    migrate_with_catalogue(database_url)
    monkeypatch.setenv("LIFELINE_DATABASE_URL", database_url)
    return database_url


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_city(tmp_path / "city", seed=1)
    return tmp_path / "city"


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments])


def _models(url: str) -> list[tuple[str, str, str, list[str]]]:
    with psycopg.connect(url) as connection:
        return connection.execute("select name, lifeline, text, zones from hydraulic_network order by name").fetchall()


def test_the_model_of_a_city_is_registered_with_the_zones_it_covers(catalogued: str, folder: Path) -> None:
    for _ in range(2):
        assert _run("import", str(folder)).exit_code == 0
    pipes, sewers = ((folder / name).read_text("utf-8") for name in ("network.inp", "sewers.inp"))
    assert _models(catalogued) == [
        ("demo", "water", pipes, ["W1", "W2", "W3", "W4"]),
        ("demo-sewers", "drainage", sewers, ["D1", "D2", "D3", "D4"]),
    ]


def test_a_broken_model_is_refused_and_nothing_is_imported(catalogued: str, folder: Path) -> None:
    text = (folder / "network.inp").read_text("utf-8")
    (folder / "network.inp").write_text(text.replace("[PIPES]\n", "[PIPES]\nodd WJ-001 nowhere 10 100 100\n"), "utf-8")
    result = _run("import", str(folder))
    assert result.exit_code == 1
    assert "network.inp, [PIPES], line" in result.output
    assert "node 'nowhere' is not declared" in result.output
    with psycopg.connect(catalogued) as connection:
        assert connection.execute("select count(*) from asset").fetchone() == (0,)
    assert _models(catalogued) == []


def test_a_broken_model_of_the_sewers_is_refused_with_its_line(catalogued: str, folder: Path) -> None:
    text = (folder / "sewers.inp").read_text("utf-8")
    (folder / "sewers.inp").write_text(
        text.replace("[CONDUITS]\n", "[CONDUITS]\nodd M-001 nowhere 10 0.013 0 0\n"), "utf-8"
    )
    result = _run("import", str(folder))
    assert result.exit_code == 1
    assert "sewers.inp, line" in result.output
    assert "'nowhere', which is no node" in result.output
    assert _models(catalogued) == []


def test_a_model_of_other_sewers_is_refused(catalogued: str, folder: Path) -> None:
    (folder / "sewers.inp").write_text("[JUNCTIONS]\nelsewhere 1 2 0 0 0\n", "utf-8")
    result = _run("import", str(folder))
    assert result.exit_code == 1
    assert "sewers.inp: names no drainage asset" in result.output
    assert _models(catalogued) == []


def test_a_city_without_a_model_gets_one_from_its_register(folder: Path) -> None:
    own = read_epanet(NetworkFile("own", NetworkFormat.EPANET, (folder / "network.inp").read_text("utf-8")))
    refused = _run("network", str(folder))
    assert refused.exit_code == 1
    assert "is there already" in refused.output
    (folder / "network.inp").unlink()
    made = _run("network", str(folder))
    assert made.exit_code == 0, made.output
    written = read_epanet(NetworkFile("made", NetworkFormat.EPANET, (folder / "network.inp").read_text("utf-8")))
    assert written.nodes.keys() == own.nodes.keys()
    assert written.links.keys() == own.links.keys()


def test_a_scenario_is_recorded_ready_for_a_backtest(tmp_path: Path, folder: Path) -> None:
    out = tmp_path / "recording"
    made = _run(
        "simulate", "--city", str(folder), "--scenario", "firefighting", "--record", str(out), "--history-days", "0.25",
        "--start", "2026-03-02T00:00:00",
    )  # fmt: skip
    assert made.exit_code == 0, made.output
    assert {path.name for path in out.iterdir()} >= {"recording.toml", "sensors.csv", "truth.csv", "network.inp"}
    done = _run("backtest", str(out), "--out", str(tmp_path / "result"), "--no-scores")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "result" / "alerts.jsonl").exists()
    wrong = _run("simulate", "--city", str(folder), "--record", str(out), "--lifeline", "heat")
    assert wrong.exit_code == 1
    assert "no lifeline 'heat' is simulated" in wrong.output
