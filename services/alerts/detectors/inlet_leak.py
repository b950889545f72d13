"""Leaks in a district with one metered inlet and a few pressure loggers."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, ClassVar

import numpy as np

from services.alerts.detectors.contract import UNKNOWN, Claim, Score, SearchDetector, State, Suspect
from services.alerts.detectors.half_hours import HALF_HOUR_S, HalfHours
from services.alerts.detectors.inlet_history import History, sums, sums_of_row
from services.alerts.detectors.inlet_hypotheses import Scan, Shares, scan
from services.alerts.detectors.inlet_places import InletPlaces
from services.alerts.detectors.inlet_reference import EXPONENT, LEVELLED_M, InletReference, Residual, usable
from services.alerts.detectors.open_leak import OpenLeak
from services.alerts.detectors.running_covariance import Array
from services.core.finding import FindingState
from services.core.severity import Severity

LEAK = "inlet-leak"
"""What its claims about leaks are called."""

_DAY_ROWS = 48
_MONTH_ROWS = 30 * _DAY_ROWS
_WEEK_ROWS = 7 * _DAY_ROWS
_LEARN_AT = (5 * _DAY_ROWS, 7 * _DAY_ROWS, 10 * _DAY_ROWS, 14 * _DAY_ROWS)
"""After how many rows the reference is learnt, ever better, as long as no leak is open."""
_LONGEST_ROWS = 10 * _DAY_ROWS
"""How far back a leak may have begun when it is found. Older rows teach how the customers change."""
_UNKNOWN_M = 300.0
"""Without a model the pressure at rest is any that a network may have."""
_FREQUENT_SPANS = 7
_SELDOM_ROWS = 4
"""The few shortest spans are tried at each row, all of them every two hours."""
_MOOD_WANDERS = 0.01
"""Variance by which the customers' shares wander in a month, beside that of their moods in half an hour."""
_METER_WANDERS = 0.02
"""Standard deviation by which the meter's factor wanders in a month: meters drift by a few percent."""
_METER_DOUBT = 0.005
_SMALLEST_SHARE = 0.004
"""A smaller part of the mean inlet flow is not worth an alarm, and is within what the customers may change."""
_LARGE_SHARE = 0.05
_WRONG_REFERENCE = 40.0
"""Evidence for a leak of negative flow beyond which the reference is given up: it was learnt while a leak ran."""
_CONFIRMED = 2.0
"""Evidence that a leak must keep when the errors of the model are allowed for."""
_SHIFT_MARGIN = 5.0
"""By how much evidence a shift has to beat every leak before the logger is distrusted."""
_DISTRUSTED_ROWS = 30 * _DAY_ROWS
_SUSPECTS = 10
_LEAST_CHANCE = 0.005
_SHOWN = 4


