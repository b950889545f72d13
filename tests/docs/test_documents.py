"""What is written for users says what the code does."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from services.core.rejection import RejectionReason
from services.core.settings import Settings
from services.doctor import list_settings
from tests.docs.published import ROOT, documents

MARKDOWN = sorted(
    path
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/**/README.md")]
    if not {"node_modules", ".venv"} & set(path.parts)
)


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_published_schema_equals_the_code(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == documents()[path], "run `make golden` and look at the difference"


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_wire_page_names_every_rejection_reason(page: str) -> None:
    text = (ROOT / "docs" / "wire" / page).read_text(encoding="utf-8")
    missing = [reason.value for reason in RejectionReason if f"`{reason.value}`" not in text]
    assert not missing


def test_every_setting_is_explained() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_listing_settings_never_shows_a_secret() -> None:
    settings = Settings(database_url=SecretStr("postgresql://user:hunter2@127.0.0.1/x"), api_key=SecretStr("lk_secret"))
    listed = list_settings(settings)
    assert "hunter2" not in listed
    assert "lk_secret" not in listed
    assert "LIFELINE_DATABASE_URL" in listed


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8"))
    broken = [target for target in targets if "://" not in target and not (path.parent / target.split("#")[0]).exists()]
    assert not broken, f"{path.name} links to {broken}"
