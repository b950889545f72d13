"""Drawn towns make recordings that can be read, judged and drawn again; what is in them obeys physics."""

import csv
import gzip
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from services.core.asset import LinkKind
from services.core.city_folder import read_works
from services.core.recorded_city import recorded_city
from services.core.recording import read_recording
from simulators.gas_benchmark.case import LEARNT_H, NETWORK, Case, draw_cases
from simulators.gas_benchmark.methane import run_spaces
from simulators.gas_benchmark.pressures import run_network
from simulators.gas_benchmark.recording import Record, Written, draw_record, record_town
from simulators.gas_benchmark.scene import Scene
from simulators.gas_benchmark.town import Town, draw_town
from simulators.gas_benchmark.weather import TownWeather, draw_weather
from simulators.physics.gas_soil import Ground

_SEED = 11


def _rows(path: Path) -> list[dict[str, str]]:
    text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


def _drawn(seed: int) -> Town:
    return draw_town("drawn", 1, np.random.default_rng(seed))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Written]:
    """One town, three weeks."""
    folder = tmp_path_factory.mktemp("drawn") / "town"
    return folder, record_town(folder, f"gas-{_SEED}-01", _SEED, 1)


@pytest.fixture(scope="module")
def record() -> Record:
    """The same town before it is written."""
    return draw_record("town", _SEED, 1)


def _scene(town: Town, *cases: Case, days: int = 4) -> Scene:
    """A town with the given cases under one sky."""
    hours = np.arange(days * 288) / 12
    weather: TownWeather = draw_weather(100, len(hours), 1 / 12, np.random.default_rng(1))
    return Scene(town, cases, weather, hours)


def _near_space(town: Town) -> tuple[int, float]:
    """A main, and the share of its length that lies beside a manhole of its street."""
    for number, main in enumerate(town.mains):
        for share in (0.3, 0.5, 0.7):
            at = tuple(a + share * (b - a) for a, b in zip(*main.line, strict=True))
            if any(np.hypot(s.place[0] - at[0], s.place[1] - at[1]) < 8 for s in town.spaces):
                return number, share
    raise AssertionError("no manhole stands beside a main")


def _highest_lel(town: Town, hole_mm: float) -> float:
    main, share = _near_space(town)
    scene = _scene(town, Case("gas-leak", main, 24.0, 60.0, hole_mm, "mm", share=share))
    leaks = run_network(scene, np.random.default_rng(2)).leak_m3h
    return float(run_spaces(scene, leaks, np.random.default_rng(3)).settled_lel.max())


def test_a_town_has_devices_in_some_spaces_and_ways_to_all_that_gas_can_reach() -> None:
    towns = [_drawn(seed) for seed in range(12)]
    for town in towns:
        assert 15 <= len(town.devices) <= 25
        assert len(town.devices) < len(town.spaces)
        assert {end for main in town.mains for end in main.ends} == set(range(len(town.nodes)))
        kinds = {town.spaces[a].sort == town.spaces[b].sort for a, b, _, _ in town.ducts}
        assert kinds <= {True}
    assert {main.ground.soil for town in towns for main in town.mains} == {"sand", "fill", "clay"}
    assert _drawn(1) == _drawn(1)
    assert _drawn(1) != _drawn(2)


def test_half_of_the_cases_are_leaks_and_all_look_alikes_occur() -> None:
    counted: Counter[str] = Counter()
    for seed in range(60):
        town = _drawn(seed)
        cases = draw_cases(town, np.random.default_rng(seed))
        assert min(case.begins_h for case in cases) >= LEARNT_H
        slots = [case.begins_h for case in cases if case.mode != "dug into" and case.kind != "works"]
        assert min(np.diff(slots), default=99.0) > 20
        leaks = sum(case.kind == "gas-leak" for case in cases)
        assert leaks == 4
        counted.update(case.kind for case in cases)
        counted.update(case.mode for case in cases)
    assert set(counted) >= {"sewer-gas", "humidity-error", "sensor-drift", "works", "demand-peak", "main-break"}
    assert set(counted) >= {"regulator-fault", "dug into", "permitted", "not permitted", "stirred", "cut-off", "creep"}


