"""Judges the readings of one zone in event time: readings in, findings out, nothing else."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import inf
from typing import Any

from services.alerts.failures import Failures
from services.alerts.late_readings import REACH_S
from services.alerts.lifelines.contract import LifelineRules, Site
from services.alerts.score_log import ScoreLog
from services.alerts.search_watch import SearchWatch
from services.alerts.sensor_watch import SensorWatch
from services.alerts.silence import Silence
from services.alerts.surroundings import NOWHERE, Surroundings
from services.alerts.zone_watch import ZoneWatch
from services.core.finding import Finding
from services.core.forecast import Forecast
from services.core.network_file import NetworkFile
from services.core.new_normal import NewNormalOutcome
from services.core.reading import Quality, Reading
from services.core.sensor import Sensor

Sample = tuple[float, str, float, int]
"""Event time in seconds since 1970, sensor, value, quality: also the order of judging."""
_GOOD, _BAD = int(Quality.GOOD), int(Quality.BAD)


@dataclass(slots=True)
class Counts:
    """What became of the readings since the engine was built: none is lost without being counted."""

    judged: int = 0
    late: int = 0
    """Not newer than the last judged reading of their sensor, repetitions included: judged by the limits alone."""
    historic: int = 0
    """Of the late ones, those too far back even for that: not judged."""
    unknown: int = 0
    """Of a sensor that is not in this zone: not judged."""


class ZoneEngine:
    """The detectors, episodes and memory of one zone.

    Readings are held until the zone's event time is ``allowed_lateness`` ahead of them and then judged in the order
    of (time, sensor). The same readings in any order within the allowed lateness, in batches of any size, with or
    without a restart in between, therefore give the same findings.
    """

    def __init__(
        self,
        zone: str,
        rules: LifelineRules,
        sensors: Sequence[Sensor],
        *,
        allowed_lateness: timedelta,
        network: NetworkFile | None = None,
        learn_until: datetime | None = None,
        surroundings: Surroundings = NOWHERE,
        log: ScoreLog | None = None,
    ) -> None:
        """Judge by the rules of the zone's lifeline.

        ``network`` is the model of its pipes, if there is one. What came before ``learn_until`` is history that a
        search may learn from before it has to speak. ``surroundings`` is what the register knows of the zone. ``log``
        sees every score.
        """
        self.counts = Counts()
        self.failures = Failures(zone)
        self._lateness_s = allowed_lateness.total_seconds()
        learn_until_s = None if learn_until is None else learn_until.timestamp()
        site = Site(tuple(sensors), network, learn_until_s, surroundings)
        searches, replaced = _searches(rules, site, log, self.failures)
        rules = rules.without(replaced)
        self._watches = {
            sensor.id: SensorWatch(zone, sensor, rules.sensor_rules, log, self.failures) for sensor in sensors
        }
        self._silence = Silence(zone, rules, sensors)
        zone_watches = _zone_watches(zone, rules, sensors, log, self.failures)
        self._zone_watches: list[ZoneWatch | SearchWatch] = [*zone_watches, *searches]
        self._rows_of = {
            sensor.id: [
                watch.grid
                for watch in self._zone_watches
                if sensor.id in watch.grid.columns and not (isinstance(watch, SearchWatch) and watch.leaves_out_faulty)
            ]
            for sensor in sensors
        }
        self._trusting_rows_of = {
            sensor.id: [watch.grid for watch in searches if watch.leaves_out_faulty and sensor.id in watch.grid.columns]
            for sensor in sensors
        }
        self._held: list[Sample] = []
        self._newest_s = -inf
        self._watermark_s = -inf
        self._touched: set[str] = set()
        self._told_buffer: dict[str, Any] | None = None

    def observe(self, readings: Iterable[Reading]) -> list[Finding]:
        """Take committed readings in any order and judge those that are released by them."""
        return self.take([(each.time.timestamp(), each.sensor, each.value, int(each.quality)) for each in readings])

    def take(self, samples: Iterable[Sample]) -> list[Finding]:
        """Do the same with bare samples, which cost less to make where there are very many."""
        findings: list[Finding] = []
        watches, arrive, hold = self._watches, self._silence.arrive, self._held.append
        for sample in samples:
            time_s, sensor = sample[0], sample[1]
            if sensor not in watches:
                self.counts.unknown += 1
                continue
            arrive(sensor, time_s)
            if time_s < self._watermark_s:
                # What this late reading meets must not depend on where a batch ends.
                self._judge_before(self._watermark_s, findings)
                self._judge_late(sample, findings)
                continue
            hold(sample)
            if time_s > self._newest_s:
                self._newest_s = time_s
                self._watermark_s = max(self._watermark_s, time_s - self._lateness_s)
        self._judge_before(self._watermark_s, findings)
        return findings

    def release(self) -> list[Finding]:
        """Judge everything held, because nothing came for a while."""
        findings: list[Finding] = []
        if self._held:
            self._watermark_s = max(self._watermark_s, self._newest_s)
            self._judge_before(inf, findings)
            self._pass_time(self._watermark_s, findings)
        return findings

    def take_forecasts(self) -> list[Forecast]:
        """What the zone's searches expected since the last call."""
        searches = (watch for watch in self._zone_watches if isinstance(watch, SearchWatch))
        return [forecast for search in searches for forecast in search.take_forecasts()]

    def advance(self, city_time: datetime) -> list[Finding]:
        """Notice silence: the event time of the whole city has come to ``city_time``."""
        findings: list[Finding] = []
        self._silence.advance(city_time.timestamp() - self._lateness_s, findings)
        return findings

    def accept(self, rule: str, target: str, findings: list[Finding]) -> NewNormalOutcome:
        """Let a rule learn afresh at a target, because a person says that nothing is wrong there.

        Refused for rules that learn nothing, for searches, and for what is not asked here.
        """
        if target in self._watches:
            self._touched.add(target)
            return self._watches[target].accept(rule, findings)
        if target == f"zone:{rule}":
            for watch in self._zone_watches:
                if watch.name == rule and isinstance(watch, ZoneWatch):
                    return watch.accept(findings)
        return NewNormalOutcome.REFUSED

    def _judge_before(self, time_s: float, findings: list[Finding]) -> None:
        held = self._held
        if not held:
            return
        held.sort()
        count = bisect_left(held, (time_s,))
        for position in range(count):
            self._judge(held[position], findings)
        del held[:count]
        if time_s < inf:
            self._pass_time(time_s, findings)

    def _pass_time(self, time_s: float, findings: list[Finding]) -> None:
        for watch in self._zone_watches:
            watch.grid.pass_time(time_s, findings)

    def _judge(self, sample: Sample, findings: list[Finding]) -> None:
        time_s, sensor, value, quality = sample
        watch = self._watches[sensor]
        silence = self._silence
        if time_s > silence.next_s:
            silence.pass_time(time_s, findings)
        if time_s <= watch.last_s:
            self._judge_past(watch, sample, findings)
            return
        silence.hear(sensor, time_s, time_s, findings)
        watch.judge(time_s, value, quality, findings)
        self.counts.judged += 1
        self._touched.add(sensor)
        if quality != _BAD:
            for row in self._rows_of[sensor]:
                row.take(sensor, time_s, value, good=quality == _GOOD, into=findings)
            if (trusting := self._trusting_rows_of[sensor]) and not watch.is_faulty:
                for row in trusting:
                    row.take(sensor, time_s, value, good=quality == _GOOD, into=findings)

    def _judge_late(self, sample: Sample, findings: list[Finding]) -> None:
        """Judge a reading behind the watermark; in full if its sensor has told nothing newer."""
        time_s, sensor, value, quality = sample
        watch = self._watches[sensor]
        if time_s <= watch.last_s:
            self._judge_past(watch, sample, findings)
            return
        self._silence.hear(sensor, time_s, self._watermark_s, findings)
        watch.judge(time_s, value, quality, findings)
        self.counts.judged += 1
        self._touched.add(sensor)
        if quality != _BAD:
            for row in self._rows_of[sensor]:
                row.take_late(sensor, time_s, value, good=quality == _GOOD)
            if (trusting := self._trusting_rows_of[sensor]) and not watch.is_faulty:
                for row in trusting:
                    row.take_late(sensor, time_s, value, good=quality == _GOOD)

    def _judge_past(self, watch: SensorWatch, sample: Sample, findings: list[Finding]) -> None:
        """Judge a reading whose moment is over for its sensor: only the limits are asked, and nothing is unsaid."""
        time_s, sensor, value, quality = sample
        self.counts.late += 1
        if self._newest_s - time_s > REACH_S:
            self.counts.historic += 1
        elif watch.judge_late(time_s, value, quality, findings):
            self._touched.add(sensor)

    def changed_state(self) -> dict[str, dict[str, Any]]:
        """What changed since the last call, as JSON by target: sensors, ``zone:<rule>``, ``buffer``."""
        changed: dict[str, dict[str, Any]] = {}
        for sensor in sorted(self._touched | (self._silence.changed & self._watches.keys())):
            changed[sensor] = {
                "watch": self._watches[sensor].state(),
                "silence": self._silence.state_of(sensor),
            }
        self._touched.clear()
        self._silence.changed.clear()
        for watch in self._zone_watches:
            if watch.grid.changed:
                changed[f"zone:{watch.name}"] = watch.state()
                watch.grid.changed = False
        buffer = self._buffer_state()
        if buffer != self._told_buffer:
            changed["buffer"] = self._told_buffer = buffer
        return changed

    def _buffer_state(self) -> dict[str, Any]:
        return {
            "held": [list(entry) for entry in self._held],
            "newest_s": None if self._newest_s == -inf else self._newest_s,
            "watermark_s": None if self._watermark_s == -inf else self._watermark_s,
            "silence": self._silence.state(),
        }

    def restore(self, state: Mapping[str, Mapping[str, Any]]) -> None:
        """Go on from everything ``changed_state`` ever returned, the latest of each target."""
        for sensor, watch in self._watches.items():
            if sensor in state:
                watch.restore(state[sensor]["watch"])
                self._silence.restore_sensor(sensor, state[sensor]["silence"])
        for zone_watch in self._zone_watches:
            if (name := f"zone:{zone_watch.name}") in state:
                zone_watch.restore(state[name])
        if "buffer" not in state:
            return
        buffer = state["buffer"]
        self._newest_s = -inf if buffer["newest_s"] is None else buffer["newest_s"]
        self._watermark_s = -inf if buffer["watermark_s"] is None else buffer["watermark_s"]
        self._silence.restore(buffer["silence"])
        for time_s, sensor, value, quality in buffer["held"]:
            if sensor in self._watches:
                self._held.append((time_s, sensor, value, quality))
                self._silence.arrive(sensor, time_s)


