"""Elements of HTML and SVG as text, with everything in them escaped."""

from html import escape

from services.core.text import Text


class Markup(str):
    """Text that is markup already and is not escaped again."""

    __slots__ = ()


def element(name: str, *content: str, **attributes: object) -> Markup:
    """An element; attributes are named like in Python: ``class_``, ``stroke_width``."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_short(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inside = "".join(part if isinstance(part, Markup) else escape(part) for part in content)
    return Markup(f"<{name}{given}>{inside}</{name}>")


def both(text: Text) -> Markup:
    """The same words in both languages, one after the other."""
    return element("span", element("span", text.en, lang="en"), " ", element("span", text.zh, lang="zh-CN"))


def table(heads: list[Markup], rows: list[list[str]], class_: str | None = None) -> Markup:
    """A table with a head that is repeated on every printed page."""
    head = element("thead", element("tr", *(element("th", each) for each in heads)))
    lines = (element("tr", *(element("td", cell) for cell in row)) for row in rows)
    return element("table", head, element("tbody", *lines), class_=class_)


def _short(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