class InletLeak(SearchDetector):
    """Finds leaks from what is left of the head losses when the inlet flow has explained all it can.

    If customers draw more, all by the same share, the losses on the way to all loggers grow with the inlet flow to the
    power 1.852, whatever the season or a holiday does. A leak draws at one place, and as much by night as by day: given
    the inlet flow, the losses near it are too high and the others too low. The losses as functions of the flow are
    learnt in the first 14 days (``InletReference``); from the fifth day on it is asked every half hour how many times
    likelier a leak of constant flow makes the residuals than none, for a leak that began at any of some moments of the
    last ten days at any of the places (generalised likelihood ratio). The customers' shares and the meter's factor may
    wander meanwhile and are integrated out; a logger that has merely shifted explains its rows better than a leak does,
    raises no alarm and is left out for a month. The limit for spans of a week is ``limit``; it grows with the logarithm
    of the number of spans that fit into a week, so that short and long ones give equally few false alarms.

    An open leak is fitted again four times a day. It ends when the rows prefer having no leak to having it by
    ``end_limit`` (one-sided CUSUM of the log-likelihood ratio).

    ``loggers`` and ``meter`` are the columns. ``metres`` is one metre of head in the unit of each logger, ``still``
    what each shows while nothing flows. ``responses`` say by which share of itself the loss to each logger changes, per
    share of the inlet flow that leaks, for a leak of each of ``leak_shares`` at each of ``places``: from a model.
    ``doubts`` are the covariances over the loggers of the model's errors in them, for each place. Without a model leaks
    beside each logger are tried whose effect is read off how the customers' moods spread; there are no suspects then.

    Sources: Hazen-Williams formula; Willsky & Jones (1976), generalised likelihood ratio; Page (1954), CUSUM.
    """

    name: ClassVar[str] = "inlet-leak"
    version: ClassVar[str] = "1"

    def __init__(  # noqa: PLR0917  # three columns of facts and four of the model, which belong together
        self,
        loggers: Sequence[str],
        meter: str,
        metres: Sequence[float],
        still: Sequence[float],
        places: Sequence[str] = (),
        leak_shares: Sequence[float] = (),
        responses: Sequence[Sequence[Sequence[float]]] = (),
        doubts: Sequence[Sequence[Sequence[float]]] = (),
        *,
        limit: float = 14.0,
        end_limit: float = 8.0,
    ) -> None:
        self.loggers = tuple(loggers)
        self.meter = meter
        self.columns = (*self.loggers, meter)
        self.places = tuple(places)
        self.leak_shares = tuple(leak_shares)
        self.limit = limit
        self.end_limit = end_limit
        self._metres: Array = np.array(metres, dtype=np.float64)
        self._still: Array = np.array(still, dtype=np.float64)
        self._responses: Array = np.array(responses, dtype=np.float64)
        self._doubts: Array = np.array(doubts, dtype=np.float64)
        self._cells = HalfHours(len(self.columns))
        self._distrusted: dict[str, int] = {}
        self._learnt: list[list[float]] = []
        self._rows = 0
        self._history = History(_LONGEST_ROWS)
        self._reference: InletReference | None = None
        self._effects: InletPlaces | None = None
        self._shares: Shares | None = None
        self._leak: OpenLeak | None = None
        self._claims: list[Claim] = []
        self._last = UNKNOWN

    def configuration(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "loggers": list(self.loggers),
            "meter": self.meter,
            "metres": self._metres.tolist(),
            "still": self._still.tolist(),
            "places": list(self.places),
            "leak_shares": list(self.leak_shares),
            "responses": self._responses.tolist(),
            "doubts": self._doubts.tolist(),
            "limit": self.limit,
            "end_limit": self.end_limit,
        }

    def score(self, time_s: float, row: Sequence[float]) -> Score:
        """The evidence for a leak, less what the limit asks of its span; of an open leak, the evidence for it."""
        self._claims = []
        for end_s, mean_row in self._cells.add(time_s, row):
            self._last = self._judge(end_s, mean_row)
        return self._last

    def claims(self) -> Sequence[Claim]:
        """What changed with the row scored last."""
        return tuple(self._claims)

    def _judge(self, time_s: float, row: Sequence[float]) -> Score:
        flow = row[-1]
        if not isfinite(flow) or flow <= 0:
            return self._last
        loss_m = (self._still - np.array(row[:-1])) / self._metres
        loss_m[[logger in self._distrusted for logger in self.loggers]] = np.nan
        self._distrusted = {logger: rows - 1 for logger, rows in self._distrusted.items() if rows > 1}
        self._rows += 1
        if self._leak is None:
            self._learn(time_s, flow, loss_m)
        if self._reference is None or self._shares is None or self._effects is None:
            return UNKNOWN
        residual = self._reference.residual(time_s, flow, loss_m)
        if self._leak is None:
            return self._search(time_s, residual, self._reference, self._shares, self._effects)
        return self._follow(residual, self._reference, self._effects, self._leak)

    def _learn(self, time_s: float, flow: float, loss_m: Array) -> None:
        """Keep a row of the first days and learn the reference from all of them when it is time."""
        if self._rows > _LEARN_AT[-1]:
            return
        self._learnt.append([time_s, flow, *(value if isfinite(value) else float("nan") for value in loss_m.tolist())])
        if self._rows not in _LEARN_AT:
            return
        table = usable(self._learnt)
        if len(table) >= _LEARN_AT[0] // 2:
            datum_m = LEVELLED_M if self.places else _UNKNOWN_M
            self._begin(InletReference.learnt(table[:, 0], table[:, 1], table[:, 2:], datum_m))
        if self._rows == _LEARN_AT[-1]:
            self._learnt = []

    def _begin(self, reference: InletReference) -> None:
        self._take_up(reference)
        meter = reference.whitening @ (EXPONENT * reference.steady_loss_m)
        covariance = reference.share_covariance + _METER_DOUBT**2 * np.outer(meter, meter)
        self._shares = Shares(np.zeros(len(self.loggers)), covariance, _wandering(reference))
        self._history = History(_LONGEST_ROWS)

    def _take_up(self, reference: InletReference) -> None:
        self._reference = reference
        self._effects = InletPlaces(reference, self._responses, self._doubts, self.leak_shares)

    def _search(
        self, time_s: float, residual: Residual, reference: InletReference, shares: Shares, effects: InletPlaces
    ) -> Score:
        shares.wander()
        shares.take(sums(vector) for vector in self._history.add(sums_of_row(residual, reference.mood)))
        lengths, totals = self._history.since(None if self._rows % _SELDOM_ROWS == 0 else _FREQUENT_SPANS)
        found = scan(sums(totals), shares, effects.effects[0], effects.shifts)
        asked = np.log(np.maximum(_WEEK_ROWS / lengths, 1.0))
        misfit = np.maximum(found.misfit, 1.0)
        enough = found.flow > (_SMALLEST_SHARE * reference.mean_flow if self.places else 0.0)
        evidence = np.where(enough, found.evidence, 0.0) / misfit[:, None] - asked[:, None]
        span, place = (int(each) for each in np.unravel_index(np.argmax(evidence), evidence.shape))
        best = float(evidence[span, place])
        if best <= self.limit:
            if self._was_learnt_wrongly(found, misfit, lengths):
                self._begin_afresh()
            return Score(max(best, 0.0))
        shifted = found.shifted[span] / misfit[span] - asked[span]
        if float(shifted.max()) > best:
            if float(shifted.max()) > best + _SHIFT_MARGIN:
                self._distrusted[self.loggers[int(shifted.argmax())]] = _DISTRUSTED_ROWS
                self._history = History(_LONGEST_ROWS)
            return Score(self.limit)
        return self._raise(time_s, int(lengths[span]), shares, effects)

    def _was_learnt_wrongly(self, found: Scan, misfit: Array, lengths: Array) -> bool:
        """Whether water seems to be put into the network for half a day at least: the reference had a leak in it."""
        negative = -found.evidence[lengths >= _DAY_ROWS // 2] / misfit[lengths >= _DAY_ROWS // 2, None]
        return bool(negative.size and negative.max() > _WRONG_REFERENCE)

    def _begin_afresh(self) -> None:
        self._rows = 0
        self._distrusted = {}
        self._learnt = []
        self._reference = self._effects = self._shares = None
        self._history = History(_LONGEST_ROWS)

    def _raise(self, time_s: float, rows: int, shares: Shares, effects: InletPlaces) -> Score:
        older, recent = self._history.cut(rows)
        before = shares.copy()
        before.take(sums(vector) for vector in older)
        leak = OpenLeak(time_s - (rows - 1) * HALF_HOUR_S, recent, before)
        leak.refit(effects)
        least = _SMALLEST_SHARE / 2 * effects.mean_flow if self.places else 0.0
        if leak.evidence < _CONFIRMED or leak.flow <= least:
            # Allowing for the model's errors, nothing is left of it.
            return Score(self.limit)
        self._shares = before.copy()
        self._history = History(_LONGEST_ROWS)
        self._leak = leak
        return self._tell(leak, FindingState.RAISED)

    def _follow(self, residual: Residual, reference: InletReference, effects: InletPlaces, leak: OpenLeak) -> Score:
        shares = self._shares
        if shares is not None:
            shares.wander()
        if leak.follow(residual, reference, effects, self.end_limit):
            self._leak = None
            self._history.add(sums_of_row(residual, reference.mood))
            if self._rows < _LEARN_AT[-1]:
                # What was kept to learn from ends where the leak began.
                self._rows = len(self._learnt)
            return self._tell(leak, FindingState.CLEARED)
        if self._suspects(leak)[:1] and leak.told[:1] != (self._suspects(leak)[0].asset,):
            return self._tell(leak, FindingState.CHANGED)
        return Score(max(leak.evidence, 0.0))

    def _suspects(self, leak: OpenLeak) -> tuple[Suspect, ...]:
        if not self.places:
            return ()
        order = np.argsort(-leak.chances, kind="stable")[:_SUSPECTS]
        return tuple(
            Suspect(self.places[place], float(leak.chances[place]))
            for place in order
            if leak.chances[place] >= _LEAST_CHANCE
        )

    def _tell(self, leak: OpenLeak, state: FindingState) -> Score:
        suspects = self._suspects(leak)
        leak.told = tuple(suspect.asset for suspect in suspects)
        size = leak.flow if self.places else None
        mean_flow = 1.0 if self._reference is None else self._reference.mean_flow
        large = size is not None and size >= _LARGE_SHARE * mean_flow
        severity = Severity.NORMAL if state is FindingState.CLEARED else Severity.MAJOR if large else Severity.MODERATE
        claim = Claim(
            LEAK,
            leak.key,
            state,
            severity,
            leak.evidence,
            leak.since_s,
            (self.meter, *self.loggers[:_SHOWN]),
            suspects,
            value=size,
            seen={"flow": size, "evidence": leak.evidence, "mean_inlet_flow": mean_flow},
        )
        self._claims.append(claim)
        return Score(0.0 if state is FindingState.CLEARED else max(leak.evidence, 0.0), since_s=leak.since_s)

    def state(self) -> dict[str, Any]:
        """The half hour that is open, the rows to learn from, the reference, and what is followed."""
        shares = self._shares
        return {
            "cells": self._cells.state(),
            "learnt": [[value if isfinite(value) else None for value in row] for row in self._learnt],
            "rows": self._rows,
            "distrusted": dict(self._distrusted),
            "history": self._history.state(),
            "reference": None if self._reference is None else self._reference.state(),
            "shares": None if shares is None else [shares.mean.tolist(), shares.covariance.tolist()],
            "leak": None if self._leak is None else self._leak.state(),
            "last": [self._last.value if isfinite(self._last.value) else None, self._last.since_s],
        }

    def restore(self, state: State) -> None:
        """Take up what was remembered."""
        self._cells.restore(state["cells"])
        self._learnt = [[float("nan") if value is None else value for value in row] for row in state["learnt"]]
        self._rows = state["rows"]
        self._distrusted = dict(state["distrusted"])
        self._history.restore(state["history"])
        self._claims = []
        value, since_s = state["last"]
        self._last = UNKNOWN if value is None else Score(value, since_s=since_s)
        self._reference = self._effects = self._shares = self._leak = None
        if state["reference"] is not None:
            self._restore_reference(InletReference.restored(state["reference"]), state)

    def _restore_reference(self, reference: InletReference, state: Mapping[str, Any]) -> None:
        self._take_up(reference)
        step = _wandering(reference)
        mean, covariance = (np.array(part, dtype=np.float64) for part in state["shares"])
        self._shares = Shares(mean, covariance, step)
        if state["leak"] is not None:
            self._leak = OpenLeak.restored(state["leak"], step)


def _wandering(reference: InletReference) -> Array:
    """The covariance by which the whitened losses at the mean flow wander in a row."""
    meter = reference.whitening @ (EXPONENT * reference.steady_loss_m)
    step: Array = (np.diag(reference.mood) * _MOOD_WANDERS + _METER_WANDERS**2 * np.outer(meter, meter)) / _MONTH_ROWS
    return step
