"""What is judged together: the sensors of a zone, or those of all zones that one hydraulic model covers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import structlog

from services.alerts import surroundings
from services.alerts.lifelines.contract import LifelineRules
from services.alerts.sharing import share_of
from services.alerts.surroundings import NOWHERE, Surroundings
from services.alerts.zone_engine import ZoneEngine, replaced_by_searches
from services.core.asset import Asset, Link
from services.core.lifeline import Lifeline
from services.core.network_file import NetworkFile
from services.core.sensor import Sensor
from services.core.store.networks import RegisteredNetwork
from services.core.works_permit import WorksPermit

_MISFITS = (LookupError, TypeError, ValueError, AttributeError)
"""How a detector's code meets a state that it did not write."""

log = structlog.get_logger()

State = Mapping[str, Mapping[str, Any]]
"""What a unit remembers, by target."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of judging: its name, the rules that are asked, its sensors, the model of its pipes, what is around."""

    name: str
    rules: LifelineRules
    sensors: tuple[Sensor, ...]
    network: NetworkFile | None = None
    surroundings: Surroundings = NOWHERE

    @property
    def share(self) -> int:
        """The share of the feed to which it belongs."""
        return share_of(self.name)

    def engine(self, allowed_lateness: timedelta, state: State) -> ZoneEngine:
        """The engine of the unit where it stopped. Parts of the state that today's code cannot read are dropped.

        The state may have been written by another version of the engine. Its target then starts afresh, as a new sensor
        would, and one line says so; the others go on.
        """
        engine = self._new_engine(allowed_lateness)
        try:
            engine.restore(state)
        except _MISFITS:
            fitting, misfits = _sorted_out(self._new_engine(allowed_lateness), state)
            log.warning(
                "detector state does not fit this version; starting these afresh", zone=self.name, targets=misfits
            )
            engine = self._new_engine(allowed_lateness)
            engine.restore(fitting)
        return engine

    def _new_engine(self, allowed_lateness: timedelta) -> ZoneEngine:
        return ZoneEngine(
            self.name,
            self.rules,
            self.sensors,
            allowed_lateness=allowed_lateness,
            network=self.network,
            surroundings=self.surroundings,
        )


class Units:
    """Divides a city into units; remembers between two looks at the register which searches a model allows."""

    def __init__(self, rules: Mapping[Lifeline, LifelineRules]) -> None:
        self._rules = rules
        self._replaced: dict[tuple[str, tuple[str, ...]], frozenset[str]] = {}

    def of(
        self,
        sensors: Iterable[Sensor],
        networks: Iterable[RegisteredNetwork],
        assets: Iterable[Asset] = (),
        links: Iterable[Link] = (),
        works: Iterable[WorksPermit] = (),
    ) -> dict[str, Unit]:
        """Every unit of the city by its name: each zone and, where a model covers zones, each supply.

        A supply is asked for what shows only in all its zones together: the searches, which have the model then. Its
        zones are asked for all else, without the rules whose place the searches take.
        """
        by_zone: dict[str, list[Sensor]] = {}
        for sensor in sensors:
            by_zone.setdefault(sensor.zone, []).append(sensor)
        around = surroundings.by_zone(assets, links, by_zone, works)
        units = {
            zone: Unit(zone, self._rules[members[0].lifeline], tuple(members), surroundings=around[zone])
            for zone, members in sorted(by_zone.items())
            if members[0].lifeline in self._rules
        }
        for network in networks:
            covered = [units[zone] for zone in network.zones if zone in units]
            covered = [unit for unit in covered if unit.rules.lifeline is network.lifeline]
            if covered and self._rules[network.lifeline].searches:
                supply = self._supply(network, [sensor for unit in covered for sensor in unit.sensors])
                replaced = self._replaced_in(supply)
                for unit in covered:
                    units[unit.name] = replace(unit, rules=replace(unit.rules.without(replaced), searches=()))
                units[supply.name] = supply
        return units

    def _supply(self, network: RegisteredNetwork, members: Sequence[Sensor]) -> Unit:
        rules = self._rules[network.lifeline]
        # Silence is the zones' own business: of a supply nothing is expected.
        alone = replace(
            rules,
            sensor_rules=(),
            zone_rules=(),
            event_driven=frozenset(quantity.name for quantity in rules.quantities),
        )
        return Unit(f"supply:{network.file.name}", alone, tuple(members), network.file)

    def _replaced_in(self, supply: Unit) -> frozenset[str]:
        """What the searches replace, asked once for a model and its sensors: making a search may take long."""
        model = "" if supply.network is None else supply.network.fingerprint
        key = (model, tuple(sensor.id for sensor in supply.sensors))
        if key not in self._replaced:
            self._replaced[key] = replaced_by_searches(supply.rules, supply.sensors, supply.network)
        return self._replaced[key]


def _sorted_out(probe: ZoneEngine, state: State) -> tuple[dict[str, Mapping[str, Any]], dict[str, str]]:
    """The parts of a unit's state that can be read, and why the others cannot; ``probe`` is spoilt by it."""
    fitting: dict[str, Mapping[str, Any]] = {}
    misfits: dict[str, str] = {}
    for target, part in sorted(state.items()):
        try:
            probe.restore({target: part})
        except _MISFITS as error:
            misfits[target] = f"{type(error).__name__}: {error}"
        else:
            fitting[target] = part
    return fitting, misfits
