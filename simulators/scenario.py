"""What goes wrong in a simulated city, when, and under which permanent id."""

import re
import tomllib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from simulators.city import City
from simulators.physics.storms import Shape

_KINDS_BROKEN = {
    "pipe-leak": frozenset({"pipe"}),
    "hydrant-use": frozenset({"hydrant"}),
    "valve-shut": frozenset({"valve"}),
    "pump-schedule": frozenset({"reservoir"}),
}
_KINDS_OF_DRAINAGE = {
    "sewer-blockage": frozenset({"pipe"}),
    "pump-trip": frozenset({"pump"}),
    "gate-shut": frozenset({"gate"}),
    "river-rise": frozenset({"outfall"}),
    "foreign-inflow": frozenset({"manhole"}),
    "sewer-infiltration": frozenset({"manhole"}),
    "cover-displaced": frozenset({"manhole"}),
}
_KINDS_OF_BRIDGE = {
    "support-settlement": frozenset({"bearing"}),
    "stiffness-loss": frozenset({"span"}),
    "bridge-collision": frozenset({"bearing", "span"}),
}
"""What kinds of asset a kind of injection can happen to, where not every asset will do."""

SCENARIO_FOLDER = Path(__file__).parent / "scenarios"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")

Minutes = Annotated[float, Field(ge=0, le=60 * 24 * 365)]


class ScenarioError(ValueError):
    """A scenario cannot be used; the message names the file, the field and the reason."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Injection(_Strict):
    """``start_min`` and ``end_min`` count from the scenario's start."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    start_min: Minutes
    end_min: Minutes
    note: str = ""

    @model_validator(mode="after")
    def _ends_after_start(self) -> "_Injection":
        if self.end_min <= self.start_min:
            raise ValueError("end_min must be greater than start_min")
        return self


class WaterLeak(_Injection):
    """A main bursts and loses about ``flow_m3h`` until it is repaired."""

    kind: Literal["water-leak"]
    asset: str
    flow_m3h: Annotated[float, Field(gt=0, le=2000)]


class PipeLeak(_Injection):
    """A hole in a pipe, ``position`` of the way along it, as wide as a circle of ``hole_mm``.

    It opens at once, or its area grows evenly over ``growth_min``; at the end it is repaired. What it loses follows
    from the pressure.
    """

    kind: Literal["pipe-leak"]
    asset: str
    hole_mm: Annotated[float, Field(gt=0, le=500)]
    growth_min: Minutes = 0.0
    position: Annotated[float, Field(gt=0, lt=1)] = 0.5


class HydrantUse(_Injection):
    """Water is taken from a hydrant: a fire is fought, a street is washed."""

    kind: Literal["hydrant-use"]
    asset: str
    flow_m3h: Annotated[float, Field(gt=0, le=1000)]


class ValveShut(_Injection):
    """A valve stands shut that ought to be open."""

    kind: Literal["valve-shut"]
    asset: str


class PumpSchedule(_Injection):
    """The pumps of a waterworks deliver to another head, reached evenly within ``ramp_min`` and left likewise."""

    kind: Literal["pump-schedule"]
    asset: str
    head_change_m: Annotated[float, Field(ge=-60, le=60)]
    ramp_min: Annotated[float, Field(ge=0, le=240)] = 5.0


class GasLeak(_Injection):
    """A main leaks at its point next to the underground space ``near``, through a hole as wide as ``hole_mm``.

    What it loses follows from the pressure, and how much comes where from the ground. Where it is ``purged`` the crew
    draws the gas out of the ground after the repair; elsewhere it fades by itself, and seeps for hours.
    """

    kind: Literal["gas-leak"]
    asset: str
    near: str
    hole_mm: Annotated[float, Field(gt=0, le=40)]
    purged: bool = False


class SewerGas(_Injection):
    """Sewage ferments in the underground space ``asset``, whose methane comes to ``lel`` above its usual level."""

    kind: Literal["sewer-gas"]
    asset: str
    lel: Annotated[float, Field(gt=0, le=60)]


class Cloudburst(_Injection):
    """Rain that swells and fades between start and end."""

    kind: Literal["cloudburst"]
    peak_mm_h: Annotated[float, Field(gt=0, le=400)]


class DesignStorm(_Injection):
    """Rain that comes back every ``return_period_years`` by an intensity-duration formula, the same over the city.

    ``shape`` is a Chicago storm with its peak after the share ``peak_at``, or the way in which a gauge would record
    such a depth. The coefficients are those of ``i = a (1 + c lg P) / (t + b)^n`` in mm/min; the default is generic.
    """

    kind: Literal["design-storm"]
    return_period_years: Annotated[float, Field(ge=1, le=100)]
    shape: Shape = "chicago"
    peak_at: Annotated[float, Field(gt=0.05, lt=0.95)] = 0.4
    a_mm_min: Annotated[float, Field(gt=0, le=100)] = 12.0
    c: Annotated[float, Field(ge=0, le=2)] = 0.75
    b_min: Annotated[float, Field(ge=1, le=60)] = 10.0
    n: Annotated[float, Field(gt=0, lt=1)] = 0.72


