"""How high methane comes, and how it gets there, tells what it is."""

from services.alerts.gas.trouble import LEAK
from tests.unit.alerts.gas.spaces import outcomes, told


def _filling(hours: float) -> float:
    """A manhole that fills to the brim within two hours, without any unrest."""
    return min(99.0, 45.0 * max(0.0, hours))


def _fumes(hours: float) -> float:
    """Exhaust that drifts in for twenty minutes."""
    return 7.0 if 0.0 < hours <= 1 / 3 else 0.0


def test_a_dry_manhole_that_fills_to_the_brim_is_a_leak_within_two_hours_however_smoothly() -> None:
    leaks = [hours for hours, claim in told({"tel": _filling}, hours=6) if claim.outcome == LEAK]
    assert leaks
    assert leaks[0] <= 2.0, "a full manhole was held for a faulty device"


def test_fumes_that_pass_are_no_leak() -> None:
    assert LEAK not in outcomes(told({"tel": _fumes}, hours=6))
