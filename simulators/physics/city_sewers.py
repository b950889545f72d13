"""The drainage of a city as a SWMM network: identifiers are those of the assets."""

from collections import Counter
from collections.abc import Iterator, Mapping

from simulators.city import Asset, City
from simulators.physics.sewer_model import (
    Basin,
    Conduit,
    Gate,
    Gully,
    Manhole,
    Outfall,
    Pump,
    SewerModel,
    Surface,
)

_STREET_M2 = 4000.0
"""Street on which water stands around a full manhole."""
_STOP_M, _START_M, _FULL_M, _NEXT_PUMP_M = 0.15, 0.35, 1.3, 0.6
_WELL_M2 = 120.0
_KERB_M2 = 150.0
"""Road that is wet before water stands in the hollow; without it SWMM would empty it faster than a step is long."""
_CHAMBER_M = 12.0
_MOUTH_M, _MOUTH_LENGTH_M = 3.0, 150.0
"""The chamber before the river is higher than any tide, and its mouth wider than pumps and gate need."""
_SEALED = 0.75
_CURB_M = 2.0
"""Depth of a hollow before it runs over; no storm of the scenarios fills it."""


def city_sewers(city: City) -> SewerModel:
    """The model of a city's sewers; reads the facts of its assets.

    Manholes at pump stations are wet wells, low points hold what their gullies cannot swallow.

    Raises:
        ValueError: an asset lacks a fact that hydraulics needs.
    """
    links = city.flow_links("drainage")
    source = {k.target: k.source for k in links if city.asset[k.target].kind == "pipe"}
    target = {k.source: k.target for k in links if city.asset[k.source].kind == "pipe"}
    pipes = [(a, city.asset[source[a.id]], city.asset[target[a.id]]) for a in city.assets_of("drainage", "pipe")]
    wells = {start.id for _, start, end in pipes if start.kind == "manhole" and end.kind in {"pump", "gate"}}
    drained = [a for a in city.assets_of("drainage") if a.kind in {"manhole", "low-point"}]
    return SewerModel(
        title=city.name.en,
        manholes=(
            *(_manhole(a) for a in city.assets_of("drainage", "manhole") if a.id not in wells),
            *_chambers(city),
        ),
        basins=tuple(_basins(city, wells)),
        outfalls=tuple(_outfall(a) for a in city.assets_of("drainage", "outfall")),
        conduits=(
            *(
                _sewer(pipe, start, end)
                for pipe, start, end in pipes
                if (start.kind, end.kind) == ("manhole", "manhole")
            ),
            *_mouths(city),
        ),
        gullies=tuple(
            Gully(pipe.id, start.id, end.id, start.number("gully_capacity_m3s"))
            for pipe, start, end in pipes
            if start.kind == "low-point"
        ),
        pumps=tuple(_pumps(city, source, target)),
        gates=tuple(_gates(city, source, target)),
        surfaces=tuple(Surface(a.id, a.zone, a.number("contributing_ha"), _SEALED) for a in drained),
    )


def chamber(outfall: str) -> str:
    """The chamber before an outfall, where pumps and gate discharge: SWMM lets one pipe end at an outfall."""
    return f"{outfall}.chamber"


def _sewer(pipe: Asset, start: Asset, end: Asset) -> Conduit:
    size = (pipe.number("length_m"), pipe.number("diameter_mm") / 1000, int(pipe.number("barrels")))
    return Conduit(pipe.id, start.id, end.id, *size)


def _manhole(asset: Asset) -> Manhole:
    return Manhole(asset.id, asset.number("invert_m"), asset.number("depth_m"), _STREET_M2, asset.points[0])


def _basins(city: City, wells: set[str]) -> Iterator[Basin]:
    for well in sorted(wells):
        asset = city.asset[well]
        yield Basin(well, asset.number("invert_m"), asset.number("depth_m") + _CURB_M, _WELL_M2, 0.0, asset.points[0])
    drain = {k.source: k.target for k in city.flow_links("drainage")}
    for asset in city.assets_of("drainage", "low-point"):
        below = city.asset[drain[drain[asset.id]]]
        road_m = below.number("invert_m") + below.number("depth_m") - asset.number("below_cover_m")
        # A volume of c·h² is a surface of 2·c·h.
        spread_m2_per_m = 2 * asset.number("pond_m3_per_m2")
        yield Basin(asset.id, road_m, _CURB_M, _KERB_M2, spread_m2_per_m, asset.points[0])


def _outfall(asset: Asset) -> Outfall:
    return Outfall(asset.id, asset.number("invert_m"), asset.number("river_m"), asset.points[0])


def _pumps(city: City, source: Mapping[str, str], target: Mapping[str, str]) -> Iterator[Pump]:
    """The pumps of a well come in one after another, each from where the one before delivers half."""
    before: Counter[str] = Counter()
    for pipe, start in source.items():
        pump = city.asset[target[pipe]]
        if pump.kind != "pump":
            continue
        outfall = target[next(k.target for k in city.flow_links("drainage") if k.source == pump.id)]
        raised_m = before[start] * _NEXT_PUMP_M
        before[start] += 1
        levels = (_STOP_M + raised_m, _START_M + raised_m, _FULL_M + raised_m)
        yield Pump(pump.id, start, chamber(outfall), pump.number("capacity_m3s"), *levels)


def _gates(city: City, source: Mapping[str, str], target: Mapping[str, str]) -> Iterator[Gate]:
    outfall = {source[pipe]: node for pipe, node in target.items()}
    for pipe, start in source.items():
        gate = city.asset[target[pipe]]
        if gate.kind == "gate":
            size = (gate.number("width_m"), gate.number("height_m"), gate.number("sill_m"))
            yield Gate(gate.id, start, chamber(outfall[gate.id]), *size)


def _chambers(city: City) -> Iterator[Manhole]:
    for outfall in city.assets_of("drainage", "outfall"):
        yield Manhole(chamber(outfall.id), outfall.number("invert_m"), _CHAMBER_M, 0.0, outfall.points[0])


def _mouths(city: City) -> Iterator[Conduit]:
    for outfall in city.assets_of("drainage", "outfall"):
        yield Conduit(f"{outfall.id}.mouth", chamber(outfall.id), outfall.id, _MOUTH_LENGTH_M, _MOUTH_M)
