"""Writes a recording folder: readings, sensors and ground truth of a scenario, in the published format."""

import csv
import gzip
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby, takewhile
from pathlib import Path

from simulators.city import City
from simulators.city_folder import asset_feature, read_city
from simulators.delivery import Batch, Field, measuring_instants
from simulators.physics.city_sewers import city_sewers
from simulators.physics.epanet_network import epanet_input
from simulators.physics.swmm_text import swmm_input
from simulators.physics.world import LIFELINES
from simulators.scenario import Scenario, check_scenario, load_scenario
from simulators.truth import COLUMNS, lifeline_of, rfc3339, truths, write_truth

_SENSOR_COLUMNS = ("sensor", "lifeline", "quantity", "unit", "asset", "lon", "lat", "interval_s")
_TRUTH_COLUMNS = tuple(column for column in COLUMNS if column != "lifeline")


def write_recording(
    folder: Path,
    city_folder: Path,
    scenario: str | Path,
    start: datetime,
    length: timedelta,
    *,
    step: timedelta = timedelta(seconds=60),
    seed: int = 1,
    lifelines: tuple[str, ...] = tuple(LIFELINES),
    scenario_start: datetime | None = None,
) -> int:
    """Write a recording and return how many readings it holds.

    A sensor reports every ``step`` or, if that is longer, about every interval of its own. Readings stand in the
    order in which they would have arrived, so an outage shows as late lines. The scenario begins at
    ``scenario_start`` (default: ``start``); what lies before it may be learnt from and is not scored.

    Raises:
        ValueError: a time has no zone, ``step`` is not a positive number of whole seconds, or the city or the
            scenario cannot be used.
    """
    origin = scenario_start or start
    if start.tzinfo is None or origin.tzinfo is None or step < timedelta(seconds=1) or step % timedelta(seconds=1):
        raise ValueError("times need a zone and step must be a positive number of whole seconds")
    whole = read_city(city_folder)
    plan = load_scenario(scenario)
    check_scenario(plan, whole)
    city, plan = _sampled(whole, step, lifelines), _of_lifelines(plan, whole, lifelines)
    (folder / "readings").mkdir(parents=True, exist_ok=True)
    facts = {"name": f"{city.id}-{plan.id}-{seed}", "lifeline": lifelines[0] if len(lifelines) == 1 else "all"}
    facts |= {"timezone": city.timezone, "network": _write_network(folder, city, lifelines)}
    facts |= {"readings": "readings/*.csv.gz", "source": f"simulated: scenario {plan.id}, seed {seed}"}
    _write_settings(folder / "recording.toml", facts, (origin, start + length))
    _write_sensors(folder / "sensors.csv", city)
    write_truth(folder / "truth.csv", truths(city, plan, origin, seed), _TRUTH_COLUMNS)
    field = Field(city, plan, origin, seed, lifelines)
    instants = takewhile(lambda time: time < start + length, measuring_instants(start, step))
    return _write_readings(folder / "readings", (batch for time in instants for batch in field.step(time)))


def record_scenario(
    folder: Path,
    city_folder: Path,
    scenario: str | Path,
    start: datetime,
    history: timedelta,
    *,
    step: timedelta = timedelta(minutes=5),
    seed: int = 1,
    lifelines: tuple[str, ...] = (),
) -> int:
    """Write a whole scenario behind a normal ``history`` to learn from, and return how many readings there are.

    ``lifelines`` are by default those in which the scenario does something; a recording of water alone carries a
    hydraulic model.

    Raises:
        ValueError: as ``write_recording``, or a lifeline does not exist.
    """
    plan, city = load_scenario(scenario), read_city(city_folder)
    check_scenario(plan, city)
    concerned = {lifeline_of(city, injection) for injection in plan.injections}
    chosen = lifelines or tuple(name for name in LIFELINES if name in concerned) or tuple(LIFELINES)
    for name in chosen:
        if name not in LIFELINES:
            raise ValueError(f"no lifeline {name!r} is simulated; there are {', '.join(LIFELINES)}")
    length = history + timedelta(minutes=plan.length_min)
    return write_recording(
        folder,
        city_folder,
        scenario,
        start,
        length,
        step=step,
        seed=seed,
        lifelines=chosen,
        scenario_start=start + history,
    )


def _sampled(city: City, step: timedelta, lifelines: tuple[str, ...]) -> City:
    """The city with intervals that are multiples of the step, and only the recorded sensors."""
    seconds = round(step.total_seconds())
    sensors = tuple(
        replace(s, interval_s=max(seconds, s.interval_s - s.interval_s % seconds))
        for s in city.sensors
        if s.lifeline in lifelines and s.is_read
    )
    return replace(city, sensors=sensors)


def _of_lifelines(scenario: Scenario, city: City, lifelines: tuple[str, ...]) -> Scenario:
    kept = tuple(i for i in scenario.injections if lifeline_of(city, i) in lifelines)
    return scenario.model_copy(update={"injections": kept})


def _write_network(folder: Path, city: City, lifelines: tuple[str, ...]) -> str:
    """EPANET input for water alone, SWMM input for drainage alone; otherwise the assets.

    With the assets go their links, as a foreign member.
    """
    if lifelines == ("water",):
        (folder / "network.inp").write_text(epanet_input(city), "utf-8")
        return "network.inp"
    if lifelines == ("drainage",):
        (folder / "network.inp").write_text(swmm_input(city_sewers(city)), "utf-8")
        return "network.inp"
    assets = [asset for asset in city.assets if asset.lifeline in lifelines]
    known = {asset.id for asset in assets}
    network = {
        "type": "FeatureCollection",
        "features": [asset_feature(asset) for asset in assets],
        "links": [asdict(link) for link in city.links if link.source in known],
    }
    (folder / "network.geojson").write_text(json.dumps(network, ensure_ascii=False), "utf-8")
    return "network.geojson"


def _write_settings(path: Path, facts: Mapping[str, str], scored: tuple[datetime, datetime]) -> None:
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in facts.items()]
    lines.append(f'scored = ["{rfc3339(scored[0])}", "{rfc3339(scored[1])}"]')
    path.write_text("\n".join(lines) + "\n", "utf-8")


def _write_sensors(path: Path, city: City) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_SENSOR_COLUMNS)
        for s in city.sensors:
            writer.writerow((s.id, s.lifeline, s.quantity, s.unit, s.asset, *s.position, s.interval_s))


def _write_readings(folder: Path, batches: Iterable[Batch]) -> int:
    """One file per UTC day of arrival; the same readings give the same bytes."""
    count = 0
    for day, of_day in groupby(batches, key=lambda batch: batch.due.astimezone(UTC).date()):
        with (
            (folder / f"{day.isoformat()}.csv.gz").open("wb") as raw,
            gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0) as packed,
            io.TextIOWrapper(packed, encoding="utf-8", newline="") as file,
        ):
            file.write("time,sensor,value\n")
            for batch in of_day:
                times = {time: rfc3339(time) for time in {reading.time for reading in batch.readings}}
                file.writelines(f"{times[r.time]},{r.sensor},{r.value}\n" for r in batch.readings)
                count += len(batch.readings)
    return count
