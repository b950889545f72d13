"""Digging: with a permit, without one, and beside a manhole that shows methane."""

from services.alerts.detectors.contract import Claim
from services.alerts.gas.works_search import WorksSearch
from services.core.finding import FindingState
from services.core.severity import Severity

CHANNELS = [["shake", "ground_vibration", "P1", 117.2, 31.8], ["tel", "methane", "S1", 117.2001, 31.8]]
HOUR_ROWS = 12


def _told(
    shaking: list[float], methane: float = 0.3, permits: list[list[float]] | None = None, after: int = 0
) -> list[Claim]:
    search = WorksSearch(CHANNELS, permits or [])
    rows = [0.2] * (24 * HOUR_ROWS) + shaking + [0.2] * after
    claims: list[Claim] = []
    for number, value in enumerate(rows):
        search.score(300.0 * number, [value, methane])
        claims += search.claims()
    return claims


def test_a_digger_without_a_permit_is_told_once_and_ended_when_it_is_quiet() -> None:
    found = _told([8.0] * 6, after=4 * HOUR_ROWS)
    assert [claim.state for claim in found] == [FindingState.RAISED, FindingState.CLEARED]
    assert found[0].severity is Severity.MODERATE
    assert found[0].suspects[0].asset == "P1"


def test_a_lorry_that_passes_is_no_digger() -> None:
    assert _told([9.0, 0.2, 0.2, 0.2, 0.2, 0.2, 9.0]) == []


def test_with_a_permit_nothing_is_told_and_beyond_its_reach_or_time_all_is() -> None:
    here, late = [0.0, 1e6, 117.2, 31.8, 20.0], [1e6, 2e6, 117.2, 31.8, 20.0]
    far = [0.0, 1e6, 117.21, 31.8, 20.0]
    assert _told([8.0] * 6, permits=[here]) == []
    assert _told([8.0] * 6, permits=[late])
    assert _told([8.0] * 6, permits=[far])


def test_methane_near_the_digging_makes_it_graver_and_is_named() -> None:
    found = _told([8.0] * 6, methane=9.0)
    assert found[0].severity is Severity.MAJOR
    assert found[0].fields is not None
    assert "tel" in found[0].fields["near"].en  # type: ignore[union-attr]  # a text in two languages