def test_a_recording_can_be_read_with_its_register_and_its_permits(recorded: tuple[Path, Written]) -> None:
    folder, written = recorded
    recording = read_recording(folder)
    assert recording.scored is not None
    assert len(recording.files) == 21
    city = recorded_city(recording)
    kinds = Counter(asset.kind for asset in city.assets)
    assert kinds["pipe"] == written.mains
    assert kinds["underground-space"] == written.spaces
    assert kinds["place"] == 0
    pipe = next(asset for asset in city.assets if asset.kind == "pipe")
    assert pipe.properties["surface"] in {"paved", "green"}
    assert {"diameter_mm", "material", "built", "pressure_kpa", "depth_m", "soil"} <= set(pipe.properties)
    assert any(link.kind is LinkKind.ADJACENT for link in city.links)
    permitted = [row for row in _rows(folder / "truth.csv") if row["kind"] == "works" and "not " not in row["note"]]
    assert len(read_works(folder / "works.csv")) == len(permitted)


def test_sensors_report_at_their_interval_and_lose_few_reports(recorded: tuple[Path, Written]) -> None:
    folder, written = recorded
    sensors = {row["sensor"]: row for row in _rows(folder / "sensors.csv")}
    day = _rows(sorted((folder / "readings").glob("*.csv.gz"))[3])
    assert len(day) == 1440
    for ident, sensor in sensors.items():
        told = sum(row[ident] != "" for row in day)
        expected = 86_400 // int(sensor["interval_s"])
        assert 0.9 * expected < told <= expected, ident
    assert sum(row["quantity"] == "methane" for row in sensors.values()) == written.devices
    methane = [float(row[s]) for row in day for s in sensors if s.endswith("-methane") and row[s]]
    assert 0 <= min(methane) <= max(methane) <= 100


def test_the_truth_is_behind_what_may_be_learnt_from_and_says_where_and_when(recorded: tuple[Path, Written]) -> None:
    folder, written = recorded
    recording = read_recording(folder)
    truth = _rows(folder / "truth.csv")
    assert len(truth) == written.cases
    assert recording.scored is not None
    begin = recording.scored[0].isoformat().replace("+00:00", "Z")
    assert all(row["start"] >= begin and row["end"] > row["start"] for row in truth)
    known = {asset.id for asset in recorded_city(recording).assets}
    assert {row["asset"] for row in truth} <= known
    for row in truth:
        if row["kind"] == "gas-leak":
            assert " at 117." in f" {row['note']}"
            assert ("first 20 %LEL" in row["note"]) == (float(row["peak"]) >= 20)


def test_gas_of_leaks_is_in_the_spaces_only_from_the_leaks_on(record: Record) -> None:
    first = min(case.begins_h for case in record.cases if case.kind == "gas-leak")
    rows = int(first * 12)
    assert record.gas.settled_lel[:rows].max() == 0
    assert record.gas.settled_lel.max() > 1


def test_a_larger_hole_brings_more_methane_into_a_space() -> None:
    town = _drawn(4)
    levels = [_highest_lel(town, hole_mm) for hole_mm in (0.5, 1.5, 4.0)]
    assert levels == sorted(levels)
    assert levels[2] > 1.2 * levels[0] > 0


def test_paving_brings_more_gas_to_the_spaces_farther_off() -> None:
    town, farther_lel = _drawn(4), []
    for is_paved in (False, True):
        mains = tuple(replace(m, ground=Ground(m.ground.soil, is_paved)) for m in town.mains)
        paved = replace(town, mains=mains)
        main, share = _near_space(paved)
        scene = _scene(paved, Case("gas-leak", main, 24.0, 60.0, 3.0, "mm", share=share))
        leaks = run_network(scene, np.random.default_rng(2)).leak_m3h
        levels = run_spaces(scene, leaks, np.random.default_rng(3)).settled_lel.max(axis=0)
        farther_lel.append(float(np.sort(levels)[:-2].sum()))
    assert farther_lel[1] > 1.5 * farther_lel[0] > 0


