"""What is learnt from rows with gaps and spikes leaves the regressions usable."""

import numpy as np

from services.alerts.detectors.column_regression import ColumnRegression
from tests.unit.alerts.detectors.streams import related

SENSORS = 12
FLOORS = (0.1,) * SENSORS


def taught(rows: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> ColumnRegression:
    regression = ColumnRegression(FLOORS, ridge=0.001, warm_up=100, memory_rows=2000)
    for row in rows.tolist():
        regression.learn(row)
    return regression


def left_over(regression: ColumnRegression) -> float:
    """The largest deviation of a residual, over all sensors, on rows that are normal."""
    residuals = [regression.residual(np.array(row)) for row in related(200, 9, sensors=SENSORS).tolist()]
    return float(np.std(residuals, axis=0).max())


def test_an_outage_of_one_sensor_spoils_no_regression() -> None:
    rows = related(900, 4, sensors=SENSORS)
    undisturbed = left_over(taught(rows))
    rows[400:700, 3] = np.nan
    rows[450:600, 7] = np.nan
    assert left_over(taught(rows)) < 1.2 * undisturbed


def test_a_spiky_sensor_spoils_no_regression() -> None:
    rows = related(900, 4, sensors=SENSORS)
    undisturbed = left_over(taught(rows))
    rows[400:700:5, 3] += 200
    assert left_over(taught(rows)) < 1.2 * undisturbed


def test_a_sensor_that_stays_elsewhere_is_learnt_anew() -> None:
    rows = related(4000, 4, sensors=SENSORS)
    rows[1000:, 3] += 30
    regression = taught(rows)
    row = related(1, 9, sensors=SENSORS)[0]
    row[3] += 30
    assert abs(regression.residual(row)[3]) < 15
