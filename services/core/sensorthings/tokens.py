"""The words that questions of OGC SensorThings 1.1 are made of, and the one error that a bad question gives."""

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

_MOST_CHARACTERS = 8000


class QueryNotValidError(ValueError):
    """A path or an option of a question cannot be understood; ``option`` names which, the text says why."""

    def __init__(self, option: str, reason: str) -> None:
        super().__init__(reason)
        self.option = option


class TokenKind(StrEnum):
    """What a token is."""

    TEXT = "text"
    MOMENT = "moment"
    NUMBER = "number"
    WORD = "word"
    MARK = "mark"


@dataclass(frozen=True, slots=True)
class Token:
    """One token; ``text`` is what stands there, without quotes where it is a text."""

    kind: TokenKind
    text: str
    position: int


_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<text>'(?:[^']|'')*')
    |(?P<moment>\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?)
    |(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    |(?P<word>[A-Za-z_@][\w.@-]*(?:/[A-Za-z_@][\w.@-]*)*)
    |(?P<mark>[(),])""",
    re.VERBOSE | re.ASCII,
)


def tokens_of(text: str, option: str) -> list[Token]:
    """The tokens of an option's text.

    Raises:
        QueryNotValidError: something stands there that is no token.
    """
    if len(text) > _MOST_CHARACTERS:
        raise QueryNotValidError(option, f"longer than {_MOST_CHARACTERS} characters")
    found: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise QueryNotValidError(option, f"nothing is known that begins with {text[position]!r} at {position + 1}")
        if match.lastgroup != "space":
            kind = TokenKind(match.lastgroup)
            word = match.group()
            found.append(Token(kind, unquoted(word) if kind is TokenKind.TEXT else word, position + 1))
        position = match.end()
    return found


def unquoted(text: str) -> str:
    """The content of a quoted text, in which a quote is written twice."""
    return text[1:-1].replace("''", "'")


def address_part(name: str, identifier: str) -> str:
    """``Things('a')`` as it stands in an address."""
    written = identifier.replace("'", "''")
    return f"{name}('{quote(written, safe='')}')"


def split_outside(text: str, separator: str, option: str) -> list[str]:
    """Parts between the separators that stand outside quotes and brackets.

    Raises:
        QueryNotValidError: a quote or a bracket is not closed.
    """
    parts = [""]
    depth, is_quoted = 0, False
    for character in text:
        is_quoted ^= character == "'"
        if not is_quoted:
            depth += (character == "(") - (character == ")")
        if depth < 0:
            break
        if character == separator and depth == 0 and not is_quoted:
            parts.append("")
        else:
            parts[-1] += character
    if depth != 0 or is_quoted:
        raise QueryNotValidError(option, "a quote or a bracket has no other end")
    return parts
