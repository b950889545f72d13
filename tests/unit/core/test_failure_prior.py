"""What makes an asset suspicious before anything is measured, and what a broken past adds."""

import pytest

from services.core.asset import Asset
from services.core.failure_prior import break_factor, broke_before, failure_prior, with_breaks
from services.core.lifeline import Lifeline
from services.core.text import Text


def _pipe(**properties: object) -> Asset:
    return Asset("P", Lifeline.WATER, "pipe", "Z", Text("P", "P"), {}, properties=properties)


def test_old_cast_iron_is_more_prone_than_new_ductile_iron_however_it_is_written() -> None:
    old = failure_prior(_pipe(material="Cast Iron", built=1965))
    assert old == failure_prior(_pipe(material="cast-iron", built=1965)) > failure_prior(_pipe(built=2024))


def test_breaks_before_raise_a_suspect_and_leave_the_sum_and_equals_alone() -> None:
    shares = [("a", 0.4), ("b", 0.3), ("c", 0.2)]
    assert with_breaks(shares, {}) == with_breaks(shares, {"elsewhere": 3}) == shares
    weighed = with_breaks(shares, {"b": 2})
    assert [asset for asset, _ in weighed] == ["b", "a", "c"]
    assert sum(share for _, share in weighed) == pytest.approx(0.9)
    assert dict(weighed)["a"] / dict(weighed)["c"] == pytest.approx(2)


def test_one_asset_never_outweighs_its_neighbours_without_limit() -> None:
    assert break_factor(0) == 1.0
    assert break_factor(1) > 1.0
    assert break_factor(1000) == break_factor(6)


def test_breaks_are_said_in_both_languages_and_never_when_there_were_none() -> None:
    assert broke_before(0) is None
    assert broke_before(1) == Text("1 confirmed break before", "此前有1次经确认的破损")
