"""What stands behind ``$filter`` and ``$orderby``: a tree of operations over paths and values.

The grammar is that of OData 4.0 as OGC 18-088 (SensorThings 1.1), section 9.3.3.5, takes it over.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from services.core.sensorthings.tokens import QueryNotValidError, Token, TokenKind, tokens_of

_DEEPEST = 40
COMPARISONS = frozenset({"eq", "ne", "gt", "ge", "lt", "le"})
SUMS = frozenset({"add", "sub"})
PRODUCTS = frozenset({"mul", "div", "mod"})
_CONSTANTS = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that stands in the question."""

    value: str | float | bool | datetime | None


@dataclass(frozen=True, slots=True)
class Path:
    """A property, perhaps of a related entity or within a property."""

    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function of its arguments."""

    name: str
    arguments: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class Binary:
    """Two things joined by ``and``, ``or``, a comparison or an arithmetic operator."""

    operator: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class Not:
    """The contrary."""

    of: "Expression"


Expression = Literal | Path | Call | Binary | Not


def parse_expression(text: str, option: str = "$filter") -> Expression:
    """The tree of an expression.

    Raises:
        QueryNotValidError: the text is none.
    """
    reader = _Reader(tokens_of(text, option), option)
    found = reader.either()
    if reader.next is not None:
        raise reader.unexpected("the end")
    return found


def moment_of(text: str, option: str) -> datetime:
    """A moment as ISO 8601 has it; without a zone it is UTC.

    Raises:
        QueryNotValidError: there is no such moment.
    """
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise QueryNotValidError(option, f"there is no moment {text}") from None


class _Reader:
    """Takes tokens from left to right, a method a level of the grammar."""

    def __init__(self, tokens: Sequence[Token], option: str) -> None:
        self._tokens = tokens
        self._option = option
        self._at = 0
        self._depth = 0

    @property
    def next(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def unexpected(self, wanted: str) -> QueryNotValidError:
        """The error that something else was to come."""
        found = "the text ends" if self.next is None else f"{self.next.text!r} at {self.next.position}"
        return QueryNotValidError(self._option, f"expected {wanted}, but found {found}")

    def either(self) -> Expression:
        return self._joined(self._both, frozenset({"or"}))

    def _both(self) -> Expression:
        return self._joined(self._contrary, frozenset({"and"}))

    def _contrary(self) -> Expression:
        count = 0
        while self._take_word(frozenset({"not"})):
            count += 1
        found = self._comparison()
        return Not(found) if count % 2 else found

    def _comparison(self) -> Expression:
        left = self._sum()
        operator = self._take_word(COMPARISONS)
        return Binary(operator, left, self._sum()) if operator else left

    def _sum(self) -> Expression:
        return self._joined(self._product, SUMS)

    def _product(self) -> Expression:
        return self._joined(self._one, PRODUCTS)

    def _joined(self, part: Callable[[], Expression], operators: frozenset[str]) -> Expression:
        found = part()
        joined = 0
        while operator := self._take_word(operators):
            found = Binary(operator, found, part())
            joined += 1
            # Each of them stands one level deeper in the tree that is walked later.
            if joined > _DEEPEST * 5:
                raise QueryNotValidError(self._option, f"joins more than {_DEEPEST * 5} parts")
        return found

    def _one(self) -> Expression:  # noqa: PLR0911 - one for each kind of token
        token = self.next
        if token is None:
            raise self.unexpected("a value")
        self._at += 1
        match token.kind:
            case TokenKind.TEXT:
                return Literal(token.text)
            case TokenKind.NUMBER:
                return Literal(self._number(token))
            case TokenKind.MOMENT:
                return Literal(moment_of(token.text, self._option))
            case TokenKind.WORD if token.text in _CONSTANTS:
                return Literal(_CONSTANTS[token.text])
            case TokenKind.WORD if self._take_mark("("):
                return Call(token.text, self._arguments())
            case TokenKind.WORD:
                return Path(tuple(token.text.split("/")))
            case _ if token.text == "(":
                return self._within()
        self._at -= 1
        raise self.unexpected("a value")

    def _number(self, token: Token) -> float:
        number = float(token.text)
        if not math.isfinite(number):
            raise QueryNotValidError(self._option, f"{token.text} is too large")
        return number

    def _within(self) -> Expression:
        self._deeper()
        found = self.either()
        if not self._take_mark(")"):
            raise self.unexpected("')'")
        self._depth -= 1
        return found

    def _arguments(self) -> tuple[Expression, ...]:
        if self._take_mark(")"):
            return ()
        self._deeper()
        found = [self.either()]
        while self._take_mark(","):
            found.append(self.either())
        if not self._take_mark(")"):
            raise self.unexpected("',' or ')'")
        self._depth -= 1
        return tuple(found)

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise QueryNotValidError(self._option, f"has more than {_DEEPEST} brackets within one another")

    def _take_word(self, wanted: frozenset[str]) -> str | None:
        token = self.next
        if token is None or token.kind is not TokenKind.WORD or token.text not in wanted:
            return None
        self._at += 1
        return token.text

    def _take_mark(self, wanted: str) -> bool:
        token = self.next
        if token is None or token.kind is not TokenKind.MARK or token.text != wanted:
            return False
        self._at += 1
        return True
