"""The mean of some rows: what the sensors said over a while, laid into the network model."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.alerts.hydraulics.epanet_model import Array, EpanetModel
from services.alerts.hydraulics.metering import Metering


@dataclass(frozen=True, slots=True)
class Block:
    """The mean of each column from ``start_s`` to ``end_s`` in metres and m3/h (NaN where nothing came).

    ``rise`` is what the columns of tank levels rose meanwhile, in metres. ``swell`` says by area how much the steady
    draw that loses as much head as the unsteady one did exceeds the mean draw (1 where it was steady). ``phases`` has a
    row for each way in which the metered pumps ran: its part of the time and what each pump moved meanwhile.
    """

    start_s: float
    end_s: float
    mean: Array
    rise: Array
    swell: Array
    phases: Array

    @property
    def middle_s(self) -> float:
        """The middle of the block, seconds since 1970."""
        return (self.start_s + self.end_s) / 2


def block_of(metering: Metering, start_s: float, end_s: float, rows: Sequence[Array], before: Array) -> Block:
    """The block of some rows in metres and m3/h; ``before`` is the last row before them."""
    values = np.array(rows)
    heard = np.isfinite(values)
    count = np.maximum(heard.sum(axis=0), 1)
    mean = np.where(heard.sum(axis=0) >= _HEARD * len(values), np.where(heard, values, 0.0).sum(axis=0) / count, np.nan)
    rise = values[-1] - before
    swell = np.ones(len(metering.areas))
    for number, area in enumerate(metering.areas):
        if len(area.metered):
            course = values[:, metering.demand_column].sum(axis=1)
        else:
            course = np.sum([sign * values[:, column] for column, sign in area.inward], axis=0)
        if len(course) > 1 and np.isfinite(course).all() and course.min() > 0:
            swell[number] = np.mean(course**_LOSS_EXPONENT) ** (1 / _LOSS_EXPONENT) / course.mean()
    # What is remembered is remembered in single precision; so that it can be gone on from, it is used so as well.
    phases = _phases(values[:, [metering.flow[pump] for pump in metering.imposed]])
    single = [part.astype(np.float32).astype(np.float64) for part in (mean, rise, swell, phases)]
    return Block(start_s, end_s, *single)


def _phases(moved_m3h: Array) -> Array:
    """Groups rows by which pumps ran: a pump that runs half of the time loses more head than half of its flow would."""
    most, least = moved_m3h.max(axis=0, initial=0.0), moved_m3h.min(axis=0, initial=0.0)
    running = moved_m3h > (most + least) / 2
    patterns, which = np.unique(running, axis=0, return_inverse=True)
    if not 1 < len(patterns) <= _MOST_PHASES or not np.isfinite(moved_m3h).all():
        return np.concatenate([[1.0], moved_m3h.mean(axis=0)])[None]
    groups = [moved_m3h[which.ravel() == number] for number in range(len(patterns))]
    return np.array([[len(group) / len(moved_m3h), *group.mean(axis=0)] for group in groups])


@dataclass(frozen=True, slots=True)
class ActiveLeak:
    """A leak that has been found, as the model has it: where and how much, m3/h."""

    key: str
    asset: str
    flow_m3h: float


@dataclass(frozen=True, slots=True)
class Drawn:
    """What the nodes draw in a block, by node in m3/h.

    ``share`` says by area how its unmetered draw spreads over the nodes; ``spread`` how much a node may differ from
    its part of it (standard deviation); ``surplus`` what entered each area and is not accounted for.
    """

    demand_m3h: Array
    share: tuple[Array, ...]
    spread_m3h: Array
    surplus_m3h: Array
    surplus_deviation_m3h: Array


_WEEK_S = 7 * 86400.0
_MONDAY_S = 4 * 86400.0
"""1970 began on a Thursday; patterns of a week begin on Monday."""
_NODE_SPREAD = 0.3
"""An hour's draw of one node beside its part of the area's, relative: a few households, which hardly agree."""
_METER_CLASS = 0.005
"""Flow meters are trusted to half a percent (class 0.5 of ISO 4064 and OIML R 137 meters in good order)."""
_HEARD = 5 / 6
"""A mean of fewer of a block's rows than this would be one of another time than the other columns' means."""
_LOSS_EXPONENT = 1.852
"""Head loss over flow (Hazen-Williams): an unsteady draw loses more head than its mean would."""
_MOST_PHASES = 4
_LEVEL_RESOLUTION_M = 0.01
_SURPLUS_FLOOR_M3H = 0.2


def drawn(model: EpanetModel, metering: Metering, block: Block, leaks: Sequence[ActiveLeak]) -> Drawn | None:
    """What the nodes draw, the leaks not counted; ``None`` where a meter that the balance needs said nothing.

    The patterns of the model say how the unmetered nodes share what their area draws; how much that is the meters say.
    """
    demand = model.demand_at((block.middle_s - _MONDAY_S) % _WEEK_S)
    usually = demand.copy()
    spread = _NODE_SPREAD * demand
    told = block.mean[metering.demand_column]
    heard = np.isfinite(told)
    demand[metering.demand_node[heard]] = told[heard]
    spread[metering.demand_node[heard]] = 0.0
    leaking = np.zeros(len(model.nodes))
    for leak in leaks:
        leaking = model.with_leak(leaking, leak.asset, leak.flow_m3h)
    surplus = np.zeros(len(metering.areas))
    deviation = np.zeros(len(metering.areas))
    shares = []
    for number, area in enumerate(metering.areas):
        hours = (block.end_s - block.start_s) / 3600
        inward = sum(sign * block.mean[column] for column, sign in area.inward)
        through = sum(abs(block.mean[column]) for column, _ in area.inward)
        stored = sum(size * block.rise[column] for column, size in area.tanks) / hours
        resolved = sum(size * _LEVEL_RESOLUTION_M for _, size in area.tanks) / hours / np.sqrt(6)
        left = inward - stored - demand[area.metered].sum() - leaking[area.nodes].sum()
        if not np.isfinite(left):
            return None
        share = np.zeros(len(model.nodes))
        expected = demand[area.unmetered].sum()
        variance = (_METER_CLASS * through) ** 2 + resolved**2 + _SURPLUS_FLOOR_M3H**2
        if area.accounted:
            # The few unmetered nodes are taken to draw as the metered ones do.
            usual = usually[area.metered].sum()
            scale = demand[area.metered].sum() / usual if usual > 0 else 1.0
            variance += (_NODE_SPREAD * scale * expected) ** 2 / max(len(area.unmetered), 1)
            left -= scale * expected
        else:
            share[area.unmetered] = demand[area.unmetered] / expected
            scale = max(left, 0.05 * expected) / expected
            left = 0.0
        demand[area.unmetered] *= scale
        spread[area.unmetered] *= scale
        demand[area.nodes] *= block.swell[number]
        shares.append(share)
        surplus[number] = left
        deviation[number] = np.sqrt(variance)
    return Drawn(demand + leaking, tuple(shares), spread, surplus, deviation)
