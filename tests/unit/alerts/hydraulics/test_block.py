"""A block keeps what its mean would lose: a pump that runs part of the time, a level beyond the tank of the model."""

import numpy as np
import pytest

from services.alerts.hydraulics.block import block_of
from services.alerts.hydraulics.block_evidence import linearised
from services.alerts.hydraulics.epanet_model import EpanetModel
from services.alerts.hydraulics.ledger import Entry, Ledger
from services.alerts.hydraulics.metering import Channel, Metering

TEXT = """[JUNCTIONS]
before 10 5
behind 10 5
[RESERVOIRS]
source 60
[TANKS]
tower 50 3 0.5 5 10 0
[PIPES]
main source before 800 150 110 0 Open
rising behind tower 300 150 110 0 Open
[PUMPS]
lift before behind POWER 5
[TIMES]
DURATION 24:00
[OPTIONS]
UNITS CMH
HEADLOSS H-W
[END]
"""
CHANNELS = [
    Channel("L.tower", "level", "tower", "m"),
    Channel("P.before", "pressure", "before", "m"),
    Channel("Q.lift", "flow", "lift", "m3/h"),
    Channel("Q.main", "flow", "main", "m3/h"),
]
MODEL = EpanetModel(TEXT)
METERING = Metering(MODEL, CHANNELS)


def pressure_m(*lifted_m3h: float) -> float:
    """What the model takes the pressure before the pump to be when the pump moved so much in equal times."""
    rows = [np.array([3.0, 40.0, lifted, 5.0 + lifted]) for lifted in lifted_m3h]
    linear = linearised(MODEL, METERING, block_of(METERING, 0.0, 7200.0, rows, rows[0]))
    assert linear is not None
    return float(linear.modelled[0])


def test_a_pump_that_runs_half_of_the_time_loses_the_mean_of_both_pressures() -> None:
    running, resting = pressure_m(40, 40), pressure_m(0, 0)
    assert pressure_m(0, 40) == pytest.approx((running + resting) / 2, abs=0.02)
    assert pressure_m(20, 20) > pressure_m(0, 40) + 0.5


def test_the_ways_in_which_the_pumps_ran_survive_the_ledger() -> None:
    rows = [np.array([3.0, 40.0, lifted, 5.0 + lifted]) for lifted in (0.0, 0.0, 40.0)]
    block = block_of(METERING, 0.0, 7200.0, rows, rows[0])
    assert block.phases.tolist() == [[pytest.approx(2 / 3), 0.0], [pytest.approx(1 / 3), 40.0]]
    ledger, again = Ledger(12, 4), Ledger(12, 4)
    ledger.add(Entry(block), None)
    again.restore(ledger.state(), len(CHANNELS))
    assert again.entry(0).block.phases.tolist() == block.phases.tolist()


def test_a_level_above_the_brim_of_the_model_is_taken_for_a_full_tank() -> None:
    demand = np.zeros(len(MODEL.nodes))
    over, full = (MODEL.solve(demand, heads_m={"tower": head_m}).head_m for head_m in (55.4, 55.0))
    assert over.tolist() == full.tolist()
