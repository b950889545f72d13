"""Leaks in a district with one metered inlet and a few pressure loggers."""

from collections.abc import Sequence
from math import isfinite
from typing import Any, ClassVar

import numpy as np

from services.alerts.detectors.contract import UNKNOWN, Claim, Score, SearchDetector, State
from services.alerts.detectors.half_hours import HALF_HOUR_S, HalfHours
from services.alerts.detectors.inlet_conditions import HIGH_DEMAND, METER_OFF, Conditions
from services.alerts.detectors.inlet_demand import InletDemand
from services.alerts.detectors.inlet_history import History, sums, sums_of_row
from services.alerts.detectors.inlet_lessons import InletLessons
from services.alerts.detectors.inlet_places import InletPlaces
from services.alerts.detectors.inlet_reference import LEVELLED_M, InletReference, Residual
from services.alerts.detectors.inlet_search import Tried, lead_of_shift, likeliest_leak
from services.alerts.detectors.inlet_shares import Shares
from services.alerts.detectors.open_leak import LEAK, OpenLeak
from services.alerts.detectors.running_covariance import Array
from services.core.finding import FindingState

__all__ = ["HIGH_DEMAND", "LEAK", "METER_OFF", "InletLeak"]

_DAY_ROWS = 48
_LONGEST_ROWS = 10 * _DAY_ROWS
"""How far back a leak may have begun when it is found. Older rows teach how the customers change."""
_UNKNOWN_M = 300.0
"""Without a model the pressure at rest is any that a network may have."""
_SELDOM_ROWS = 4
"""All spans are tried every two hours, the shortest at each row."""
_FOLLOWED_ROWS = 12
"""The meter and the customers are judged four times a day."""
_SHOWN = 4
_SMALLEST_SHARE = 0.004
"""A smaller part of the mean inlet flow is not worth an alarm, and is within what the customers may change."""
_WRONG_REFERENCE = 40.0
"""Evidence for a leak of negative flow beyond which the reference is given up: it was learnt while a leak ran."""
_CONFIRMED = 2.0
"""Evidence that a leak must keep when the errors of the model are allowed for."""
_SHIFT_MARGIN = 5.0
"""By how much evidence a shift has to beat every leak before the logger is distrusted."""
_DISTRUSTED_ROWS = 30 * _DAY_ROWS


