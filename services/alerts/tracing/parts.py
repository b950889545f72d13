"""What a thing is to its neighbours, whatever register holds it, and by which ways trouble goes between them.

A register of gas knows sewer manholes and basements, one of drainage knows roads: what counts here is what the thing
is. All reaches are defaults in metres, from the line or point of one asset to that of the other, to be set by whoever
knows the city's ground; where a register declares adjacencies, those hold instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.core.adjacency import BUILDING_REACH_M, SPACE_REACH_M
from services.core.asset import Asset
from services.core.lifeline import Lifeline
from services.core.text import Text

SEGMENT_KINDS = frozenset({"pipe", "conduit"})
"""Kinds of asset that are stretches of a network rather than points of it."""


class Part(StrEnum):
    """What trouble comes from or goes to."""

    WATER_MAIN = "water-main"
    HEAT_MAIN = "heat-main"
    GAS_MAIN = "gas-main"
    SEWER = "sewer"
    DUCT = "duct"
    TUNNEL = "tunnel"
    ROAD = "road"
    LOW_POINT = "low-point"
    SUPPORT = "bridge-support"
    BASEMENT = "basement"
    BUILDING = "building"


class Medium(StrEnum):
    """What gets out of its own network and goes into another one."""

    WATER = "water"
    GAS = "gas"
    GROUND = "ground"
    """Ground that moves with what stands on it."""


@dataclass(frozen=True, slots=True)
class Way:
    """By which a medium goes from one part to another within a reach, and what that threatens there.

    ``share`` is how often such a neighbour is to blame for the trouble beside it, against the others in this table; a
    default prior. What has come this way ``goes_on`` from there, or ends there.
    """

    source: Part
    target: Part
    medium: Medium
    reach_m: float
    step: Text
    threat: Text
    share: float = 1.0
    goes_on: bool = False


_SPACES: Mapping[str, Part] = {"sewer-manhole": Part.SEWER, "basement": Part.BASEMENT, "tunnel": Part.TUNNEL}
_KINDS: Mapping[str, Part] = {
    "building": Part.BUILDING,
    "basement": Part.BASEMENT,
    "road": Part.ROAD,
    "low-point": Part.LOW_POINT,
    "underpass": Part.LOW_POINT,
    "metro-entrance": Part.LOW_POINT,
    "manhole": Part.SEWER,
    "bearing": Part.SUPPORT,
    "pier": Part.SUPPORT,
    "abutment": Part.SUPPORT,
    "foundation": Part.SUPPORT,
    "approach": Part.SUPPORT,
}
_STRETCHES: Mapping[Lifeline, Part] = {
    Lifeline.WATER: Part.WATER_MAIN,
    Lifeline.HEAT: Part.HEAT_MAIN,
    Lifeline.GAS: Part.GAS_MAIN,
    Lifeline.DRAINAGE: Part.SEWER,
}
_WHOLE: Mapping[Lifeline, Part] = {
    Lifeline.TUNNEL: Part.TUNNEL,
    Lifeline.POWER: Part.DUCT,
    Lifeline.TELECOM: Part.DUCT,
}


def part_of(asset: Asset) -> Part | None:
    """What an asset is to its neighbours; ``None`` for valves, pumps, spans and what else is no way for trouble."""
    if asset.kind == "underground-space":
        return _SPACES.get(str(asset.properties.get("space", "")), Part.DUCT)
    if asset.kind in SEGMENT_KINDS and asset.lifeline in _STRETCHES:
        return _STRETCHES[asset.lifeline]
    if asset.lifeline in _WHOLE and asset.kind not in {"building", "basement"}:
        return _WHOLE[asset.lifeline]
    return _KINDS.get(asset.kind)


ROAD_REACH_M = 15.0
"""A road stands in the register by its middle line, and pipes lie under its lanes or pavements: half a wide street."""
SUPPORT_REACH_M = 30.0
"""A jet of a burst main washes out ground some metres around it, and a footing is wider than the point on the map."""
STREET_FLOW_M = 80.0
"""Water on a street runs so far to a dip, as where drainage asks whom it concerns; the relief is not known."""
CELLAR_REACH_M = 25.0
"""Water in the ground finds the cellars of the houses along a street."""
TRENCH_REACH_M = 10.0
"""Pipes, sewers and ducts of one street lie some metres apart, and their bedding drains from one to the other."""
JET_REACH_M = 5.0
"""Sand in a jet of water grinds through a gas pipe only where it lies close beside."""
SAME_SEWER_M = 15.0
"""One and the same sewer often stands in two registers, as the gas company's manholes and the city's conduits, and not
at quite the same place."""
CONNECTION_REACH_M = 30.0
"""House connections of a sewer or a duct are about so long."""
BACKWATER_REACH_M = 30.0
"""The same connections lead a full sewer's water back."""
PULL_REACH_M = 20.0
"""What settles takes the ground and the pipes about it along: about the depth of a footing's hollow."""

