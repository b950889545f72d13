"""Who could take a work order: by ownership, duty, load and distance, with reasons. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.core.geometry import METRES_PER_DEGREE
from services.core.lifeline import Lifeline
from services.core.organisation import Organisation, OrganisationRole, Person
from services.core.text import Text


@dataclass(frozen=True, slots=True)
class Assignee:
    """Somebody who could take an order, and what speaks for it."""

    organisation: Organisation
    person: Person | None
    owns_asset: bool
    on_duty: bool
    running_orders: int
    distance_m: float | None
    reasons: Sequence[Text]


@dataclass(frozen=True, slots=True)
class Forces:
    """Whoever there is: organisations, who is on duty, how many orders each runs, and the places each starts from."""

    organisations: Mapping[str, Organisation]
    on_duty: Sequence[Person]
    running: Mapping[str, int]
    places: Mapping[str, Sequence[tuple[float, float]]]


def proposal(
    forces: Forces, lifeline: Lifeline, owner: str | None, place: tuple[float, float] | None
) -> list[Assignee]:
    """Everybody who could take an order, best first.

    Who owns the asset comes before who only answers for the lifeline: it has the keys and the right to dig. Among
    those, who is on duty comes first, then the nearest, then who has less to do.
    """
    found = [
        _assignee(forces, organisation, person, owner, place)
        for organisation in forces.organisations.values()
        if organisation.role is OrganisationRole.OWNER
        and (organisation.id == owner or lifeline in organisation.lifelines)
        for person in _people(forces, organisation.id)
    ]
    return sorted(found, key=_rank)


def _people(forces: Forces, organisation: str) -> Iterable[Person | None]:
    on_duty = [person for person in forces.on_duty if person.organisation == organisation]
    return on_duty or [None]


def _rank(assignee: Assignee) -> tuple[bool, bool, float, int, str, str]:
    distance_m = math.inf if assignee.distance_m is None else assignee.distance_m
    person = "" if assignee.person is None else assignee.person.id
    return (
        not assignee.owns_asset,
        not assignee.on_duty,
        distance_m,
        assignee.running_orders,
        assignee.organisation.id,
        person,
    )


def _assignee(
    forces: Forces,
    organisation: Organisation,
    person: Person | None,
    owner: str | None,
    place: tuple[float, float] | None,
) -> Assignee:
    starts = forces.places.get(organisation.id, ())
    distance_m = None if place is None or not starts else min(apart_m(start, place) for start in starts)
    running = forces.running.get(organisation.id, 0)
    owns = organisation.id == owner
    reasons = [
        Text("owns the asset", "设施权属单位") if owns else Text("answers for the lifeline", "负责该类生命线"),
        Text("on duty now", "当前值班") if person is not None else Text("nobody is on duty now", "当前无人值班"),
        Text(f"{running} orders running", f"在办工单 {running} 件"),
    ]
    if distance_m is not None:
        reasons.append(Text(f"{distance_m / 1000:.1f} km away", f"距离 {distance_m / 1000:.1f} 公里"))
    return Assignee(organisation, person, owns, person is not None, running, distance_m, reasons)


def apart_m(one: tuple[float, float], other: tuple[float, float]) -> float:
    """The distance of two places (longitude, latitude) in metres, as the crow flies; good within a city."""
    narrow = math.cos(math.radians((one[1] + other[1]) / 2))
    return math.hypot((one[0] - other[0]) * narrow, one[1] - other[1]) * METRES_PER_DEGREE
