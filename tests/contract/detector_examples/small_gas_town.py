"""A main with three manholes beside it: quiet days, and a leak that two of them show."""

from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType

import numpy as np

from services.alerts.gas.town import Duct, Pipe, Space, Town, Way
from tests.contract.detector_examples import DAY_S, STEP_S, Example, Row, Stream

TOWN = Town(
    (117.2, 31.8),
    (
        Pipe("P1", ((0.0, 0.0), (60.0, 0.0)), 3.0, True, "fill"),
        Pipe("P2", ((60.0, 0.0), (140.0, 0.0)), 2.0, True, "fill"),
    ),
    (
        Space("S1", (20.0, 3.0), "telecom-manhole", 2.0, False),
        Space("S2", (38.0, 4.0), "sewer-manhole", 3.0, True),
        Space("S3", (120.0, 5.0), "telecom-manhole", 2.0, False),
    ),
    (Way("P1", "S1", 3.0), Way("P1", "S2", 4.0), Way("P2", "S3", 5.0)),
    (Duct("S1", "S3", 100.0),),
)
CHANNELS = [
    ["a", "methane", "S1", 117.2, 31.8],
    ["b", "methane", "S2", 117.2, 31.8],
    ["c", "methane", "S3", 117.2, 31.8],
]
OUTCOMES = (
    "gas-leak-into-ground",
    "gas-from-sewage",
    "gas-methane-device-drifts",
    "gas-methane-explained",
)


@cache
def quiet_days(days: float, start_s: float = 0.0) -> Stream:
    """A little methane with noise; the sewer breathes with the day."""
    rng = np.random.default_rng(int(start_s) % 1000 + 5)
    rows = []
    for step in range(int(days * DAY_S / STEP_S)):
        time_s = start_s + step * STEP_S
        breath = 0.4 * float(np.sin(2 * np.pi * time_s / DAY_S))
        noise = rng.normal(0, 0.08, 3)
        rows.append((time_s, (0.3 + float(noise[0]), 1.2 + breath + float(noise[1]), 0.2 + float(noise[2]))))
    return tuple(rows)


def leaking(normal: Stream) -> Iterable[Row]:
    """The first space fills within two hours, the second an hour later, both restless."""
    rng = np.random.default_rng(17)
    began_s = normal[0][0]
    for time_s, (first, second, third) in normal:
        hours = (time_s - began_s) / 3600
        gust = float(rng.lognormal(0, 0.3))
        yield (
            time_s,
            (
                first + 25 * (1 - np.exp(-hours / 2)) * gust,
                second + 9 * (1 - np.exp(-max(0, hours - 1) / 2)) * gust,
                third,
            ),
        )


@cache
def usual_pressures(days: float, start_s: float = 0.0) -> Stream:
    """Two pressures and the flow from the regulator, with the day."""
    rng = np.random.default_rng(int(start_s) % 1000 + 9)
    rows = []
    for step in range(int(days * DAY_S / STEP_S)):
        time_s = start_s + step * STEP_S
        draw = float(np.sin(2 * np.pi * time_s / DAY_S))
        noise = rng.normal(0, 0.2, 3)
        rows.append(
            (
                time_s,
                (200 - 2 * draw + float(noise[0]), 190 - 4 * draw + float(noise[1]), 300 + 90 * draw + float(noise[2])),
            )
        )
    return tuple(rows)


def broken(normal: Stream) -> Iterable[Row]:
    """Both pressures fall, the far one more, and much more flows in."""
    for number, (time_s, (near, far, flow)) in enumerate(normal):
        yield (time_s, (near - 30, far - 60, flow + 400) if number >= 1 else (near, far, flow))


@cache
def still_ground(days: float, start_s: float = 0.0) -> Stream:
    """Traffic, and no methane."""
    rng = np.random.default_rng(int(start_s) % 1000 + 13)
    count = int(days * DAY_S / STEP_S)
    return tuple(
        (start_s + step * STEP_S, (0.1 + float(rng.exponential(0.05)), 0.3 + float(rng.normal(0, 0.05)), 0.2))
        for step in range(count)
    )


def digging(normal: Stream) -> Iterable[Row]:
    """The ground shakes on and on, and a manhole beside it shows methane."""
    for time_s, (_, methane, other) in normal:
        yield time_s, (9.0, methane + 8, other)


GAUGES = [
    ["a", "regulator_outlet_pressure", "R1", 117.2, 31.8, True],
    ["b", "gas_pressure", "J1", 117.201, 31.8, False],
    ["c", "gas_flow", "P1", 117.2, 31.8, False],
]
LISTENING = [
    ["a", "ground_vibration", "P1", 117.2, 31.8],
    ["b", "methane", "S1", 117.2001, 31.8],
    ["c", "methane", "S3", 117.21, 31.8],
]

EXAMPLES: Mapping[str, Example] = MappingProxyType(
    {
        "gas-network-search": Example(
            {"gauges": GAUGES, "town": TOWN.as_json(), "learn_until_s": None},
            normal=usual_pressures,
            fault=broken,
            outcomes=("gas-main-break", "gas-regulator-fault"),
        ),
        "works-search": Example(
            {"channels": LISTENING, "permits": []},
            normal=still_ground,
            fault=digging,
            outcomes=("gas-works-unpermitted",),
        ),
        "gas-search": Example(
            {"channels": CHANNELS, "town": TOWN.as_json(), "learn_until_s": None},
            normal=quiet_days,
            fault=leaking,
            quantity="pressure",
            outcomes=OUTCOMES,
            most_growth=3.0,
        ),
    }
)
