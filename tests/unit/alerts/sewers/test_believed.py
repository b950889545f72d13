"""A forecast is made under what is believed; what changes no water, or is hardly believed, changes no forecast."""

import numpy as np
import pytest

from services.alerts.sewers.believed import believed_columns
from services.alerts.sewers.flow_routing import Supposition
from services.alerts.sewers.suspicions import SOUND, Cause, Suspicion


def suspicion(cause: Cause, asset: str) -> Suspicion:
    return Suspicion(cause, asset, 0.8, Supposition(), 0.1)


SUSPECTED = [SOUND, suspicion(Cause.BLOCKAGE, "C1"), suspicion(Cause.SENSOR, "level-1"), suspicion(Cause.PUMP, "PU1")]


def test_a_gauge_that_is_wrong_leaves_the_sewers_sound() -> None:
    assert believed_columns(SUSPECTED, np.array([0.1, 0.3, 0.6, 0.0])) == pytest.approx({0: 0.7, 1: 0.3})


def test_what_is_hardly_believed_is_left_out_and_the_shares_add_up() -> None:
    told = believed_columns(SUSPECTED, np.array([0.02, 0.95, 0.0, 0.03]))
    assert told == pytest.approx({1: 1.0})


def test_belief_that_is_spread_over_many_leaves_the_sewers_sound() -> None:
    many = [SOUND, *(suspicion(Cause.BLOCKAGE, f"C{k}") for k in range(50))]
    assert believed_columns(many, np.array([0.0, *np.full(50, 0.02)])) == {0: 1.0}


def test_only_a_few_are_looked_at() -> None:
    many = [SOUND, *(suspicion(Cause.BLOCKAGE, f"C{k}") for k in range(9))]
    assert len(believed_columns(many, np.full(10, 0.1))) == 5
