"""Places in the stream of events."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.store.events import EventPosition

numbers = st.integers(0, 2**63 - 1)


@given(numbers, numbers)
def test_a_position_is_read_as_it_was_written(transaction_id: int, number: int) -> None:
    position = EventPosition(transaction_id, number)
    assert EventPosition.parse(str(position)) == position


def test_the_transaction_counts_before_the_number() -> None:
    assert EventPosition(1, 9) < EventPosition(2, 1) < EventPosition(2, 2)


@pytest.mark.parametrize(
    "text", ["", "-", "1", "1-", "-1", "+1-1", " 1-1", "1-1\n", "１-１", "1_0-1", f"{2**63}-1", f"1-{2**63}"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a position"):
        EventPosition.parse(text)
