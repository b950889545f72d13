"""Cloudbursts over the demo city, foretold from gauges and a radar that errs: what is claimed and what comes."""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import inf, nan
from pathlib import Path
from statistics import median

from services.alerts.forecast.waterlogging_search import WaterloggingSearch
from services.alerts.lifelines.contract import Site
from services.alerts.lifelines.drainage_forecast import waterlogging_forecast
from services.core.city_folder import CityFolder, read_city_folder
from services.core.finding import FindingState
from services.core.sensor import Sensor
from simulators.city_folder import read_city
from simulators.demo_city.folder import write_city
from simulators.physics.world import World
from simulators.scenario import Cloudburst, Scenario, load_scenario

PEAKS_MM_H = (60.0, 75.0, 92.0, 110.0, 135.0)
LOWEST_CM = 15.0
_QUIET_MIN, _LASTS_MIN, _AFTER_MIN = 130, 50, 70
_MINUTE = timedelta(minutes=1)
_DEPTH = "road_depth"
_REPORTS_S = 60
"""Roads and gauges report so often in rain."""


@dataclass
class Account:
    """What was claimed in some storms of low points that would pass the lowest grade, and what came; in minutes."""

    storms: int = 0
    floodings: int = 0
    for_nothing: int = 0
    leads_min: list[float] = field(default_factory=list)
    said_late_min: list[float] = field(default_factory=list)
    """How much later than was said the grade was passed."""

    def line(self, name: str) -> str:
        """One row of the table."""
        lead = f"{median(self.leads_min):.0f}" if self.leads_min else "–"
        late = f"{median(self.said_late_min):+.0f}" if self.said_late_min else "–"
        told = len(self.leads_min)
        return f"| {name} | {self.storms} | {self.floodings} | {told} | {lead} | {late} | {self.for_nothing} |"


@dataclass
class _Watch:
    """The low points of a zone: what is said of each and what happens there, in minutes of the storm."""

    search: WaterloggingSearch
    points: Mapping[str, Sensor]
    claimed: dict[str, tuple[float, float]] = field(default_factory=dict)
    passed: dict[str, float] = field(default_factory=dict)

    def take(self, minute: int, time: datetime, values: Mapping[str, float]) -> None:
        """A row; a claim of what has come already counts no more."""
        for point in self.search.points:
            if values.get(point.id, 0.0) * self.search.cm.get(point.id, 1.0) >= LOWEST_CM:
                self.passed.setdefault(point.id, minute)
        self.search.score(time.timestamp(), [values.get(column, nan) for column in self.search.columns])
        for claim in self.search.claims():
            point_id, _, _ = claim.key.partition("/")
            if claim.state is FindingState.RAISED and point_id in self.points and point_id not in self.passed:
                self.claimed.setdefault(point_id, (minute, float(str((claim.fields or {})["minutes"]))))

    def close(self, account: Account) -> None:
        """The storm is over."""
        account.floodings += len(self.passed)
        for point, (said_at, minutes) in self.claimed.items():
            if point in self.passed:
                account.leads_min.append(self.passed[point] - said_at)
                account.said_late_min.append(self.passed[point] - said_at - minutes)
            else:
                account.for_nothing += 1


def report(seed: int, storms: int) -> Iterator[str]:
    """The table, peak by peak; ``storms`` of each, whose radars err differently."""
    yield "| peak mm/h | storms | floodings | foretold | median lead min | later than said min | told for nothing |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    with tempfile.TemporaryDirectory() as folder:
        city = Path(folder) / "city"
        write_city(city, 1)
        for peak_mm_h in PEAKS_MM_H:
            account = Account()
            for number in range(storms):
                origin = datetime(2026, 6, 1, 3, tzinfo=UTC) + timedelta(hours=7 * number, days=number)
                _play(city, _storm(peak_mm_h), origin, seed + number, account)
            yield account.line(f"{peak_mm_h:g}")


def _storm(peak_mm_h: float) -> Scenario:
    scenario = load_scenario("cloudburst")
    (burst,) = scenario.injections
    assert isinstance(burst, Cloudburst)
    changed = {"peak_mm_h": peak_mm_h, "start_min": float(_QUIET_MIN), "end_min": float(_QUIET_MIN + _LASTS_MIN)}
    return scenario.model_copy(update={"injections": [burst.model_copy(update=changed)]})


def _play(folder: Path, scenario: Scenario, origin: datetime, seed: int, account: Account) -> None:
    register = read_city_folder(folder)
    world = World(read_city(folder), scenario, origin, seed, ("drainage",))
    watches = list(_watches(register))
    soon = {
        sensor: _REPORTS_S
        for watch in watches
        for sensor in {*watch.search.columns} - {nowcast.id for nowcast in watch.search.nowcasts}
    }
    for minute in range(_QUIET_MIN + _LASTS_MIN + _AFTER_MIN):
        time = origin + minute * _MINUTE
        values = world.step(time, soon)
        for watch in watches:
            watch.take(minute, time, values)
    account.storms += 1
    for watch in watches:
        watch.close(account)


def _watches(register: CityFolder) -> Iterator[_Watch]:
    """One search a zone, as the rules of the live service make it."""
    zone_of = {asset.id: asset.zone for asset in register.assets}
    rule = waterlogging_forecast({point.asset: point for point in register.low_points})
    sensors = [
        Sensor(
            id=row.sensor,
            key=number,
            lifeline=row.lifeline,
            quantity=row.quantity,
            unit=row.unit,
            asset=row.asset,
            zone=zone_of[row.asset],
            longitude=row.lon,
            latitude=row.lat,
            interval=timedelta(seconds=row.interval_s),
            gateway=row.gateway,
            plausible=(-inf, inf),
        )
        for number, row in enumerate(sorted(register.sensors, key=lambda row: row.sensor))
        if row.quantity in rule.quantities
    ]
    for zone in sorted({sensor.zone for sensor in sensors}):
        here = tuple(sensor for sensor in sensors if sensor.zone == zone)
        search = rule.detector(Site(here))
        if isinstance(search, WaterloggingSearch):
            yield _Watch(search, {sensor.id: sensor for sensor in here if sensor.quantity == _DEPTH})
