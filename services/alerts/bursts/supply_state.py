"""The state of a network as its meters have it now, and what its instruments show beside it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.alerts.bursts.parts import Part, parts_of
from services.alerts.detectors.contract import State
from services.alerts.hydraulics.epanet_model import Array, EpanetModel, HydraulicState
from services.alerts.hydraulics.head_response import head_response, link_slopes
from services.alerts.hydraulics.metering import Channel, Metering

_PRESSURE_DEVIATION_M = 0.05
"""Noise of one reading of a pressure transmitter of class 0.1 with a range of half a megapascal."""
_FLOW_DEVIATION = 0.01
_LEAST_FLOW_DEVIATION_M3H = 1.0
"""Noise of one reading of a flow meter, relative and at least."""
_DRAW_DEVIATION = 0.1
"""How far one node's draw strays from its part of the whole within hours: it stands for some hundred households."""
_FREE_SHARE = 1.0
_FREE_HEAD_M = 10.0
"""What a part draws and the head of a source are what the instruments say; these widths only keep the fit possible
while instruments are silent."""
_RELINEARISED_AT = 0.1
_RELINEARISED_AT_M = 1.0
"""Relative change of what a part draws, and of the head of a source, beyond which the answers are worked out anew."""
_SETTLED = 0.02
_SETTLED_M = 0.1
"""The same for the fit to go on."""
_RATIO_DEVIATION = 0.05
"""How far what one part draws strays beside what the others draw, from experience with districts of a few thousand."""
_LITTLE = 0.01
"""A part that changes by less of all that is drawn changes nobody else's heads."""
_MOST_ROUNDS = 8
_LEVEL_ERROR_M = 0.03
_NUDGE_M = 0.5
_LEAST_SHARE = 0.02
_WILD_M_PER_M3H = 20.0
"""A response beyond this is that of a part which closed valves have cut off from every source."""


@dataclass(frozen=True, slots=True)
class Answers:
    """How what is measured answers, about one state.

    ``drawing`` is the change by node for every m3/h that is drawn there; ``known`` that by what is fitted: the share of
    each part, then the heads of the sources; ``noise`` the covariance of what the fit leaves by a priori knowledge.
    """

    drawing: Array
    known: Array
    noise: Array


@dataclass(frozen=True, slots=True)
class Departure:
    """What the instruments show beside the model that was fitted to them, NaN where one is silent.

    After the instruments follow the parts: what each draws, relative to its usual draw, beside what all others do.
    ``left`` makes of a change of what is measured what the fit would leave of it here.
    """

    residual: Array
    left: Array


