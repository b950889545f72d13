"""Modes that were tracked in raw windows are judged like gauges, although windows come a few times a day."""

import numpy as np

from services.alerts.structures.causes import CAUSES, STIFFNESS
from services.alerts.structures.channels import ALL
from services.alerts.structures.structure_search import StructureSearch
from services.core.finding import FindingState
from simulators.bridge_benchmark.case import Case, readings_of
from simulators.bridge_benchmark.recording import Extent, bridge_of

EXTENT = Extent(days=196, learnt_days=180)
EVERY_H = 4
_DAY_S = 86400.0


def test_a_softened_span_is_told_by_modes_that_are_seen_six_times_a_day() -> None:
    bridge, _ = bridge_of(1, 1, EXTENT)
    gauges = [gauge for gauge in bridge.gauges if gauge.quantity in ALL]
    names = [gauge.quantity.replace("spectral_peak", "tracked_mode") for gauge in gauges]
    channels = [(gauge.id, name, gauge.asset, gauge.unit) for gauge, name in zip(gauges, names, strict=True)]
    readings = readings_of(bridge, Case("x", "stiffness-loss", 1, 10.0, "%"), EXTENT.onset, EXTENT.hours)
    rows = np.array([readings[gauge.id] for gauge in gauges]).T
    between = np.arange(len(rows)) % EVERY_H != 0
    seldom = [place for place, name in enumerate(names) if name.startswith("tracked_mode")]
    rows[np.ix_(between, seldom)] = np.nan
    assert len(seldom) == 4
    # Nothing but the modes and the weather, so that nothing else can have told it.
    slow = [place for place, gauge in enumerate(gauges) if gauge.id in {"air", "wind", "humidity", "deck-1", "deck-2"}]
    kept = sorted([*seldom, *slow])
    search = StructureSearch(
        [channels[place] for place in kept], {cause: cause for cause in CAUSES}, EXTENT.learnt_days * _DAY_S
    )
    told = []
    for hour, row in zip(EXTENT.hours.tolist(), rows[:, kept].tolist(), strict=True):
        search.score(hour * 3600, row)
        told += [(hour, claim.outcome) for claim in search.claims() if claim.state is FindingState.RAISED]
    onset_h = float(EXTENT.hours[EXTENT.onset])
    assert all(hour > onset_h for hour, _ in told), f"told before anything happened: {told}"
    assert any(outcome == STIFFNESS and hour - onset_h <= 7 * 24 for hour, outcome in told), f"told was {told}"
