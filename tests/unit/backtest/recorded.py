"""A small recording with a leak in it, written where a test wants it."""

import csv
import gzip
import math
import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from simulators.physics.epanet_network import EpanetNetwork

START = datetime(2026, 1, 1, tzinfo=UTC)
STEP = timedelta(minutes=15)
DAYS = 12
LEAK_BEGIN = START + timedelta(days=10)
LEAK_END = START + timedelta(days=11)
PRESSURES = ("P.n1", "P.n2", "P.n3", "P.n4", "P.n5")
FLOW = "Q.inlet"
SENSORS = (*PRESSURES, FLOW)
LEAK_M3H = 25.0
_NODES = ("n1", "n2", "n3", "n4", "n5")

DESCRIPTION = """\
name = "small-town"
lifeline = "water"
timezone = "UTC"
network = "network.inp"
readings = "readings/*.csv*"
scored = ["2026-01-09T00:00:00Z", "2026-01-13T00:00:00Z"]
"""

NETWORK = """\
[JUNCTIONS]
n1 10 1
n2 10 1
n3 10 1
n4 10 1
n5 10 1
[RESERVOIRS]
R 60
[PIPES]
inlet R n1 100 300 120 0 Open
p12 n1 n2 400 200 120 0 Open
p23 n2 n3 400 150 120 0 Open
p34 n3 n4 400 150 120 0 Open
p45 n4 n5 400 200 120 0 Open
p51 n5 n1 400 200 120 0 Open
[OPTIONS]
UNITS CMH
HEADLOSS H-W
[COORDINATES]
R 0 0
n1 100 0
n2 400 250
n3 800 250
n4 800 -250
n5 400 -250
[END]
"""

Row = tuple[datetime, dict[str, float]]


@cache
def _simulated(steps: int, seed: int) -> tuple[Row, ...]:
    """EPANET's pressures (m) and inlet (m3/h): a daily round, customers who are not alike, noise, and one leak."""
    random_ = random.Random(seed)  # noqa: S311 - reproducible noise
    network = EpanetNetwork(NETWORK)
    numbers = {node: network.node(node) for node in _NODES}
    inlet = network.link("inlet")
    found = []
    for number in range(steps):
        time = START + number * STEP
        demand = 40 + 20 * math.sin(2 * math.pi * (time.hour + time.minute / 60) / 24)
        drawn = {node: demand / 5 * random_.gauss(1, 0.02) for node in _NODES}
        drawn["n3"] += LEAK_M3H * (LEAK_BEGIN <= time < LEAK_END)
        network.set_demands({numbers[node]: value for node, value in drawn.items()})
        network.solve()
        row = {f"P.{node}": network.pressure_m(numbers[node]) + random_.gauss(0, 0.01) for node in _NODES}
        row[FLOW] = network.flow_m3h(inlet) + random_.gauss(0, 0.2)
        found.append((time, {sensor: round(value, 3) for sensor, value in row.items()}))
    return tuple(found)


def rows(days: float = DAYS, *, seed: int = 7) -> list[Row]:
    """What the sensors of the small town show from the start on."""
    return list(_simulated(int(timedelta(days=days) / STEP), seed))


def write_description(folder: Path, *, description: str = DESCRIPTION) -> None:
    """Everything but the readings."""
    (folder / "readings").mkdir(parents=True)
    (folder / "recording.toml").write_text(description, "utf-8")
    (folder / "network.inp").write_text(NETWORK, "utf-8")
    with (folder / "sensors.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("sensor", "lifeline", "quantity", "unit", "asset", "lon", "lat", "interval_s"))
        writer.writerows((name, "water", "pressure", "m", name[2:], "", "", 900) for name in PRESSURES)
        writer.writerow((FLOW, "water", "flow", "m3/h", "inlet", "", "", 900))
    (folder / "truth.csv").write_text(
        "id,kind,asset,start,end,peak,unit,note\n"
        f"t1,leak,n3,{LEAK_BEGIN.isoformat()},{LEAK_END.isoformat()},{LEAK_M3H:g},m3/h,\n",
        "utf-8",
    )


def write_wide(path: Path, readings: Iterable[Row], sensors: Sequence[str] = SENSORS) -> None:
    """One line a moment, packed where the name says so."""
    lines = ["time," + ",".join(sensors)]
    lines += [",".join([time.isoformat(), *(str(row[sensor]) for sensor in sensors)]) for time, row in readings]
    _write(path, lines)


def write_long(path: Path, readings: Iterable[tuple[datetime, str, float]]) -> None:
    """One line a reading."""
    _write(path, ["time,sensor,value", *(f"{time.isoformat()},{name},{value}" for time, name, value in readings)])


def _write(path: Path, lines: Sequence[str]) -> None:
    content = ("\n".join(lines) + "\n").encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def write_recording(folder: Path, days: float = DAYS) -> Path:
    """The whole recording, or its beginning."""
    write_description(folder)
    write_wide(folder / "readings" / "all.csv.gz", rows(days))
    return folder
