"""Gas in soil: what comes first, what comes at all."""

import numpy as np
import pytest

from services.alerts.gas.soil import Plume, arrival_h, danger_radius_m, thinned
from services.alerts.gas.town import Duct, Ground, Pipe, Space, Town


def _town(*, is_paved: bool, ducts: tuple[Duct, ...] = ()) -> Town:
    return Town(
        (117.2, 31.8),
        (Pipe("P", ((0.0, 0.0), (4.0, 0.0)), 1.0, is_paved, "fill"),),
        (
            Space("near", (2.0, 3.0), "telecom-manhole", 2.0, False),
            Space("far", (2.0, 20.0), "telecom-manhole", 2.0, False),
            Space("beyond", (2.0, 95.0), "telecom-manhole", 2.0, False),
        ),
        (),
        ducts,
    )


def test_what_is_further_shows_less_and_later() -> None:
    plume = Plume(Ground(_town(is_paved=False)))
    assert plume.strength[0, 0] > plume.strength[0, 1] > 0
    assert plume.hours[0, 0] < plume.hours[0, 1]
    assert plume.strength[0, 2] == 0, "gas that no soil carries that far"


def test_paving_carries_gas_further_and_sooner() -> None:
    assert thinned(15, "fill", is_paved=True) > 3 * thinned(15, "fill", is_paved=False)
    assert arrival_h(15, "fill", is_paved=True) < arrival_h(15, "fill", is_paved=False) / 2


def test_a_duct_carries_gas_where_soil_does_not() -> None:
    plume = Plume(Ground(_town(is_paved=True, ducts=(Duct("far", "beyond", 75.0),))))
    assert plume.strength[0, 2] > 0
    assert plume.hours[0, 2] > plume.hours[0, 1]
    assert np.isfinite(plume.hours[0, 2])


@pytest.mark.parametrize("is_paved", [True, False])
def test_the_radius_grows_with_what_is_measured_and_is_never_nothing(is_paved: bool) -> None:
    radii = [danger_radius_m(lel, 8.0, "fill", is_paved=is_paved) for lel in (0.1, 5.0, 20.0, 80.0)]
    assert radii == sorted(radii)
    assert radii[0] >= 5.0
    assert radii[-1] <= 70.0
    assert radii[-1] > radii[0]
