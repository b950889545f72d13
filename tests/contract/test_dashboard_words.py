"""Every word that the service answers with is written out on the pages, in English and in Chinese."""

import json
import re
from enum import StrEnum
from pathlib import Path

import pytest

from services.core.inhibition import Reach
from services.core.organisation import OrganisationRole
from services.core.permission import Permission
from services.core.reading import QualityReason
from services.core.rejection import RejectionReason
from services.core.role import Role
from services.core.root_cause import RootCause
from services.core.suppression import SuppressionKind
from services.core.warning_policy import Decision

WORDS = Path(__file__).parents[2] / "services/api/dashboard/src/words"
PAIR = re.compile(r'^  "([^"]+)": \[\s*("(?:[^"\\]|\\.)*"),\s*("(?:[^"\\]|\\.)*"),?\s*\]', re.MULTILINE)
SAID: dict[str, type[StrEnum]] = {
    "reach": Reach,
    "organisation": OrganisationRole,
    "permission": Permission,
    "quality-reason": QualityReason,
    "reason": RejectionReason,
    "role": Role,
    "cause": RootCause,
    "quiet": SuppressionKind,
    "decision": Decision,
}
"""What words on the pages begin with, and what follows."""


def written() -> dict[str, tuple[str, str]]:
    """Words in both languages, by name."""
    texts = [path.read_text("utf-8") for path in sorted(WORDS.glob("*.ts"))]
    return {name: (english, chinese) for text in texts for name, english, chinese in PAIR.findall(text)}


@pytest.mark.parametrize("part", SAID)
def test_what_the_service_says_has_words(part: str) -> None:
    words = written()
    assert [each.value for each in SAID[part] if f"{part}.{each.value}" not in words] == []


def test_what_the_register_knows_of_the_demo_city_has_words(city_folder: Path) -> None:
    words = written()
    features = json.loads((city_folder / "assets.geojson").read_text("utf-8"))["features"]
    known = {"id", "lifeline", "kind", "zone", "name_en", "name_zh", "organisation"}
    facts = {
        name for each in features for name, value in each["properties"].items() if not isinstance(value, list | dict)
    }
    assert [name for name in sorted(facts - known) if f"fact.{name}" not in words] == []


def test_words_are_there_in_both_languages() -> None:
    words = written()
    assert len(words) > 900
    assert [name for name, (english, chinese) in words.items() if english == '""' or chinese == '""'] == []
