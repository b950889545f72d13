"""A street with three manholes and what their devices say."""

from collections.abc import Callable, Iterator

import numpy as np

from services.alerts.detectors.contract import Claim
from services.alerts.gas.gas_search import GasSearch
from services.alerts.gas.town import Duct, Pipe, Space, Town

HOUR_S = 3600.0
DAY_S = 86_400.0
STEP_S = 300.0
LEARNT_S = 3 * DAY_S
NAMES = ("tel", "sewer", "far")
TOWN = Town(
    (117.2, 31.8),
    (
        Pipe("P1", ((0.0, 0.0), (60.0, 0.0)), 3.0, True, "fill"),
        Pipe("P2", ((60.0, 0.0), (200.0, 0.0)), 3.0, True, "fill"),
    ),
    (
        Space("far", (190.0, 4.0), "telecom-manhole", 2.0, False),
        Space("sewer", (40.0, 5.0), "sewer-manhole", 3.0, False),
        Space("tel", (25.0, 3.0), "telecom-manhole", 2.0, False),
    ),
    (),
    (Duct("sewer", "tel", 60.0),),
)

Course = Callable[[float], float]
"""%LEL by the hours since the history ended."""


def told(
    courses: dict[str, Course],
    hours: float = 24.0,
    *,
    humidity: Course = lambda _: 0.0,
    ethane: Course | None = None,
    permits: list[list[float]] | None = None,
) -> list[tuple[float, Claim]]:
    """What the search claims, with the hours since the history ended; the sewer breathes a little all the time."""
    channels = [[f"{name}-ch4", "methane", name, 117.2, 31.8] for name in NAMES]
    channels += [[f"{name}-rh", "space_humidity", name, 117.2, 31.8] for name in NAMES]
    channels += (
        [["sewer-c2", "ethane", "sewer", 117.2, 31.8], ["tel-c2", "ethane", "tel", 117.2, 31.8]] if ethane else []
    )
    search = GasSearch(channels, TOWN.as_json(), LEARNT_S, permits or [])
    claims = []
    for time_s, row in _rows(search.columns, courses, hours, humidity, ethane):
        search.score(time_s, row)
        claims += [((time_s - LEARNT_S) / HOUR_S, claim) for claim in search.claims()]
    return claims


def _rows(
    columns: tuple[str, ...], courses: dict[str, Course], hours: float, humidity: Course, ethane: Course | None
) -> Iterator[tuple[float, list[float]]]:
    rng = np.random.default_rng(3)
    for step in range(int((LEARNT_S + hours * HOUR_S) / STEP_S)):
        time_s = step * STEP_S
        after_h = (time_s - LEARNT_S) / HOUR_S
        row = []
        for column in columns:
            name, role = column.split("-")
            value = {"ch4": 0.3, "rh": 75 + 5 * float(np.sin(2 * np.pi * time_s / DAY_S)), "c2": 2.0}[role]
            value += float(rng.normal(0, {"ch4": 0.1, "rh": 0.5, "c2": 1.0}[role]))
            if role == "ch4" and name == "sewer":
                value += 0.4 * float(np.sin(2 * np.pi * time_s / DAY_S)) + 0.5
            if after_h > 0 and role == "ch4":
                value += courses.get(name, _nothing)(after_h)
            if after_h > 0 and role == "rh" and name == "tel":
                value += humidity(after_h)
            if after_h > 0 and role == "c2" and ethane is not None:
                value += ethane(after_h)
            row.append(max(0.0, value))
        yield time_s, row


def _nothing(_: float) -> float:
    return 0.0


def restless(level: float, rise_h: float = 2.0, begins_h: float = 1.0, seed: int = 5) -> Course:
    """A leak: fills within hours, and is never still."""
    gusts = np.random.default_rng(seed).lognormal(0, 0.35, 5000)

    def course(hours: float) -> float:
        if hours <= begins_h:
            return 0.0
        return level * (1 - float(np.exp(-(hours - begins_h) / rise_h))) * float(gusts[int(hours * 12)])

    return course


def smooth(level: float, rise_h: float = 5.0, begins_h: float = 1.0) -> Course:
    """Sewage: grows slowly, breathes, and is almost still."""
    small = np.random.default_rng(6).normal(1.0, 0.04, 5000)

    def course(hours: float) -> float:
        grown = 0.0 if hours <= begins_h else 1 - float(np.exp(-(hours - begins_h) / rise_h))
        return level * grown * (1 + 0.2 * float(np.sin(2 * np.pi * hours / 24))) * float(small[int(hours * 12)])

    return course


def outcomes(claims: list[tuple[float, Claim]]) -> list[str]:
    """What was raised, in order."""
    return [claim.outcome for _, claim in claims if str(claim.state) == "raised"]
