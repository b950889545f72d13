"""The options of a question: which entities, what of them, in which order, how many, and what beside them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from services.core.sensorthings.expression import Expression, parse_expression
from services.core.sensorthings.tokens import QueryNotValidError, split_outside

MOST = 1000
"""Entities on one page; asked for more, the service answers so many and says where they go on."""
USUAL = 100
_FARTHEST = 100_000_000
_MOST_EXPANSIONS = 30
_MOST_PARTS = 60
_DEEPEST = 6
_FLAGS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Order:
    """One thing to order by."""

    by: Expression
    descending: bool = False


@dataclass(slots=True)
class QueryOptions:
    """What a question asks for; ``expand`` maps the name of a relation to the options of what stands behind it.

    ``select`` without names means every property. ``given`` are the options as they were written.
    """

    filter: Expression | None = None
    orderby: tuple[Order, ...] = ()
    select: tuple[str, ...] = ()
    top: int = USUAL
    skip: int = 0
    count: bool = False
    data_array: bool = False
    expand: "dict[str, QueryOptions]" = field(default_factory=dict)
    given: dict[str, str] = field(default_factory=dict)


def parse_options(pairs: Iterable[tuple[str, str]], depth: int = 0) -> QueryOptions:
    """The options of a request's query; names without ``$`` that are not known are left alone.

    Raises:
        QueryNotValidError: an option is unknown, given twice or not understood.
    """
    found = QueryOptions()
    for name, text in pairs:
        option = "$resultFormat" if name == "resultFormat" else name
        if option in found.given:
            raise QueryNotValidError(option, "given twice")
        if option.startswith("$"):
            _apply(found, option, text, depth)
            found.given[option] = text
    return found


def _apply(found: QueryOptions, option: str, text: str, depth: int) -> None:
    match option:
        case "$filter":
            found.filter = parse_expression(text)
        case "$orderby":
            found.orderby = tuple(_order(part) for part in split_outside(text, ",", option))
        case "$select":
            found.select = tuple(part.strip() for part in text.split(","))
        case "$top":
            found.top = min(_whole(text, option), MOST)
        case "$skip":
            found.skip = _whole(text, option)
        case "$count":
            found.count = _flag(text, option)
        case "$expand":
            _expand(found, text, depth)
        case "$resultFormat" if depth == 0 and text == "dataArray":
            found.data_array = True
        case "$resultFormat":
            raise QueryNotValidError(option, "only dataArray is known, of the whole answer")
        case _:
            raise QueryNotValidError(option, "there is no such option")


def _order(text: str) -> Order:
    words = text.split()
    direction = words[-1] if words and words[-1].lower() in {"asc", "desc"} else None
    written = text.strip() if direction is None else text.strip()[: -len(direction)]
    return Order(parse_expression(written, "$orderby"), (direction or "").lower() == "desc")


def _flag(text: str, option: str) -> bool:
    if text not in _FLAGS:
        raise QueryNotValidError(option, "is true or false")
    return _FLAGS[text]


def _whole(text: str, option: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(_FARTHEST))) or int(text) > _FARTHEST:
        raise QueryNotValidError(option, f"is a whole number from 0 to {_FARTHEST}")
    return int(text)


def _expand(found: QueryOptions, text: str, depth: int) -> None:
    if depth >= _DEEPEST:
        raise QueryNotValidError("$expand", f"goes deeper than {_DEEPEST} relations")
    if depth == 0 and text.count(",") + text.count("/") + text.count("=") > _MOST_PARTS:
        raise QueryNotValidError("$expand", f"has more than {_MOST_PARTS} parts")
    parts = split_outside(text, ",", "$expand")
    if len(parts) > _MOST_EXPANSIONS:
        raise QueryNotValidError("$expand", f"asks for more than {_MOST_EXPANSIONS} relations")
    for part in parts:
        written, bracket, rest = part.strip().partition("(")
        if bracket and not rest.endswith(")"):
            raise QueryNotValidError("$expand", "something follows a bracket")
        options = [_pair(option) for option in split_outside(rest[:-1], ";", "$expand")] if rest[:-1] else []
        first, _, behind = written.partition("/")
        # `A/B(options)` is `A($expand=B(options))`.
        if behind:
            options = [("$expand", f"{behind}{bracket}{rest}")]
        _merge(found.expand, first, parse_options(options, depth + 1))


def _merge(known: dict[str, QueryOptions], name: str, options: QueryOptions) -> None:
    """`A/B,A/C` asks for both below one A."""
    if name not in known:
        known[name] = options
        return
    if set(options.given) - {"$expand"}:
        raise QueryNotValidError("$expand", f"{name} is given twice")
    for below, its in options.expand.items():
        _merge(known[name].expand, below, its)
    given = [known[name].given.get("$expand"), options.given.get("$expand")]
    known[name].given["$expand"] = ",".join(text for text in given if text)


def _pair(option: str) -> tuple[str, str]:
    name, sign, text = option.strip().partition("=")
    if not sign:
        raise QueryNotValidError("$expand", f"{name!r} has no value")
    return name, text
