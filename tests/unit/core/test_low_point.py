"""What a warning asks for at low points."""

from dataclasses import replace

from services.core.cap_message import read_message
from services.core.low_point import LowPoint, StormTask, covers, preparations
from services.core.severity import Severity
from tests.unit.core.test_cap_message import RAINSTORM

WARNING = read_message(RAINSTORM.encode())
INSIDE, OUTSIDE = (117.05, 31.05), (117.2, 31.05)
UNDERPASS = LowPoint("LP-1", "person-1", ("PU-1",), 2, 300, 0, Severity.MODERATE)


def test_a_place_in_the_area_gets_its_people_and_material() -> None:
    asked = list(preparations(WARNING, [UNDERPASS], {"LP-1": INSIDE}))
    assert [(each.task, each.quantity) for each in asked] == [
        (StormTask.PERSON, 1),
        (StormTask.MOBILE_PUMPS, 2),
        (StormTask.SANDBAGS, 300),
    ], "what is not needed is not asked for"


def test_a_place_outside_the_area_or_below_its_level_gets_nothing() -> None:
    assert not list(preparations(WARNING, [UNDERPASS], {"LP-1": OUTSIDE}))
    patient = replace(UNDERPASS, prepare_from=Severity.CRITICAL)
    assert not list(preparations(WARNING, [patient], {"LP-1": INSIDE}))


def test_a_warning_without_an_area_is_for_everywhere() -> None:
    everywhere = replace(WARNING, areas=())
    assert list(preparations(everywhere, [UNDERPASS], {"LP-1": OUTSIDE}))


def test_a_place_that_nobody_can_find_counts_as_inside() -> None:
    assert covers(WARNING, None)


def test_heat_prepares_nothing() -> None:
    heat = replace(
        WARNING,
        event=replace(WARNING.event, en="Heat", zh="高温"),
        headline=replace(WARNING.headline, en="Heat", zh="高温"),
    )
    assert not list(preparations(heat, [UNDERPASS], {"LP-1": INSIDE}))


def test_an_area_with_a_bay_does_not_hold_the_bay() -> None:
    bay = ((0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (2.0, 1.0), (0.0, 4.0), (0.0, 0.0))
    warning = replace(WARNING, areas=(bay,))
    assert covers(warning, (0.5, 1.0))
    assert not covers(warning, (2.0, 2.0))
