"""What the language of SensorThings says, and what it does not."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.sensorthings.expression import Binary, Call, Literal, Not, Path, parse_expression
from services.core.sensorthings.query_options import MOST, parse_options
from services.core.sensorthings.resource_path import Step, parse_path
from services.core.sensorthings.tokens import QueryNotValidError


def test_and_binds_more_tightly_than_or_and_products_more_than_sums() -> None:
    a, b, c = (Path((name,)) for name in "abc")
    assert parse_expression("a or b and c") == Binary("or", a, Binary("and", b, c))
    one, two, three = (Literal(float(number)) for number in (1, 2, 3))
    assert parse_expression("1 add 2 mul 3") == Binary("add", one, Binary("mul", two, three))
    assert parse_expression("not a and b") == Binary("and", Not(a), b)


def test_a_quote_in_a_text_is_written_twice() -> None:
    assert parse_expression("name eq 'it''s'") == Binary("eq", Path(("name",)), Literal("it's"))
    assert parse_expression("length('a,b')") == Call("length", (Literal("a,b"),))


def test_paths_stand_in_one_expand_beside_one_another() -> None:
    options = parse_options(
        [("$expand", "Datastreams/Sensor,Datastreams/Observations($top=1;$filter=result gt 1),Locations")]
    )
    assert set(options.expand) == {"Datastreams", "Locations"}
    inner = options.expand["Datastreams"].expand
    assert set(inner) == {"Sensor", "Observations"}
    assert inner["Observations"].top == 1


def test_more_than_a_page_is_a_page() -> None:
    assert parse_options([("$top", "99999")]).top == MOST


def test_steps_of_a_path_may_hold_slashes_in_quotes() -> None:
    assert parse_path("Things('a/b')/Datastreams") == (Step("Things", "a/b"), Step("Datastreams"))
    assert parse_path("Things(5)/name/$value") == (Step("Things", "5"), Step("name"), Step("$value"))


@given(st.text(), st.sampled_from(["$filter", "$orderby", "$expand", "$select", "$top", "$skip", "$count"]))
def test_any_text_is_understood_or_refused(text: str, option: str) -> None:
    for parse in (lambda: parse_options([(option, text)]), lambda: parse_path(text)):
        with contextlib.suppress(QueryNotValidError):
            parse()


@pytest.mark.parametrize("text", ["(" * 41 + "1" + ")" * 41, "not " * 3000, "a or " * 300 + "a", "x" * 9000])
def test_what_is_too_deep_or_too_long_is_refused(text: str) -> None:
    with pytest.raises(QueryNotValidError):
        parse_expression(text)
