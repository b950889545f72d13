"""Parts the text of a SWMM input file into sections of lines (format: SWMM 5.2 user manual, appendix D). Pure."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

_LETTERS = 4
"""A section is told by its first letters."""


class SectionLine(NamedTuple):
    """A line without its comment: where it stands, its fields, and the error with which it refuses to be read."""

    place: str
    fields: list[str]
    refusal: type[Exception]

    def word(self, index: int, default: str | None = None) -> str:
        """A field; where the line is shorter, ``default``.

        Raises:
            refusal: the line is too short and there is no default.
        """
        if index < len(self.fields):
            return self.fields[index]
        if default is None:
            raise self.refusal(f"{self.place}: has {len(self.fields)} fields, not {index + 1}")
        return default

    def number(self, index: int, default: float | None = None) -> float:
        """A field as a number; where the line is shorter, ``default``.

        Raises:
            refusal: the field is no finite number, or the line is too short and there is no default.
        """
        if index >= len(self.fields) and default is not None:
            return default
        text = self.word(index)
        try:
            value = float(text)
        except ValueError:
            raise self.refusal(f"{self.place}: {text!r} is not a number") from None
        if not math.isfinite(value):
            raise self.refusal(f"{self.place}: {text!r} is not a finite number")
        return value


def sections_of(
    text: str, known: Sequence[str], place: Callable[[str, int], str], refusal: type[Exception]
) -> dict[str, list[SectionLine]]:
    """Lines by section, without comments; a section may come in parts, and each ``known`` one is there.

    ``place`` words where a line stands from the name of its section and its number.
    """
    found: dict[str, list[SectionLine]] = {name: [] for name in known}
    name, current = "", list[SectionLine]()
    for number, raw in enumerate(text.splitlines(), start=1):
        content = raw.partition(";")[0].strip()
        if content.startswith("["):
            asked = content[1:].partition("]")[0].upper()
            name = next((each for each in known if each[:_LETTERS] == asked[:_LETTERS]), asked)
            current = found.setdefault(name, [])
        elif content:
            current.append(SectionLine(place(name, number), content.split(), refusal))
    return found