class MovingStorm(_Injection):
    """A rain cell that crosses the city: ``heading_deg`` is where it goes, clockwise from north.

    It passes ``beside_km`` to the right of the city's centre halfway between start and end.
    """

    kind: Literal["moving-storm"]
    peak_mm_h: Annotated[float, Field(gt=0, le=400)]
    radius_km: Annotated[float, Field(gt=0.1, le=50)]
    speed_km_h: Annotated[float, Field(ge=0, le=120)]
    heading_deg: Annotated[float, Field(ge=0, lt=360)]
    beside_km: Annotated[float, Field(ge=-20, le=20)] = 0.0


class SewerBlockage(_Injection):
    """A sewer silts up: at last ``share`` of its depth is full, at once or evenly over ``growth_min``."""

    kind: Literal["sewer-blockage"]
    asset: str
    share: Annotated[float, Field(gt=0, le=0.95)]
    growth_min: Minutes = 0.0


class PumpTrip(_Injection):
    """A storm-water pump delivers nothing."""

    kind: Literal["pump-trip"]
    asset: str


class GateShut(_Injection):
    """A gate to the river stands at ``stands_open`` of its height when it ought to be open."""

    kind: Literal["gate-shut"]
    asset: str
    stands_open: Annotated[float, Field(ge=0, lt=1)] = 0.0


class RiverRise(_Injection):
    """The river before an outfall is ``rise_m`` higher, reached evenly within ``ramp_min`` and left likewise."""

    kind: Literal["river-rise"]
    asset: str
    rise_m: Annotated[float, Field(gt=0, le=8)]
    ramp_min: Annotated[float, Field(ge=1, le=1440)] = 60.0


class ForeignInflow(_Injection):
    """Water enters a manhole that has no business there: a building site pumps, a factory discharges."""

    kind: Literal["foreign-inflow"]
    asset: str
    flow_l_s: Annotated[float, Field(gt=0, le=2000)]


class SewerInfiltration(_Injection):
    """Groundwater enters at a manhole, growing evenly over ``growth_min``."""

    kind: Literal["sewer-infiltration"]
    asset: str
    flow_l_s: Annotated[float, Field(gt=0, le=500)]
    growth_min: Minutes = 1440.0


class CoverDisplaced(_Injection):
    """The cover of a manhole lies askew."""

    kind: Literal["cover-displaced"]
    asset: str
    tilt_deg: Annotated[float, Field(gt=0, le=180)] = 25.0


class Overload(_Injection):
    """A truck stands on a bridge."""

    kind: Literal["overload"]
    asset: str
    weight_t: Annotated[float, Field(gt=0, le=500)]


class ColdFront(_Injection):
    """The air falls by ``drop_k`` within ``falls_h`` and comes back evenly until the end."""

    kind: Literal["cold-front"]
    drop_k: Annotated[float, Field(gt=0, le=40)]
    falls_h: Annotated[float, Field(gt=0, le=120)] = 36.0


class SupportSettlement(_Injection):
    """A support of a bridge goes down by ``settled_mm``, at once or evenly over ``growth_min``; lifted at the end."""

    kind: Literal["support-settlement"]
    asset: str
    settled_mm: Annotated[float, Field(gt=0, le=200)]
    growth_min: Minutes = 0.0


class StiffnessLoss(_Injection):
    """A span loses a ``share`` of its bending stiffness, at once or evenly over ``growth_min``."""

    kind: Literal["stiffness-loss"]
    asset: str
    share: Annotated[float, Field(gt=0, le=0.6)]
    growth_min: Minutes = 0.0


class BridgeCollision(_Injection):
    """Something hits a bridge, which trembles by ``peak_m_s2`` until the end."""

    kind: Literal["bridge-collision"]
    asset: str
    peak_m_s2: Annotated[float, Field(gt=0, le=50)]


class SensorFault(_Injection):
    """A device lies or says nothing.

    It repeats one value, drifts away by ``size`` per hour, reports ``size``, spikes by it, has that much more noise
    (standard deviation), is silent (outage), or loses the share ``size`` of what it showed every hour (fouling).
    """

    kind: Literal["sensor-fault"]
    sensor: str
    fault: Literal["stuck", "drift", "out-of-range", "spikes", "noise", "outage", "fouling"]
    size: float = 0.0


class GatewayOutage(_Injection):
    """A gateway is silent; its buffer arrives afterwards, before its newer readings."""

    kind: Literal["gateway-outage"]
    gateway: str


