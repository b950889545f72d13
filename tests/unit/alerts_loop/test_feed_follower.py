"""Which entries of the feed are judged together."""

from hypothesis import given, settings
from hypothesis import strategies as st

from services.alerts.feed_follower import _whole_transactions
from services.core.store.feed import FeedEntry, FeedPosition


def _entries(sizes: list[int]) -> list[FeedEntry]:
    """Entries of transactions with so many zones each."""
    places = [(transaction, zone) for transaction, size in enumerate(sizes, start=1) for zone in range(size)]
    return [
        FeedEntry(FeedPosition(transaction, number), f"zone-{zone}", [], [], [], [], corrects=False)
        for number, (transaction, zone) in enumerate(places)
    ]


@settings(deadline=None)
@given(st.lists(st.integers(1, 8), max_size=12), st.integers(1, 30))
def test_a_cut_never_separates_the_zones_of_one_transaction(sizes: list[int], limit: int) -> None:
    stored = _entries(sizes)
    whole = _whole_transactions(stored[:limit], limit)
    assert whole == stored[: len(whole)]
    judged = {entry.position.transaction_id for entry in whole}
    left = {entry.position.transaction_id for entry in stored[len(whole) :]}
    assert not judged & left
    if len(stored) < limit:
        assert whole == stored, "nothing was cut"


def test_a_transaction_that_fills_the_whole_read_is_left_for_a_larger_one() -> None:
    assert _whole_transactions(_entries([5]), 5) == []
    assert len(_whole_transactions(_entries([5]), 6)) == 5