def test_sewer_gas_reaches_its_peak_and_has_no_ethane() -> None:
    for seed in range(40):
        record = draw_record("town", seed, 1)
        cases = [c for c in record.cases if c.kind == "sewer-gas"]
        quiet = [c for c in cases if record.town.spaces[c.number].id in _with_ethane(record)]
        if quiet:
            break
    case = quiet[0]
    rows = slice(int(case.begins_h * 12), int(case.ends_h * 12))
    space = record.town.spaces[case.number].id
    methane, ethane = (_values(record, space, quantity) for quantity in ("methane", "ethane"))
    sewer = record.gas.sewer_lel[rows, case.number]
    assert sewer.max() == pytest.approx(case.size, rel=0.6)
    assert np.nanmax(methane[rows]) > 0.3 * case.size
    leaked = record.gas.leaked_lel[: rows.stop, case.number]
    if leaked.max() < 0.5:
        before = slice(max(0, rows.start - 288), rows.start)
        assert np.nanmean(ethane[rows]) < np.nanmean(ethane[before]) + 15


def _with_ethane(record: Record) -> set[str]:
    return {channel.asset for channel in record.channels if channel.quantity == "ethane"}


def _values(record: Record, space: str, quantity: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return next(c.values for c in record.channels if c.asset == space and c.quantity == quantity)


def test_regulators_let_in_what_is_drawn_and_leaks() -> None:
    town = _drawn(4)
    main, share = _near_space(town)
    whole, leaking = (
        run_network(_scene(town, *cases), np.random.default_rng(2))
        for cases in ((), (Case("gas-leak", main, 24.0, 60.0, 4.0, "mm", share=share),))
    )
    more = leaking.supplied_m3h.sum(axis=1) - whole.supplied_m3h.sum(axis=1)
    assert np.abs(more[: 23 * 60]).max() < 0.1
    at_noon = 48 * 60
    assert more[at_noon] == pytest.approx(leaking.leak_m3h[0][at_noon // 5], rel=0.05)


def test_a_main_break_is_seen_in_pressure_and_flow_within_a_minute_and_is_over_after_the_shut_off() -> None:
    town = _drawn(4)
    scene = _scene(town, Case("main-break", 3, 30.0, 31.0, 80.0, "mm"))
    run = run_network(scene, np.random.default_rng(2))
    begin, end = 1800, 1860
    assert run.pressures_kpa[begin + 1].min() < 0.8 * run.pressures_kpa[begin - 1].min()
    assert run.supplied_m3h[begin + 2].sum() > 2 * run.supplied_m3h[begin - 1].sum()
    assert run.pressures_kpa[end + 15].min() > 0.97 * run.pressures_kpa[begin - 1].min()


def test_a_cut_off_regulator_gives_nothing_and_the_other_takes_over() -> None:
    town = _drawn(4)
    scene = _scene(town, Case("regulator-fault", 0, 30.0, 34.0, 10.0, "%", "cut-off"))
    run = run_network(scene, np.random.default_rng(2))
    during = slice(31 * 60, 33 * 60)
    assert np.abs(run.supplied_m3h[during, 0]).max() < 1
    assert run.supplied_m3h[during, 1].min() > 20
    assert run.is_open[during, 0].max() == 0
    assert run.is_open[: 30 * 60, 0].min() == 1


def test_the_same_seed_writes_the_same_bytes(recorded: tuple[Path, Written], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "simulators.gas_benchmark", str(tmp_path), "--towns", "1", "--seed", str(_SEED)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=200)
    assert f"{recorded[1].readings} readings" in done.stdout
    again = tmp_path / f"gas-{_SEED}-01"
    files = sorted(p.relative_to(again) for p in again.rglob("*") if p.is_file())
    assert len(files) == 26
    assert all((again / f).read_bytes() == (recorded[0] / f).read_bytes() for f in files)


def test_a_town_drawn_for_its_network_has_breaks_and_regulators_and_no_leak() -> None:
    kinds = Counter(case.kind for case in draw_cases(_drawn(3), np.random.default_rng(3), NETWORK))
    assert kinds == {"main-break": 3, "regulator-fault": 3, "demand-peak": 2}


def test_the_truth_says_when_a_device_has_first_met_gas_of_a_leak(recorded: tuple[Path, Written]) -> None:
    leaks = [row for row in _rows(recorded[0] / "truth.csv") if row["kind"] == "gas-leak"]
    for leak in leaks:
        highest = float(leak["note"].split("highest at a device ")[1].split(" ")[0])
        met = leak["note"].partition("met 1 %LEL at a device ")[2]
        assert bool(met) <= (highest >= 1.0)
        if met:
            assert leak["start"] < met <= leak["end"]
    assert any("met 1 %LEL at a device 20" in leak["note"] for leak in leaks)