class SupplyState:
    """Follows how much each part of a network draws and the heads of its sources, by what is measured.

    Nodes share what their part draws as the model says; tanks stand as measured. Everything measured counts by its
    noise (generalised least squares), so that a leak, which no share of the parts explains, is left over.

    Source: Andersen and Powell, Proc. ICE Water and Maritime Engineering 142 (2000), for the state of a network as the
    least-squares fit of its demands to what is measured.
    """

    def __init__(self, network: str, channels: Sequence[Channel]) -> None:
        """Open the model, with one of ``channels`` for each column.

        Raises:
            NetworkUnreadableError: EPANET refuses the text.
            ArithmeticError: the model has no solution for its mean demands.
        """
        self.model = EpanetModel(network)
        self.metering = Metering(self.model, channels)
        self.parts = parts_of(self.model, self.metering)
        self.links = np.array(list(self.metering.flow), dtype=np.intp)
        self.columns = np.array([*self.metering.pressure, *self.metering.flow.values()], dtype=np.intp)
        drawn = [part.draw_m3h for part in self.parts]
        rest = np.where(self.model.is_junction, self._usual() - sum(drawn, np.zeros(len(self.model.nodes))), 0.0)
        self._draws: Array = np.array([each for each in (*drawn, rest) if each.sum() > 0])
        self.parts = self._with_ratios()
        self._ratio_count = len({int(each) for part in self.parts for each in part.measured if each >= self.size})
        fixed = ~self.model.is_junction
        fixed[list(self.metering.level)] = False
        self._sources = np.flatnonzero(fixed)
        self._begin()

    @property
    def size(self) -> int:
        """How many instruments there are; what a departure tells after them is what the parts draw."""
        return len(self.columns)

    def _with_ratios(self) -> tuple[Part, ...]:
        """The parts, of each of which that draws anything it is also known how much that is beside the others."""
        number, found = self.size, []
        for part in self.parts:
            if part.draw_m3h.sum() > 0:
                found.append(replace(part, measured=np.append(part.measured, number)))
                number += 1
            else:
                found.append(part)
        return tuple(found)

    def _usual(self) -> Array:
        means = np.array([pattern.mean() for pattern in self.model.patterns])
        usual: Array = np.maximum(self.model.base_demand_m3h @ means, 0.0)
        return usual

    def _begin(self) -> None:
        self.shares: Array = np.ones(len(self._draws))
        self.heads_m: Array = self.model.solve(self._usual()).head_m[self._sources]
        self.shut: frozenset[int] = frozenset()
        self.shown: Array = np.full(self.size, np.nan)
        self._levels_m: dict[int, float] = {}
        self._about: tuple[Array, Array, dict[int, float]] | None = None
        self._answers: Answers | None = None
        self._fits: dict[bytes, tuple[Array, Array]] = {}

    def shut_links(self, links: frozenset[int]) -> None:
        """From now on these links are shut, and no others."""
        self.shut = links
        self._about, self._answers, self._fits = None, None, {}

    def take(self, values: Array) -> Departure | None:
        """Fit the state to a row of values in metres and m3/h; ``None`` where the model finds no solution for it."""
        for node, column in self.metering.level.items():
            if np.isfinite(values[column]):
                self._levels_m[node] = float(values[column])
        measured = values[self.columns]
        heard = np.isfinite(measured)
        if not heard.any():
            return None
        try:
            return self._fitted(measured, heard)
        except ArithmeticError:
            self._begin()
            return None

    def _fitted(self, measured: Array, heard: NDArray[np.bool_]) -> Departure:
        for _ in range(_MOST_ROUNDS):
            self._linearise_where_needed()
            gain, left = self._fit(heard)
            self.shown = self.seen(self.solved(self.shares, self.heads_m))
            beside = np.where(heard, measured - self.shown, 0.0)
            step = gain @ beside
            count = len(self.shares)
            share_step, head_step = step[:count], step[count:]
            changed = np.maximum(self.shares + share_step, _LEAST_SHARE)
            settled = not self._differs(changed, self.shares, _SETTLED)
            self.shares, self.heads_m = changed, self.heads_m + head_step
            if settled and np.abs(head_step).max(initial=0.0) < _SETTLED_M:
                break
        residual = np.where(heard, (left @ beside)[: len(heard)], np.nan)
        return Departure(np.concatenate([residual, self._ratios(heard)]), left)

    def _ratios(self, heard: NDArray[np.bool_]) -> Array:
        """What each part draws beside what the others do; unknown while one of its meters is silent."""
        known = [bool(heard[self._meters_of(part)].all()) for part in self.parts if part.draw_m3h.sum() > 0]
        ratios = self.shares / self._others(self.shares)
        return np.where(known, ratios[: len(known)], np.nan)

    def draw_m3h(self, part: Part, departure: Departure) -> float:
        """What a part draws as it was fitted last, NaN where it draws nothing or one of its meters was silent."""
        number = int(part.measured[-1]) - self.size
        if number < 0 or not np.isfinite(departure.residual[self.size + number]):
            return float("nan")
        return float(self.shares[number] * part.draw_m3h.sum())

    def _meters_of(self, part: Part) -> NDArray[np.intp]:
        is_meter = (part.measured >= len(self.metering.pressure)) & (part.measured < self.size)
        return part.measured[is_meter]

    def _others(self, shares: Array) -> Array:
        """By part, how much all others draw relative to what they usually do; 1 where there are none."""
        usual_m3h = self._draws.sum(axis=1)
        others_m3h = usual_m3h.sum() - usual_m3h
        drawn_m3h = shares @ usual_m3h - shares * usual_m3h
        return np.where(others_m3h > 0, drawn_m3h / np.where(others_m3h > 0, others_m3h, 1.0), 1.0)

    def _differs(self, shares: Array, before: Array, most: float) -> bool:
        """Whether a part draws otherwise than before, beside what it drew and what all draw together."""
        by_part = self._draws.sum(axis=1)
        little = _LITTLE * float(before @ by_part)
        change = np.abs(shares - before)
        return bool(((change > most * before) & (change * by_part > little)).any())

    def solved(
        self,
        shares: Array,
        heads_m: Array,
        extra: Sequence[tuple[int, float]] = (),
        shut: frozenset[int] | None = None,
    ) -> HydraulicState:
        """The network while its parts draw these shares of what they usually do, and ``extra`` m3/h at some nodes.

        ``shut`` are the links that are shut instead of those that are.

        Raises:
            ArithmeticError: EPANET finds no solution.
        """
        drawn = shares @ self._draws
        for node, flow_m3h in extra:
            drawn[node] += flow_m3h
        closed = [self.model.links[link] for link in sorted(self.shut if shut is None else shut)]
        return self.model.solve(drawn, heads_m=self._held(heads_m), closed=closed)

    def _held(self, heads_m: Array) -> dict[str, float]:
        model = self.model
        held = {model.nodes[node]: float(head) for node, head in zip(self._sources, heads_m, strict=True)}
        for node, level_m in self._levels_m.items():
            held[model.nodes[node]] = float(model.elevation_m[node]) + self._standing_m(node, level_m)
        return held

    def _standing_m(self, node: int, level_m: float) -> float:
        """A tank's level; within its gauge's error of a limit it stands there, and gives or takes nothing more."""
        return next((each for each in self.model.tank_limits_m(node) if abs(level_m - each) <= _LEVEL_ERROR_M), level_m)

    def seen(self, state: HydraulicState) -> Array:
        """What the instruments would show: pressures (m), then flows (m3/h). In an empty pipe none shows a pressure."""
        pressure_m = np.maximum(state.pressure_m[self.metering.pressure_node], 0.0)
        return np.concatenate([pressure_m, state.flow_m3h[self.links]])

    @property
    def answers(self) -> Answers:
        """How what is measured answers about the present state.

        Raises:
            RuntimeError: nothing has been taken yet.
        """
        if self._answers is None:
            raise RuntimeError("no row has been taken yet")
        return self._answers

    def _linearise_where_needed(self) -> None:
        if self._about is not None:
            shares, heads_m, levels_m = self._about
            moved = self._differs(self.shares, shares, _RELINEARISED_AT)
            risen = np.abs(self.heads_m - heads_m).max(initial=0.0) > _RELINEARISED_AT_M
            filled = levels_m.keys() != self._levels_m.keys() or any(
                abs(self._levels_m[node] - level_m) > _RELINEARISED_AT_M for node, level_m in levels_m.items()
            )
            if not (moved or risen or filled):
                if self._answers is None:
                    self._linearise(*self._about)
                return
        self._about = (self.shares, self.heads_m, dict(self._levels_m))
        self._linearise(*self._about)

    def _linearise(self, shares: Array, heads_m: Array, levels_m: dict[int, float]) -> None:
        """Work out the answers about a state, which is remembered so that a restart works out the same ones."""
        present, self._levels_m = self._levels_m, levels_m
        try:
            state = self.solved(shares, heads_m)
            base = self.seen(state)
            by_head = [
                (self.seen(self.solved(shares, heads_m + nudge)) - base) / _NUDGE_M
                for nudge in np.eye(len(heads_m)) * _NUDGE_M
            ]
        finally:
            self._levels_m = present
        drawing = self._drawing(state)
        known = np.column_stack([*(drawing @ draw for draw in self._draws), *by_head])
        stray = drawing * (_DRAW_DEVIATION * (shares @ self._draws))
        count = len(self.metering.pressure)
        flow = np.maximum(_FLOW_DEVIATION * np.abs(base[count:]), _LEAST_FLOW_DEVIATION_M3H)
        noise = stray @ stray.T + np.diag(np.concatenate([np.full(count, _PRESSURE_DEVIATION_M), flow]) ** 2)
        self._answers = Answers(drawing, known, noise)
        self._fits = {}

    def _drawing(self, state: HydraulicState) -> Array:
        model, count = self.model, len(self.metering.pressure)
        ends = [int(node) for link in self.links for node in model.ends[link]]
        response = head_response(model, state, [*self.metering.pressure_node, *ends])
        response[:, np.abs(response).max(axis=0) > _WILD_M_PER_M3H] = 0.0
        slope = link_slopes(model, state)[self.links]
        flows = (response[count::2] - response[count + 1 :: 2]) / slope[:, None]
        return -np.vstack([response[:count], flows])

    @property
    def sources(self) -> NDArray[np.intp]:
        """The nodes whose heads are fitted, in the order of ``heads_m``."""
        return self._sources

    @property
    def noise(self) -> Array:
        """The covariance, by a priori knowledge, of all that a departure tells."""
        size, count = self.size, self._ratio_count
        noise = np.zeros((size + count, size + count))
        noise[:size, :size] = self.answers.noise
        noise[size:, size:] = np.eye(count) * _RATIO_DEVIATION**2
        return noise

    def left(self, change: Array, heard: NDArray[np.bool_]) -> Array:
        """What the fit leaves of a change of what is measured."""
        answer: Array = self._fit(heard)[1] @ change
        return answer

    def as_ratios(self, shares: Array) -> Array:
        """How a change of the shares shows among what a departure tells."""
        ratios: Array = (shares / self._others(self.shares))[: self._ratio_count]
        return np.concatenate([np.zeros(self.size), ratios])

    def _fit(self, heard: NDArray[np.bool_]) -> tuple[Array, Array]:
        """What is measured to what is fitted, and to what the fit leaves; nothing comes from what is silent."""
        key = heard.tobytes()
        if key not in self._fits:
            answers = self.answers
            position = np.flatnonzero(heard)
            known = answers.known[position]
            weighted = np.linalg.solve(answers.noise[np.ix_(position, position)], known)
            # Of the state that was linearised, so that what is kept of a fit does not depend on when it was made.
            shares = self.shares if self._about is None else self._about[0]
            free = np.concatenate([_FREE_SHARE * shares, np.full(len(self.heads_m), _FREE_HEAD_M)])
            gain = np.zeros((known.shape[1], len(heard)))
            gain[:, position] = np.linalg.solve(known.T @ weighted + np.diag(free**-2.0), weighted.T)
            if len(self._fits) >= _MOST_ROUNDS:
                self._fits.clear()
            ratios = gain[: self._ratio_count] / self._others(shares)[: self._ratio_count, None]
            self._fits[key] = (gain, np.vstack([np.eye(len(heard)) - answers.known @ gain, ratios]))
        return self._fits[key]

    def explained(self, change: Array, heard: NDArray[np.bool_]) -> tuple[Array, Array]:
        """By how much a change of what is measured moves the fitted shares and heads."""
        moved = self._fit(heard)[0] @ change
        return moved[: len(self.shares)], moved[len(self.shares) :]

    def state(self) -> dict[str, Any]:
        """The fitted state, and the one about which the answers were worked out."""
        about = None
        if self._about is not None:
            shares, heads_m, levels_m = self._about
            about = [shares.tolist(), heads_m.tolist(), sorted(levels_m.items())]
        return {
            "shares": self.shares.tolist(),
            "heads_m": self.heads_m.tolist(),
            "levels_m": sorted(self._levels_m.items()),
            "about": about,
            "shut": sorted(self.shut),
        }

    def restore(self, state: State) -> None:
        """Go on from a fitted state."""
        self._begin()
        self.shares = np.array(state["shares"], dtype=np.float64)
        self.heads_m = np.array(state["heads_m"], dtype=np.float64)
        self._levels_m = {int(node): level_m for node, level_m in state["levels_m"]}
        self.shut = frozenset(state["shut"])
        if state["about"] is not None:
            shares, heads_m, levels_m = state["about"]
            levels = {int(node): level_m for node, level_m in levels_m}
            self._about = (np.array(shares, dtype=np.float64), np.array(heads_m, dtype=np.float64), levels)
