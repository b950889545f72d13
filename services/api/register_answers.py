"""What the API answers about an import of the city's register."""

from typing import Any

from pydantic import Field

from services.api.schemas import Answer
from services.core.store.register_import import RegisterImport
from services.core.store.register_preview import RegisterChange

MOST_CHANGES = 500


class RegisterPartAnswer(Answer):
    """How many rows of one part of the register come, change, and stay."""

    part: str = Field(description="`organisation`, `person`, `zone`, `asset`, `link`, `sensor`, `low_point`, …")
    added: int
    changed: int
    unchanged: int


class RegisterFieldAnswer(Answer):
    """A field that becomes another one; members of `properties` stand by themselves."""

    field: str
    before: Any = Field(description="null for what is new")
    after: Any


class RegisterChangeAnswer(Answer):
    """A row that comes or becomes another one."""

    part: str
    name: str
    is_new: bool
    fields: list[RegisterFieldAnswer]


class RegisterImportAnswer(Answer):
    """What an import would change, or has changed. It takes nothing away."""

    fingerprint: str = Field(description="names this file and these changes; `If-Match` of the import")
    parts: list[RegisterPartAnswer]
    changes: list[RegisterChangeAnswer] = Field(description=f"at most {MOST_CHANGES}")
    more: int = Field(description="changes that are not listed")
    ignored: list[str] = Field(description="files of the zip that no city folder knows; nobody has read them")


def import_answer(found: RegisterImport, ignored: list[str]) -> RegisterImportAnswer:
    """An import in the API's words."""
    preview = found.preview
    return RegisterImportAnswer(
        fingerprint=found.fingerprint,
        parts=[
            RegisterPartAnswer(
                part=part,
                added=preview.added(part),
                changed=preview.changed(part),
                unchanged=preview.unchanged(part),
            )
            for part in preview.registered
        ],
        changes=[_change(change) for change in preview.changes[:MOST_CHANGES]],
        more=max(0, len(preview.changes) - MOST_CHANGES),
        ignored=ignored,
    )


def _change(change: RegisterChange) -> RegisterChangeAnswer:
    fields = [RegisterFieldAnswer(field=field, before=old, after=new) for field, old, new in change.fields()]
    return RegisterChangeAnswer(part=change.part, name=change.name, is_new=change.before is None, fields=fields)