def _zone_watches(
    zone: str, rules: LifelineRules, sensors: Sequence[Sensor], log: ScoreLog | None, failures: Failures
) -> Iterator[ZoneWatch]:
    for rule in rules.zone_rules:
        members = [sensor for sensor in sensors if sensor.quantity in rule.quantities]
        if len(members) >= rule.minimum_sensors:
            try:
                yield ZoneWatch(zone, rule, members, log, failures)
            except Exception as error:  # noqa: BLE001  # whatever a rule's own code meets, it stops nobody else
                failures.unbuilt(rule.name, f"zone:{rule.name}", error)


def _searches(
    rules: LifelineRules, site: Site, log: ScoreLog | None, failures: Failures
) -> tuple[list[SearchWatch], frozenset[str]]:
    """The searches that apply to the zone, and the names of the rules whose place they take."""
    watches: list[SearchWatch] = []
    replaced: frozenset[str] = frozenset()
    for rule in rules.searches:
        members = sorted((each for each in site.sensors if each.quantity in rule.quantities), key=lambda each: each.id)
        if not members:
            continue
        part = replace(site, sensors=tuple(members))
        try:
            detector = rule.detector(part)
            if detector is not None:
                watches.append(SearchWatch(rule, part, detector, log, failures))
                replaced |= rule.replaces
        except Exception as error:  # noqa: BLE001  # a model that cannot be read must not stop the zone's other rules
            failures.unbuilt(rule.name, f"zone:{rule.name}", error)
    return watches, replaced


def replaced_by_searches(
    rules: LifelineRules, sensors: Sequence[Sensor], network: NetworkFile | None
) -> frozenset[str]:
    """The names of the rules that are not asked where the searches of ``rules`` have these sensors and this model."""
    return _searches(rules, Site(tuple(sensors), network), None, Failures("none"))[1]
