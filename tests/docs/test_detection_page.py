"""The page about detection tells every kind of trouble that an alert can be of, in both languages."""

import pytest

from services.alerts.lifelines import alert_kinds
from services.core.alert_kind import AlertKind
from services.core.text import Text
from tests.docs.published import ROOT

PAGES = {"en": "detection.md", "zh": "detection.zh-CN.md"}
KINDS = {kind.kind: kind for kind in alert_kinds()}


def page(language: str) -> str:
    return (ROOT / "docs" / PAGES[language]).read_text(encoding="utf-8")


def label(text: Text, language: str) -> str:
    return text.en if language == "en" else text.zh


@pytest.mark.parametrize("language", PAGES)
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_kind_of_trouble_is_explained_under_the_name_people_see(kind: AlertKind, language: str) -> None:
    told = [line for line in page(language).splitlines() if f"`{kind.kind}`" in line]
    assert told, f"{PAGES[language]} does not explain {kind.kind}"
    name = label(kind.label, language)
    both_names = {"pressure-low": "Water pressure low, high", "pressure-high": "Water pressure low, high"}
    wanted = both_names.get(kind.kind, name) if language == "en" else name
    assert any(wanted in line for line in told), f"{PAGES[language]} does not call {kind.kind} “{wanted}”"


@pytest.mark.parametrize("language", PAGES)
def test_nothing_is_explained_that_no_rule_tells(language: str) -> None:
    marked = {
        part for line in page(language).splitlines() if line.startswith(("### `", "| `")) for part in _kinds(line)
    }
    assert sorted(marked - set(KINDS)) == []


def _kinds(line: str) -> list[str]:
    """What stands between backticks before the name of a heading or in the first cell of a row."""
    first = line.removeprefix("| ").split(" |")[0]
    return [part for number, part in enumerate(first.split("`")) if number % 2]
