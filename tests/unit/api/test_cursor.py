"""Cursors of lists."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rfc9457 import Problem

from services.api import cursor


@given(st.datetimes(timezones=st.just(UTC)), st.uuids())
def test_a_cursor_gives_back_what_it_was_made_of(moment: datetime, identifier: UUID) -> None:
    made = cursor.encode(moment, identifier)
    assert cursor.decode(made) == (moment, identifier)
    assert "=" not in made


def test_no_cursor_is_the_first_page() -> None:
    assert cursor.decode(None) is None


@given(st.text())
def test_any_other_text_is_refused_and_never_an_error(text: str) -> None:
    with pytest.raises(Problem) as refused:
        cursor.decode(text)
    assert refused.value.status == 422
