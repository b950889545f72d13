"""A long main by the second: steady flow stays steady, a wave runs at the speed of sound, and gas is not lost."""

import numpy as np
import pytest

from simulators.physics.gas_transient import LongMain, run_main, steady_main

MAIN = LongMain(cells=96, step_s=0.25, sound_m_s=365.0, diameter_m=0.3, friction=0.013)
INLET_PA, FLOW_KG_S = 1.4e6, 4.0


def _run(seconds: int, drawn_kg_s: float = FLOW_KG_S, hole_mm: float = 0.0, hole_at: int = 40) -> list[np.ndarray]:
    """Rows of pressures with inflow and outflow at their ends."""
    steps = round(seconds / MAIN.step_s)
    drawn = np.full(steps, drawn_kg_s)
    drawn[: steps // 4] = FLOW_KG_S
    hole = np.full(steps, hole_mm)
    hole[: steps // 4] = 0.0
    moments = run_main(MAIN, np.full(steps, INLET_PA), drawn, hole, hole_at)
    return [np.append(moment.pressures_pa, [moment.inflow_kg_s, moment.outflow_kg_s]) for moment in moments]


def test_steady_flow_stays_as_it_is() -> None:
    rows = np.array(_run(600))
    assert np.ptp(rows[:, MAIN.cells]) < 100, "the outlet's pressure wandered by more than 0.1 kPa"
    assert np.ptp(rows[:, -2]) < 0.01 * FLOW_KG_S


def test_what_flows_in_less_what_flows_out_is_packed() -> None:
    rows = np.array(_run(7200, drawn_kg_s=3.0))
    inside_kg = rows[:, : MAIN.cells + 1] @ np.append(np.append(0.5, np.ones(MAIN.cells - 1)), 0.5)
    inside_kg *= MAIN.bore_m2 * MAIN.cell_m / MAIN.sound_m_s**2
    net_kg = float((rows[1:, -2] - rows[1:, -1]).sum()) * MAIN.step_s
    assert net_kg == pytest.approx(float(inside_kg[-1] - inside_kg[0]), rel=0.08)


def test_a_hole_sends_a_wave_both_ways_at_the_speed_of_sound() -> None:
    rows = np.array(_run(400, hole_mm=25.0))
    begun = len(rows) // 4
    for gauge in (20, 70):
        fallen = rows[begun:, gauge] < rows[begun - 1, gauge] - 500
        arrived_s = float(np.argmax(fallen)) * MAIN.step_s
        assert arrived_s == pytest.approx(abs(gauge - 40) * MAIN.step_s, abs=1.0)


def test_a_hole_lets_out_what_is_missing_at_the_outlet() -> None:
    rows = np.array(_run(7200, hole_mm=10.0))
    lost = rows[-1, -2] - rows[-1, -1]
    assert lost == pytest.approx(MAIN.hole_kg_s(float(rows[-1, 40]), 10.0), rel=0.05)


def test_a_main_that_cannot_carry_so_much_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot carry"):
        steady_main(MAIN, INLET_PA, 40.0)
