"""How water runs through the sewers, backs up and stands on the street: for many suppositions side by side.

A step solves the balance of every node for the level at its end (implicit in time), with the flow of every sewer from
the levels at its ends: the diffusive wave, which knows backwater and surcharge but no inertia. The network is
eliminated from its heads to its outfalls; the few links that close a ring see the level of the iteration before.

Sources: diffusive wave and Manning's formula (SWMM reference manual, volume II, chapters 3 and 5); Preissmann's slot.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from services.alerts.sewers.devices import Devices
from services.alerts.sewers.elimination import Elimination
from services.alerts.sewers.pipe_sections import DEPTH_STEPS, Array, position, tables
from services.alerts.sewers.sewer_network import SewerNetwork

_LEAST_FALL_M = 1e-3
"""Under a smaller difference of level the flow is taken as proportional to it: its slope would be endless."""
_FREE = 0.6
"""Depth at a free end as a share of that at the beginning: between critical and normal depth."""
_SHAFT_M2 = 1.2
_ROOT_OF_GRAVITY = 9.81**0.5
_ITERATIONS = 8
_SHORTER = 0.4
_STIRRED_M_S = 0.05 / 300
_MOST_CHANGE_M = 0.6
_CLOSE_M = 2e-3


@dataclass(frozen=True, slots=True)
class Supposition:
    """One way in which the network may be: what is silted, shut, out of action, how high the river stands."""

    silted: Mapping[str, float] = field(default_factory=dict)
    opened: Mapping[str, float] = field(default_factory=dict)
    stopped: frozenset[str] = frozenset()
    raised_m: Mapping[str, float] = field(default_factory=dict)
    added_m3s: Mapping[str, float] = field(default_factory=dict)


class FlowRouting:
    """Levels of all nodes under each supposition, one column for each."""

    def __init__(self, network: SewerNetwork, suppositions: Sequence[Supposition] = (Supposition(),)) -> None:
        self.network = network
        self.names = list(network.nodes)
        self.node = {name: k for k, name in enumerate(self.names)}
        self.suppositions = list(suppositions)
        self._width = len(self.suppositions)
        self._lay_nodes()
        self._lay_conduits()
        self._lay_devices()
        self._lay_tree()
        self.head_m = np.repeat(self._invert[:, None], self._width, axis=1)
        self._hold_outfalls()
        self.left_over_m3 = np.zeros_like(self.head_m)
        self.most_m_s = 0.0
        self.running = np.zeros((len(network.devices), self._width), dtype=bool)
        self.flow_m3s = np.zeros((len(network.conduits), self._width))
        self.device_m3s = np.zeros((len(network.devices), self._width))

    def _lay_nodes(self) -> None:
        nodes = list(self.network.nodes.values())
        self._invert = np.array([n.invert_m for n in nodes])
        self._rim = np.array([n.depth_m for n in nodes])[:, None]
        self._ponded = np.array([n.ponded_m2 for n in nodes])[:, None]
        self._base = np.array([n.base_m2 if n.is_basin else _SHAFT_M2 for n in nodes])[:, None]
        self._spread = np.array([n.spread_m2_per_m for n in nodes])[:, None]
        self._is_outfall = np.array([n.outfall_m is not None for n in nodes])
        usual = np.array([n.outfall_m if n.outfall_m is not None else 0.0 for n in nodes])
        raised = np.zeros((len(nodes), self._width))
        added = np.zeros((len(nodes), self._width))
        for column, supposed in enumerate(self.suppositions):
            for name, rise_m in supposed.raised_m.items():
                raised[self.node[name], column] += rise_m
            for name, inflow_m3s in supposed.added_m3s.items():
                added[self.node[name], column] += inflow_m3s
        self.usual_m = np.repeat(usual[:, None], self._width, axis=1)
        self.raised_m = raised
        self.risen = 1.0
        self.added_m3s = added

    def _lay_conduits(self) -> None:
        conduits = self.network.conduits
        self._from = np.array([self.node[c.start] for c in conduits], dtype=np.int64)
        self._to = np.array([self.node[c.end] for c in conduits], dtype=np.int64)
        self._size = np.array([c.diameter_m for c in conduits])[:, None]
        self._length = np.array([max(c.length_m, 5.0) for c in conduits])[:, None]
        self._barrels = np.array([float(c.barrels) for c in conduits])[:, None]
        self._conveys = self._barrels * self._size ** (8 / 3) / np.array([c.roughness for c in conduits])[:, None]
        self._at_start = self._invert[self._from][:, None] + np.array([c.start_offset_m for c in conduits])[:, None]
        self._at_end = self._invert[self._to][:, None] + np.array([c.end_offset_m for c in conduits])[:, None]
        self._fall = np.maximum((self._at_start - self._at_end) / self._length, 0.0)
        silted = np.zeros((len(conduits), self._width))
        place = {c.id: k for k, c in enumerate(conduits)}
        for column, supposed in enumerate(self.suppositions):
            for name, share in supposed.silted.items():
                silted[place[name], column] = share
        self._silted = silted
        # Half of each sewer belongs to each of its nodes.
        ends = np.concatenate((self._from, self._to))
        links = np.arange(len(ends))
        ones = np.ones(len(ends))
        self._gather = csr_array((ones, (ends, links)), shape=(len(self.names), len(ends)))

    def _lay_devices(self) -> None:
        devices = self.network.devices
        self._starting = np.array([self.node[d.start] for d in devices], dtype=np.int64)
        self._ending = np.array([self.node[d.end] for d in devices], dtype=np.int64)
        self.devices = Devices(devices, self._invert[self._starting])
        opened = np.ones((len(devices), self._width))
        for column, supposed in enumerate(self.suppositions):
            for k, device in enumerate(devices):
                if device.id in supposed.stopped:
                    opened[k, column] = 0.0
                opened[k, column] *= supposed.opened.get(device.id, 1.0)
        self._opened = opened

    def _lay_tree(self) -> None:
        starts = np.concatenate((self._from, self._starting))
        ends = np.concatenate((self._to, self._ending))
        count, names = len(starts), len(self.names)
        links, ones = np.arange(count), np.ones(count)
        self._out = csr_array((ones, (starts, links)), shape=(names, count))
        self._in = csr_array((ones, (ends, links)), shape=(names, count))
        pairs = list(zip(starts.tolist(), ends.tolist(), strict=True))
        held = np.flatnonzero(self._is_outfall).tolist()
        self._elimination = Elimination(names, pairs, held, int(np.argmin(self._invert)))

    def _hold_outfalls(self) -> None:
        outside_m = self.usual_m + self.risen * self.raised_m
        self.head_m[self._is_outfall] = np.maximum(outside_m, self._invert[:, None])[self._is_outfall]

    def set_outside(self, levels_m: Mapping[str, float]) -> None:
        """What is known of the levels before the outfalls from now on.

        Suppositions add to it what they raise, as far as the share ``risen`` of it.
        """
        for name, level_m in levels_m.items():
            self.usual_m[self.node[name]] = level_m

    @property
    def is_stirred(self) -> bool:
        """Whether levels still change so fast that a long step would smear it."""
        return self.most_m_s > _STIRRED_M_S

    def depth_m(self) -> Array:
        """Water above the invert of every node."""
        depth: Array = self.head_m - self._invert[:, None]
        return depth

    def advance(self, seconds: float, inflow_m3s: Array, steps: int) -> None:
        """Go on for some seconds with one inflow for each node, or one for each node and supposition."""
        before = self.head_m
        inflow = inflow_m3s[:, None] if inflow_m3s.ndim == 1 else inflow_m3s
        for _ in range(steps):
            self._step(seconds / steps, inflow + self.added_m3s)
        self.most_m_s = float(np.abs(self.head_m - before)[:, 0].max()) / seconds

    def _step(self, seconds: float, inflow_m3s: Array) -> None:
        self._hold_outfalls()
        # What the iterations left over a step before is not lost: it is in the balance of this one.
        before = self._volume()[0] + self.left_over_m3
        self.running = self.devices.switched(self.head_m[self._starting], self.running)
        reach = np.full_like(self.head_m, _MOST_CHANGE_M)
        last = np.zeros_like(self.head_m)
        for _ in range(_ITERATIONS):
            volume, surface = self._volume()
            flow, by_start, by_end = self._flows()
            # The balance of a node and what it changes with the levels: Newton's method.
            rest = before + seconds * (inflow_m3s + self._in @ flow - self._out @ flow) - volume
            slope = surface + seconds * (self._out @ by_start - self._in @ by_end)
            change = self._elimination.solve(rest, slope, seconds * by_start, seconds * by_end)
            # Where a sewer fills, its flow bends sharply and Newton's steps swing to and fro: each swing is shorter.
            reach = np.where(change * last < 0, reach * _SHORTER, reach)
            np.clip(change, -reach, reach, out=change)
            last = change
            self.head_m = np.maximum(self.head_m + change, self._invert[:, None])
            if float(np.abs(change).max()) < _CLOSE_M:
                break
        count = len(self.network.conduits)
        flow, _, _ = self._flows()
        self.flow_m3s, self.device_m3s = flow[:count], flow[count:]
        rest = before + seconds * (inflow_m3s + self._in @ flow - self._out @ flow) - self._volume()[0]
        self.left_over_m3 = np.where(self._is_outfall[:, None], 0.0, rest)

    def _volume(self) -> tuple[Array, Array]:
        """Water in every node with its halves of the sewers, and the surface with which it grows."""
        depth = self.head_m - self._invert[:, None]
        rim = np.where(self._ponded > 0, self._rim, np.inf)
        inside = np.minimum(depth, rim)
        street = depth - inside
        volume = self._base * inside + self._spread * inside**2 / 2 + self._ponded * street
        surface = np.where(street > 0, self._ponded, self._base + self._spread * inside)
        over = np.concatenate((self.head_m[self._from] - self._at_start, self.head_m[self._to] - self._at_end))
        size = np.concatenate((self._size, self._size))
        silted = np.concatenate((self._silted, self._silted))
        index, part = position(silted, over / size)
        shape = tables()
        area = shape.area[index] * (1 - part) + shape.area[index + 1] * part
        slot = shape.width[-1]
        half = np.concatenate((self._length * self._barrels, self._length * self._barrels)) / 2
        full = over > size
        held = np.where(over > 0, size**2 * area + np.where(full, slot * size * (over - size), 0.0), 0.0)
        # The slope of the table, so that volume and surface belong together.
        rises = (shape.area[index + 1] - shape.area[index]) * (DEPTH_STEPS * size)
        wide = np.where(full, slot * size, np.where(over > 0, np.maximum(rises, slot * size), 0.0))
        return volume + self._gather @ (half * held), surface + self._gather @ (half * wide)

    def _flows(self) -> tuple[Array, Array, Array]:
        """Flow of every link, and how it changes with the levels at its start and end."""
        pipe = self._pipe_flows()
        start, end = self.head_m[self._starting], self.head_m[self._ending]
        device = self.devices.flows(start, end, self._opened, self.running)
        flow, by_start, by_end = (np.concatenate(pair) for pair in zip(pipe, device, strict=True))
        return flow, by_start, by_end

    def _pipe_flows(self) -> tuple[Array, Array, Array]:
        start, end = self.head_m[self._from], self.head_m[self._to]
        sediment = self._silted * self._size
        floor_start, floor_end = self._at_start + sediment, self._at_end + sediment
        backwards = end > start
        up = np.where(backwards, end, start)
        down = np.where(backwards, start, end)
        up_at = np.where(backwards, self._at_end, self._at_start)
        down_at = np.where(backwards, self._at_start, self._at_end)
        up_floor = np.where(backwards, floor_end, floor_start)
        down_floor = np.where(backwards, floor_start, floor_end)
        depth_up = np.maximum(up - up_floor, 0.0)
        free = down_floor + np.minimum(_FREE * depth_up, _FREE * self._size)
        drowned = down > free
        down = np.where(drowned, down, free)
        fall = np.maximum(up - down, 0.0)
        share = 0.5 * ((up - up_at) + (down - down_at)) / self._size
        conveys, rises = self._conveyance(share)
        small = fall < _LEAST_FALL_M
        root = np.sqrt(np.where(small, _LEAST_FALL_M, fall))
        steep = np.where(small, fall / root, root) / np.sqrt(self._length)
        by_fall = np.where(small, 1 / root, 0.5 / root) / np.sqrt(self._length)
        flow = conveys * steep
        by_up = rises * 0.5 * steep + conveys * by_fall
        by_down = np.where(drowned, rises * 0.5 * steep - conveys * by_fall, 0.0)
        by_up = np.where(drowned, by_up, by_up + rises * 0.5 * _FREE * steep - conveys * by_fall * _FREE)
        most, most_rises = self._most_m3s((up - up_at) / self._size, down - down_at > up - up_at)
        limited = ~backwards & (up - up_at < self._size) & (self._fall > 0) & (most < flow)
        flow = np.where(limited, most, flow)
        by_up = np.where(limited, most_rises, by_up)
        by_down = np.where(limited, 0.0, by_down)
        dry = up <= up_floor
        flow, by_up, by_down = (np.where(dry, 0.0, each) for each in (flow, by_up, by_down))
        by_up, by_down = np.maximum(by_up, 0.0), np.minimum(by_down, 0.0)
        return (
            np.where(backwards, -flow, flow),
            np.where(backwards, -by_down, by_up),
            np.where(backwards, -by_up, by_down),
        )

    def _most_m3s(self, share: Array, rising: NDArray[np.bool_]) -> tuple[Array, Array]:
        """What a sewer with a free surface carries at most at the depth of its beginning, and how that rises per metre.

        Where the water grows deeper on its way, what runs at that depth on the slope of the floor (SWMM's limit of
        normal flow); where it is drawn down, as much as passes without becoming rapid, if that is more.
        """
        normal, normal_rises = self._conveyance(share)
        slope = np.sqrt(self._fall)
        index, part = position(self._silted, share)
        shape = tables().critical
        low, high = shape[index], shape[index + 1]
        scale = _ROOT_OF_GRAVITY * self._barrels * self._size**2.5
        critical = scale * (low + (high - low) * part)
        drawn = ~rising & (critical > normal * slope)
        rises = scale * (high - low) * DEPTH_STEPS / self._size
        return np.where(drawn, critical, normal * slope), np.where(drawn, rises, normal_rises * slope)

    def _conveyance(self, share: Array) -> tuple[Array, Array]:
        """Conveyance in m3/s, and how it rises per metre."""
        index, part = position(self._silted, share)
        shape = tables().conveyance
        low, high = shape[index], shape[index + 1]
        value = self._conveys * (low + (high - low) * part)
        inner = (share > 0) & (share < 1)
        return value, np.where(inner, self._conveys * (high - low) * DEPTH_STEPS / self._size, 0.0)