_THROUGH_GROUND = Text("through the ground", "经土壤")
_OVER_STREET = Text("over the street", "沿路面")
_BY_CONNECTION = Text("through a house connection", "经入户管道")
_IN_SEWER = Text("in the same sewer", "经同一排水管")
_WITH_GROUND = Text("with the ground that moves", "随地层变形")
GATHERS = Text("gas may gather there: measure before opening or entering", "可能积聚燃气：开启或进入前须检测")
_ENTERS = Text("gas may enter where people are", "燃气可能进入有人场所")
_CAVES_IN = Text("the ground under it may be washed out and cave in", "路基可能被冲刷、塌陷")
_SCOURED = Text("the ground that carries it may be washed out", "承载地基可能被冲刷")
_FLOODED = Text("water may come to stand there", "可能积水")
_CELLAR = Text("water may run in", "可能进水")
_LOADED = Text("takes water that does not belong there, with the soil it brings", "外来水携泥沙进入")
_GROUND_THROUGH = Text("a jet of water and sand may wear it through", "水砂射流可能磨穿管壁")
_PULLED = Text("settling ground pulls on its joints", "沉降可能拉裂接口")


def _of_pressed_water(main: Part) -> tuple[Way, ...]:
    water = Medium.WATER
    return (
        Way(main, Part.ROAD, water, ROAD_REACH_M, _THROUGH_GROUND, _CAVES_IN),
        Way(main, Part.LOW_POINT, water, STREET_FLOW_M, _OVER_STREET, _FLOODED, goes_on=True),
        Way(main, Part.SUPPORT, water, SUPPORT_REACH_M, _THROUGH_GROUND, _SCOURED),
        Way(main, Part.BASEMENT, water, CELLAR_REACH_M, _THROUGH_GROUND, _CELLAR),
        Way(main, Part.TUNNEL, water, TRENCH_REACH_M, _THROUGH_GROUND, _CELLAR),
        Way(main, Part.DUCT, water, TRENCH_REACH_M, _THROUGH_GROUND, _CELLAR),
        Way(main, Part.SEWER, water, TRENCH_REACH_M, _THROUGH_GROUND, _LOADED),
        Way(main, Part.GAS_MAIN, water, JET_REACH_M, _THROUGH_GROUND, _GROUND_THROUGH, 0.1),
    )


WAYS: tuple[Way, ...] = (
    *_of_pressed_water(Part.WATER_MAIN),
    *_of_pressed_water(Part.HEAT_MAIN),
    Way(Part.LOW_POINT, Part.ROAD, Medium.WATER, STREET_FLOW_M, _OVER_STREET, _FLOODED),
    Way(Part.LOW_POINT, Part.LOW_POINT, Medium.WATER, STREET_FLOW_M, _OVER_STREET, _FLOODED),
    Way(Part.LOW_POINT, Part.BASEMENT, Medium.WATER, CELLAR_REACH_M, _OVER_STREET, _CELLAR),
    Way(Part.SEWER, Part.ROAD, Medium.WATER, ROAD_REACH_M, _THROUGH_GROUND, _CAVES_IN),
    Way(Part.SEWER, Part.SUPPORT, Medium.WATER, SUPPORT_REACH_M, _THROUGH_GROUND, _SCOURED, 0.5),
    Way(Part.SEWER, Part.BASEMENT, Medium.WATER, BACKWATER_REACH_M, _BY_CONNECTION, _CELLAR),
    Way(Part.GAS_MAIN, Part.SEWER, Medium.GAS, SPACE_REACH_M, _THROUGH_GROUND, GATHERS, goes_on=True),
    Way(Part.GAS_MAIN, Part.DUCT, Medium.GAS, SPACE_REACH_M, _THROUGH_GROUND, GATHERS, goes_on=True),
    Way(Part.GAS_MAIN, Part.TUNNEL, Medium.GAS, SPACE_REACH_M, _THROUGH_GROUND, GATHERS),
    Way(Part.GAS_MAIN, Part.BASEMENT, Medium.GAS, BUILDING_REACH_M, _THROUGH_GROUND, _ENTERS),
    Way(Part.GAS_MAIN, Part.BUILDING, Medium.GAS, BUILDING_REACH_M, _THROUGH_GROUND, _ENTERS),
    Way(Part.SEWER, Part.SEWER, Medium.GAS, SAME_SEWER_M, _IN_SEWER, GATHERS, goes_on=True),
    Way(Part.SEWER, Part.BASEMENT, Medium.GAS, CONNECTION_REACH_M, _BY_CONNECTION, _ENTERS),
    Way(Part.SEWER, Part.BUILDING, Medium.GAS, CONNECTION_REACH_M, _BY_CONNECTION, _ENTERS),
    Way(Part.DUCT, Part.BASEMENT, Medium.GAS, CONNECTION_REACH_M, _BY_CONNECTION, _ENTERS),
    Way(Part.DUCT, Part.BUILDING, Medium.GAS, CONNECTION_REACH_M, _BY_CONNECTION, _ENTERS),
    *(
        Way(Part.SUPPORT, target, Medium.GROUND, PULL_REACH_M, _WITH_GROUND, _PULLED)
        for target in (Part.WATER_MAIN, Part.HEAT_MAIN, Part.GAS_MAIN, Part.SEWER)
    ),
)