Injection = Annotated[
    WaterLeak
    | PipeLeak
    | HydrantUse
    | ValveShut
    | PumpSchedule
    | GasLeak
    | SewerGas
    | Cloudburst
    | DesignStorm
    | MovingStorm
    | SewerBlockage
    | PumpTrip
    | GateShut
    | RiverRise
    | ForeignInflow
    | SewerInfiltration
    | CoverDisplaced
    | Overload
    | ColdFront
    | SupportSettlement
    | StiffnessLoss
    | BridgeCollision
    | SensorFault
    | GatewayOutage,
    Field(discriminator="kind"),
]


class Inclusion(_Strict):
    """Another scenario that starts ``start_min`` after this one."""

    scenario: str
    start_min: Minutes


class Scenario(_Strict):
    """A named sequence of injections; ``length_min`` is when everything is normal again."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    name_en: str
    name_zh: str
    length_min: Annotated[float, Field(gt=0)]
    injections: tuple[Injection, ...] = ()
    include: tuple[Inclusion, ...] = ()


def list_scenarios() -> list[str]:
    """The names of the scenarios that come with the simulators."""
    return sorted(path.stem for path in SCENARIO_FOLDER.glob("*.toml"))


def load_scenario(scenario: str | Path) -> Scenario:
    """A scenario by name or from a TOML file, with the scenarios it includes merged into its injections.

    Raises:
        ScenarioError: there is no such scenario or file, or a field is missing, unknown or wrong.
    """
    return _load(_path(scenario), ())


def check_scenario(scenario: Scenario, city: City) -> None:
    """Make sure that the city has what the scenario breaks.

    Raises:
        ScenarioError: an injection names an asset, sensor or gateway that the city does not have, or an asset to which
            such a thing cannot happen.
    """
    gateways = {sensor.gateway for sensor in city.sensors}
    known = {"asset": city.asset, "near": city.asset, "sensor": city.sensor, "gateway": gateways}
    for injection in scenario.injections:
        for field, names in known.items():
            named = getattr(injection, field, None)
            if named is not None and named not in names:
                raise ScenarioError(f"{scenario.id}: injection {injection.id}: {field} {named!r} is not in {city.id}")
        kinds_of = {"water": _KINDS_BROKEN, "drainage": _KINDS_OF_DRAINAGE, "bridge": _KINDS_OF_BRIDGE}
        lifeline = next((name for name, kinds in kinds_of.items() if injection.kind in kinds), "")
        kinds = kinds_of[lifeline][injection.kind] if lifeline else None
        asset = city.asset.get(getattr(injection, "asset", ""))
        if kinds and asset is not None and (asset.kind not in kinds or asset.lifeline != lifeline):
            raise ScenarioError(
                f"{scenario.id}: injection {injection.id}: {injection.kind} cannot happen to {asset.kind} {asset.id}"
            )


def starts_at(injection: _Injection, origin: datetime) -> datetime:
    """The instant an injection begins when its scenario begins at ``origin``."""
    return origin + timedelta(minutes=injection.start_min)


def ends_at(injection: _Injection, origin: datetime) -> datetime:
    """The instant an injection ends when its scenario begins at ``origin``."""
    return origin + timedelta(minutes=injection.end_min)


def _path(scenario: str | Path) -> Path:
    if isinstance(scenario, str) and _NAME.fullmatch(scenario):
        path = SCENARIO_FOLDER / f"{scenario}.toml"
        if not path.is_file():
            raise ScenarioError(f"no scenario {scenario!r}; there are {', '.join(list_scenarios())}")
        return path
    return Path(scenario)


def _load(path: Path, including: tuple[Path, ...]) -> Scenario:
    if path in including:
        raise ScenarioError(f"{path}: include: the scenario includes itself")
    scenario = _parse(path)
    merged: list[Any] = list(scenario.injections)
    for inclusion in scenario.include:
        part = _load(_path(inclusion.scenario), (*including, path))
        merged += [_shifted(injection, inclusion.start_min) for injection in part.injections]
    merged.sort(key=lambda injection: injection.start_min)
    ids = [injection.id for injection in merged]
    for ident in ids:
        if ids.count(ident) > 1:
            raise ScenarioError(f"{path}: injections: the id {ident!r} is used more than once")
    return scenario.model_copy(update={"injections": tuple(merged), "include": ()})


def _parse(path: Path) -> Scenario:
    try:
        return Scenario.model_validate(tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        raise ScenarioError(f"{path}: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{path}: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "scenario"
        raise ScenarioError(f"{path}: {field}: {first['msg'].removeprefix('Value error, ')}") from error


def _shifted(injection: _Injection, minutes: float) -> _Injection:
    moved = {"start_min": injection.start_min + minutes, "end_min": injection.end_min + minutes}
    return injection.model_copy(update=moved)
