"""What was found is kept right: a second burst is no repair, flows are corrected, noise is taken as it is."""

import numpy as np

from services.alerts.detectors.contract import Claim
from services.alerts.hydraulics.block import ActiveLeak, Block, block_of
from services.alerts.hydraulics.evidence_maker import EvidenceMaker
from services.alerts.hydraulics.followed import FollowedLeak
from services.alerts.hydraulics.leak_search import LeakSearch
from services.alerts.hydraulics.learning import likeliest
from services.alerts.hydraulics.ledger import Entry
from services.alerts.hydraulics.metering import Channel
from services.alerts.hydraulics.model_doubts import Beliefs
from services.alerts.hydraulics.noise import noise_scales
from services.alerts.hydraulics.picture import Picture
from services.alerts.hydraulics.refitting import nearest_leak, refitted
from services.core.finding import FindingState
from services.core.severity import Severity
from tests.unit.alerts.hydraulics.small_network import CHANNELS, MONDAY_S, ROW_S, network_text, rows

DAY_S = 86400.0
PLACE = "south2_2"
_ROWS_A_BLOCK = 4


def picture_of(days: float, leaks: dict[str, tuple[float, float, float]], modelled_m3h: float = 0.0) -> Picture:
    """A picture with the blocks of so many days, in which a leak at ``PLACE`` is followed from the sixth day on."""
    maker = EvidenceMaker(network_text(), [Channel(*channel) for channel in CHANNELS], 1)
    picture = Picture(maker)
    given = [np.array(row) * maker.metering.factor for _, row in rows(days, leaks)]
    active = (ActiveLeak("leak-1", PLACE, modelled_m3h),) if modelled_m3h else ()
    for first in range(0, len(given), _ROWS_A_BLOCK):
        runs = first * ROW_S >= 5 * DAY_S
        picture.ledger.entries.append(Entry(_block(maker, given, first), active if runs else ()))
    picture.beliefs = Beliefs(resistance=0.03, draw=0.1, offset_m=0.01)
    picture.ledger.refill(maker.evidences)
    if modelled_m3h:
        picture.leaks["leak-1"] = FollowedLeak(
            "leak-1", PLACE, modelled_m3h, 0.5, 0, 0, 0.0, 50.0, (), (), modelled_m3h, Severity.MODERATE, 0
        )
    return picture


def _block(maker: EvidenceMaker, given: list[np.ndarray], first: int) -> Block:
    start_s = MONDAY_S + first * ROW_S
    return block_of(
        maker.metering, start_s, start_s + 7200, given[first : first + _ROWS_A_BLOCK], given[max(first - 1, 0)]
    )


def test_a_second_burst_is_not_taken_for_the_repair_of_the_first_leak() -> None:
    detector = LeakSearch(network_text(), CHANNELS, MONDAY_S + 4 * DAY_S)
    told: list[Claim] = []
    for time_s, row in rows(7, {PLACE: (12.0, 4.5, 9.0), "east0_3": (25.0, 5.5, 9.0)}):
        detector.score(time_s, row)
        told += detector.claims()
    states = [claim.state for claim in told]
    assert FindingState.CLEARED not in states
    assert states.count(FindingState.RAISED) == 2


def test_a_leak_that_loses_more_than_modelled_gets_its_flow() -> None:
    picture = picture_of(7, {PLACE: (15.0, 5.0, 9.0)}, modelled_m3h=5.0)
    assert nearest_leak(picture, picture.link_index[PLACE]) == "leak-1"
    assert refitted(picture, "leak-1", 0)
    assert 7 < picture.leaks["leak-1"].flow_m3h < 17
    assert not refitted(picture, "leak-1", 0), "it is left alone for a while"


def test_noise_is_as_large_as_it_is_seen_and_not_as_it_is_usual() -> None:
    picture = picture_of(5, {})
    everything = picture.ledger.parts[0].evidence
    for part in picture.ledger.parts[1:]:
        if everything is not None and part.evidence is not None:
            everything = everything + part.evidence
    assert everything is not None
    picture.beliefs = likeliest(everything, picture.maker.doubts, {}, leaking=False).beliefs
    scales = noise_scales(picture)
    pressures = scales[: len(picture.maker.metering.pressure)]
    assert len(set(pressures.tolist())) == 1
    assert 1 / 16 <= pressures[0] < 1
