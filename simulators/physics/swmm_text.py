"""Writes a sewer network as SWMM reads it (format: SWMM 5.2 user manual, appendix D). Pure."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from simulators.physics.sewer_model import Forcing, SewerModel, Steps

_OPTIONS = (
    "FLOW_UNITS CMS",
    "INFILTRATION HORTON",
    "FLOW_ROUTING DYNWAVE",
    "LINK_OFFSETS DEPTH",
    "MIN_SLOPE 0",
    "ALLOW_PONDING YES",
    "SKIP_STEADY_STATE NO",
    "INERTIAL_DAMPING PARTIAL",
    "NORMAL_FLOW_LIMITED BOTH",
    "FORCE_MAIN_EQUATION H-W",
    "SURCHARGE_METHOD EXTRAN",
    "VARIABLE_STEP 0.75",
    "LENGTHENING_STEP 0",
    "MIN_SURFAREA 1.2",
    "MAX_TRIALS 8",
    "HEAD_TOLERANCE 0.0015",
    "MINIMUM_STEP 0.5",
    # More threads would add in another order, and the same run would not give the same bytes.
    "THREADS 1",
)
_BEYOND_S = 0.25
"""SWMM rounds the length of a run down to whole seconds and would lose one, and the last report with it."""
_DRY_S = 300
_ROUTING_S = 20
_MANNING_SEALED, _MANNING_GREEN = 0.014, 0.2
_DEPRESSION_SEALED_MM, _DEPRESSION_GREEN_MM = 1.5, 4.0
_HORTON = "60 6 4 7 0"
"""Infiltration falls from 60 to 6 mm/h with 4 per hour; dry again after seven days. Textbook values for loam."""
_DISCHARGE = 0.65
_GULLY = ((0.0, 0.0), (0.03, 1.0), (0.3, 1.4), (2.0, 2.0))
"""Water over a gully in m, and what it swallows as a share of its capacity: little is enough, and deeper water presses
only a little more through it. Where the sewer stands higher than the road, water comes up the same way."""


def swmm_input(model: SewerModel, forcing: Forcing | None = None, files: Mapping[str, str] | None = None) -> str:
    """The network as the text of a SWMM input file, with what acts on it; without forcing it is a dry hour.

    ``files`` are lines such as ``USE HOTSTART`` with a path.
    """
    forced = forcing or _dry_hour(model)
    lines = ["[TITLE]", model.title, "[OPTIONS]", *_OPTIONS, *_times(forced)]
    lines += ["[RAINGAGES]", *(f"{g} INTENSITY 0:01 1 TIMESERIES rain.{g}" for g in sorted(forced.rain_mm_h))]
    lines += ["[SUBCATCHMENTS]", *_surfaces(model), "[SUBAREAS]"]
    lines += [
        f"S.{s.node} {_MANNING_SEALED} {_MANNING_GREEN} {_DEPRESSION_SEALED_MM} {_DEPRESSION_GREEN_MM} 25 OUTLET"
        for s in model.surfaces
    ]
    lines += ["[INFILTRATION]", *(f"S.{s.node} {_HORTON}" for s in model.surfaces)]
    lines += ["[JUNCTIONS]"]
    lines += [f"{m.id} {m.invert_m:.3f} {m.depth_m:.3f} 0 0 {m.ponded_m2:g}" for m in model.manholes]
    lines += ["[OUTFALLS]", *_outfalls(model, forced), "[STORAGE]"]
    lines += [
        f"{b.id} {b.invert_m:.3f} {b.depth_m:.3f} 0 FUNCTIONAL {b.spread_m2_per_m:g} 1 {b.base_m2:g} 0 0"
        for b in model.basins
    ]
    lines += [
        *_links(model),
        *_sections(model),
        *_curves(model),
        "[INFLOWS]",
        *_inflows(forced),
        "[TIMESERIES]",
        *_series(forced),
    ]
    lines += ["[REPORT]", "INPUT NO", "CONTROLS NO", "NODES ALL", "LINKS ALL", "SUBCATCHMENTS NONE", "[FILES]"]
    lines += [f"{use} {path}" for use, path in (files or {}).items()]
    lines += ["[MAP]", "UNITS DEGREES", "[COORDINATES]", *_coordinates(model)]
    return "\n".join(lines) + "\n"


def _dry_hour(model: SewerModel) -> Forcing:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    gauges = {s.gauge for s in model.surfaces}
    return Forcing(start, start.replace(hour=1), dict.fromkeys(gauges, ((start, 0.0),)))


def _times(forced: Forcing) -> Iterator[str]:
    for name in ("START", "REPORT_START"):
        yield f"{name}_DATE {forced.start.astimezone(UTC):%m/%d/%Y}"
        yield f"{name}_TIME {forced.start.astimezone(UTC):%H:%M:%S}"
    end = forced.end.astimezone(UTC)
    seconds = end.hour * 3600 + end.minute * 60 + end.second
    yield f"END_DATE {end:%m/%d/%Y}"
    yield f"END_TIME {(seconds + _BEYOND_S) / 3600:.7f}"
    yield f"REPORT_STEP {_clock(forced.every_s)}"
    yield f"WET_STEP {_clock(forced.every_s)}"
    yield f"DRY_STEP {_clock(_DRY_S)}"
    yield f"ROUTING_STEP {_ROUTING_S}"


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _surfaces(model: SewerModel) -> Iterator[str]:
    for s in model.surfaces:
        # The length of overland flow is about the side of a square of that size, halved by the street in its middle.
        width_m = 2 * (s.area_ha * 10_000) ** 0.5
        yield f"S.{s.node} {s.gauge} {s.node} {s.area_ha:g} {100 * s.sealed:g} {width_m:.1f} {100 * s.slope:g} 0"


def _outfalls(model: SewerModel, forced: Forcing) -> Iterator[str]:
    for outfall in model.outfalls:
        stage = f"TIMESERIES river.{outfall.id}" if outfall.id in forced.river_m else f"FIXED {outfall.level_m:.3f}"
        yield f"{outfall.id} {outfall.invert_m:.3f} {stage} NO"


def _links(model: SewerModel) -> Iterator[str]:
    yield "[CONDUITS]"
    for c in model.conduits:
        offsets = f"{c.start_offset_m:g} {c.end_offset_m:g}"
        yield f"{c.id} {c.start} {c.end} {c.length_m:g} {c.roughness:g} {offsets} 0 0"
    yield "[PUMPS]"
    for p in model.pumps:
        yield f"{p.id} {p.start} {p.end} pump.{p.id} ON {p.start_m:g} {p.stop_m:g}"
    yield "[ORIFICES]"
    for g in model.gates:
        yield f"{g.id} {g.start} {g.end} SIDE {g.offset_m:g} {_DISCHARGE} YES 0"
    yield "[OUTLETS]"
    for gully in model.gullies:
        yield f"{gully.id} {gully.start} {gully.end} 0 TABULAR/HEAD gully.{gully.id} NO"


def _sections(model: SewerModel) -> Iterator[str]:
    yield "[XSECTIONS]"
    for c in model.conduits:
        if c.silted:
            yield f"{c.id} FILLED_CIRCULAR {c.diameter_m:g} {c.silted * c.diameter_m:.4f} 0 0 {c.barrels}"
        else:
            yield f"{c.id} CIRCULAR {c.diameter_m:g} 0 0 0 {c.barrels}"
    for g in model.gates:
        yield f"{g.id} RECT_CLOSED {max(0.001, g.height_m * g.stands_open):g} {g.width_m:g} 0 0"


def _curves(model: SewerModel) -> Iterator[str]:
    yield "[CURVES]"
    for gully in model.gullies:
        for k, (depth_m, share) in enumerate(_GULLY):
            yield f"gully.{gully.id} {'RATING ' if k == 0 else ''}{depth_m:g} {share * gully.capacity_m3s:.4g}"
    for p in model.pumps:
        # Nothing flows at the depth at which it stops, so that a well is not drawn dry.
        # A pump out of action delivers nothing: its status would be overruled by the state it starts from.
        most_m3s = p.capacity_m3s if p.runs else 0.0
        for k, (depth_m, flow_m3s) in enumerate(((0, 0), (p.stop_m, 0), (p.full_m, most_m3s))):
            yield f"pump.{p.id} {'PUMP4 ' if k == 0 else ''}{depth_m:g} {flow_m3s:g}"


def _inflows(forced: Forcing) -> Iterator[str]:
    for node in sorted(forced.inflow_m3s):
        yield f"{node} FLOW in.{node} FLOW 1 1"
    for node in sorted(set(forced.sewered_ha) - set(forced.inflow_m3s)):
        yield f"{node} FLOW sewage FLOW 1 {forced.sewered_ha[node]:g}"


def _series(forced: Forcing) -> Iterator[str]:
    kinds = {"rain": forced.rain_mm_h, "in": forced.inflow_m3s, "river": forced.river_m}
    yield from _lines("sewage", forced.sewage_m3s_ha)
    for kind, by_name in kinds.items():
        for name in sorted(by_name):
            yield from _lines(f"{kind}.{name}", by_name[name])


def _lines(name: str, steps: Steps) -> Iterator[str]:
    for moment, value in steps:
        yield f"{name} {moment.astimezone(UTC):%m/%d/%Y %H:%M:%S} {value:.6g}"


def _coordinates(model: SewerModel) -> Iterator[str]:
    nodes = [(n.id, n.position) for n in model.manholes]
    nodes += [(n.id, n.position) for n in model.basins] + [(n.id, n.position) for n in model.outfalls]
    for name, position in nodes:
        yield f"{name} {position[0]:.7f} {position[1]:.7f}"
