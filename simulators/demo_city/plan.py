"""The whole fictional city for one seed."""

import math
from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np

from simulators.city import Asset, City, Sensor, Words
from simulators.demo_city.bridges import lay_bridges
from simulators.demo_city.draft import SEWER_WATCH, Draft
from simulators.demo_city.drainage import DrainageDraft
from simulators.demo_city.gas import GasDraft
from simulators.demo_city.organisations import ORGANISATIONS, people
from simulators.demo_city.street_level import lay_street_level
from simulators.demo_city.streets import CENTRE, StreetPlan, draw_streets
from simulators.demo_city.water import WaterDraft
from simulators.physics.epanet_network import EpanetNetwork, epanet_input
from simulators.physics.rain_radar import HORIZONS_MIN

LARGEST_GATEWAY = 25
"""Sensors on one gateway at the most."""


def plan_city(seed: int) -> tuple[City, StreetPlan]:
    """The same seed gives the same city; assets named in the scenarios exist for every seed."""
    streets_rng, water_rng, gas_rng, drainage_rng = np.random.default_rng(seed).spawn(4)
    streets = draw_streets(streets_rng)
    draft = Draft(streets.projection)
    WaterDraft(streets, draft, water_rng).lay()
    GasDraft(streets, draft, gas_rng).lay()
    DrainageDraft(streets, draft, drainage_rng).lay()
    lay_street_level(streets, draft)
    lay_bridges(streets, draft)
    city = City(
        id="demo",
        name=Words("Demo City", "示例市"),
        timezone="Asia/Shanghai",
        centre=CENTRE,
        organisations=ORGANISATIONS,
        people=people(),
        zones=tuple(draft.zones),
        assets=tuple(draft.assets),
        links=tuple(draft.links),
        sensors=_with_gateways(draft),
        thresholds=tuple(draft.thresholds),
    )
    return _with_balanced_tanks(city), streets


def _with_balanced_tanks(city: City) -> City:
    """Tanks raised or lowered until, at mean demand and normal level, nothing flows in or out."""
    network = EpanetNetwork(epanet_input(city))
    gates = {k.target: k.source for k in city.flow_links("water") if city.asset[k.target].kind == "tank"}
    for tank, gate in gates.items():
        network.shut(network.link(f"{gate}_{tank}"))
    network.solve()

    def balanced(asset: Asset) -> Asset:
        if asset.id not in gates:
            return asset
        bottom = network.head_m(network.node(gates[asset.id])) - asset.number("normal_level_m")
        return replace(asset, facts={**asset.facts, "bottom_elevation_m": round(bottom, 2)})

    return replace(city, assets=tuple(balanced(asset) for asset in city.assets))


def _with_gateways(draft: Draft) -> tuple[Sensor, ...]:
    """Sensors of a zone hang on one gateway, or on several from west to east.

    Those of the sewers have their own, and so has the weather service that forecasts the rain.
    """
    zone = {asset.id: asset.zone for asset in draft.assets}
    groups: dict[tuple[str, bool, bool], list[Sensor]] = defaultdict(list)
    for sensor in draft.sensors:
        groups[zone[sensor.asset], sensor.quantity in HORIZONS_MIN, sensor.quantity in SEWER_WATCH].append(sensor)
    gateway: dict[str, str] = {}
    taken: Counter[str] = Counter()
    for (ident, *_), sensors in sorted(groups.items()):
        count = math.ceil(len(sensors) / LARGEST_GATEWAY)
        size = math.ceil(len(sensors) / count)
        for index, sensor in enumerate(sorted(sensors, key=lambda s: (s.position, s.id))):
            gateway[sensor.id] = f"GW-{ident}-{taken[ident] + index // size + 1}"
        taken[ident] += count
    return tuple(replace(sensor, gateway=gateway[sensor.id]) for sensor in draft.sensors)