class InletLeak(SearchDetector):
    """Finds leaks from what is left of the head losses when the inlet flow has explained all it can.

    If customers draw more, all by the same share, the losses on the way to all loggers grow with the inlet flow to the
    power 1.852, whatever the season or a holiday does. A leak draws at one place, and as much by night as by day: given
    the inlet flow, the losses near it are too high and the others too low. The losses as functions of the flow are
    learnt in the first 14 days (``InletReference``); from the fifth day on it is asked every half hour how many times
    likelier a leak of constant flow makes the residuals than none, for a leak that began at any of some moments of the
    last ten days at any of the places (generalised likelihood ratio). The customers' shares and the meter's factor may
    wander meanwhile and are integrated out; a logger that has merely shifted explains its rows better than a leak does,
    raises no alarm and is left out for a month. The inlet flow is heard by itself too (``InletDemand``): a leak adds to
    it, most noticeably by night, but so do customers who change their habits, so it never decides alone. The limit for
    spans of a week is ``limit``; it grows with the logarithm of the number of spans that fit into a week, so that short
    and long ones give equally few false alarms.

    An open leak is fitted again four times a day. It ends when the rows prefer having no leak to having it by
    ``end_limit`` (one-sided CUSUM of the log-likelihood ratio). A second leak that begins meanwhile is not followed by
    itself: it adds to the first.

    ``loggers`` and ``meter`` are the columns. ``metres`` is one metre of head in the unit of each logger, ``still``
    what each shows while nothing flows. ``responses`` say by which share of itself the loss to each logger changes, per
    share of the inlet flow that leaks, for a leak of each of ``leak_shares`` at each of ``places``: from a model.
    ``doubts`` are the covariances over the loggers of the model's errors in them, for each place. Without a model leaks
    beside each logger are tried whose effect is read off how the customers' moods spread; there are no suspects then.

    Sources: Hazen-Williams formula; Willsky & Jones (1976), generalised likelihood ratio; Page (1954), CUSUM.
    """

    name: ClassVar[str] = "inlet-leak"
    version: ClassVar[str] = "2"

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
        self._lessons = self._no_lessons()
        self._rows = 0
        self._history = History(_LONGEST_ROWS)
        self._reference: InletReference | None = None
        self._effects: InletPlaces | None = None
        self._shares: Shares | None = None
        self._leak: OpenLeak | None = None
        self._demand = InletDemand()
        self._conditions = Conditions((self.meter, *self.loggers[:_SHOWN]))
        self._known_rows = 0
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
        if self._leak is not None:
            self._lessons.let_pass()
        elif (learnt := self._lessons.add(time_s, flow, loss_m)) is not None:
            self._begin(learnt)
        score = UNKNOWN
        if self._reference is not None and self._shares is not None and self._effects is not None:
            self._known_rows += 1
            inflow = self._demand.sums_of_row(time_s, flow, self._reference.mean_flow)
            residual = self._reference.residual(time_s, flow, loss_m)
            if self._leak is None:
                row_sums = sums_of_row(residual, self._reference.mood, inflow, self._demand.trust)
                score = self._search(time_s, row_sums, self._reference, self._shares, self._effects)
            else:
                score = self._follow(residual, self._reference, self._effects, self._leak)
        self._demand.take(time_s, flow, ordinary=self._leak is None)
        self._observe(time_s, score)
        return score

    def _observe(self, time_s: float, score: Score) -> None:
        """What there is to tell beside leaks, once in a while."""
        if self._reference is None or self._shares is None or self._rows % _FOLLOWED_ROWS:
            return
        suspected = self._leak is not None or not score.value <= self.limit / 2
        self._claims += self._conditions.judge_demand(time_s, self._demand, leak=suspected)
        if self._leak is None:
            self._claims += self._conditions.judge_meter(time_s, self._shares, self._reference, self._known_rows)

    def _no_lessons(self) -> InletLessons:
        return InletLessons(LEVELLED_M if self.places else _UNKNOWN_M)

    def _begin(self, reference: InletReference) -> None:
        self._take_up(reference)
        self._shares = Shares.at_first(reference)
        self._history = History(_LONGEST_ROWS)
        self._known_rows = 0

    def _take_up(self, reference: InletReference) -> None:
        self._reference = reference
        self._effects = InletPlaces(reference, self._responses, self._doubts, self.leak_shares)

    def _search(
        self, time_s: float, row_sums: Array, reference: InletReference, shares: Shares, effects: InletPlaces
    ) -> Score:
        shares.wander()
        shares.take(sums(vector) for vector in self._history.add(row_sums))
        least_flow = _SMALLEST_SHARE * reference.mean_flow if self.places else 0.0
        thorough = self._rows % _SELDOM_ROWS == 0
        tried = likeliest_leak(self._history, shares, self._demand, effects, least_flow, thorough=thorough)
        if tried.evidence <= self.limit:
            if tried.negative > _WRONG_REFERENCE:
                self._begin_afresh(time_s)
            return Score(max(tried.evidence, 0.0))
        lead, logger = lead_of_shift(tried)
        if lead > 0:
            if lead > _SHIFT_MARGIN:
                self._distrusted[self.loggers[logger]] = _DISTRUSTED_ROWS
                self._history = History(_LONGEST_ROWS)
            return Score(self.limit)
        return self._raise(time_s, tried, shares, effects)

    def _begin_afresh(self, time_s: float) -> None:
        self._lessons = self._no_lessons()
        self._distrusted = {}
        self._reference = self._effects = self._shares = None
        self._history = History(_LONGEST_ROWS)
        self._claims += self._conditions.forget_meter(time_s)

    def _raise(self, time_s: float, tried: Tried, shares: Shares, effects: InletPlaces) -> Score:
        older, recent = self._history.cut(tried.rows)
        before = shares.copy()
        before.take(sums(vector) for vector in older)
        since_s = time_s - (tried.rows - 1) * HALF_HOUR_S
        # A leak that has long been growing is in the older rows too: then it shows beside what was believed earlier.
        leaks = [OpenLeak(since_s, recent.copy(), each) for each in (before, shares.copy())]
        for each in leaks:
            each.refit(effects)
        leak = max(leaks, key=lambda each: each.evidence)
        least = _SMALLEST_SHARE / 2 * effects.mean_flow if self.places else 0.0
        if leak.evidence < _CONFIRMED or leak.flow <= least:
            # Allowing for the model's errors, nothing is left of it.
            return Score(self.limit)
        self._shares = leak.believed_before.copy()
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
            return self._tell(leak, FindingState.CLEARED)
        if self.places and leak.told[:1] != leak.likeliest(self.places):
            return self._tell(leak, FindingState.CHANGED)
        return Score(max(leak.evidence, 0.0))

    def _tell(self, leak: OpenLeak, state: FindingState) -> Score:
        mean_flow = 1.0 if self._reference is None else self._reference.mean_flow
        self._claims.append(leak.claim(state, (self.meter, *self.loggers[:_SHOWN]), self.places, mean_flow))
        return Score(0.0 if state is FindingState.CLEARED else max(leak.evidence, 0.0), since_s=leak.since_s)

    def state(self) -> dict[str, Any]:
        """The half hour that is open, the rows to learn from, the reference, and what is followed."""
        shares = self._shares
        return {
            "cells": self._cells.state(),
            "lessons": self._lessons.state(),
            "rows": self._rows,
            "distrusted": dict(self._distrusted),
            "history": self._history.state(),
            "reference": None if self._reference is None else self._reference.state(),
            "shares": None if shares is None else shares.state(),
            "known_rows": self._known_rows,
            "demand": self._demand.state(),
            "conditions": self._conditions.state(),
            "leak": None if self._leak is None else self._leak.state(),
            "last": [self._last.value if isfinite(self._last.value) else None, self._last.since_s],
        }

    def restore(self, state: State) -> None:
        """Take up what was remembered."""
        self._cells.restore(state["cells"])
        self._lessons.restore(state["lessons"])
        self._rows = state["rows"]
        self._distrusted = dict(state["distrusted"])
        self._history.restore(state["history"])
        self._claims = []
        value, since_s = state["last"]
        self._last = UNKNOWN if value is None else Score(value, since_s=since_s)
        self._known_rows = state["known_rows"]
        self._demand.restore(state["demand"])
        self._conditions.restore(state["conditions"])
        self._reference = self._effects = self._shares = self._leak = None
        if state["reference"] is not None:
            reference = InletReference.restored(state["reference"])
            self._take_up(reference)
            self._shares = Shares.restored(state["shares"], reference)
            if state["leak"] is not None:
                self._leak = OpenLeak.restored(state["leak"], reference)
