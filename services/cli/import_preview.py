"""What an import would change, for a person at a terminal."""

import json
from collections.abc import Iterator
from typing import Any

from services.cli.terminal import printable, table
from services.core.store.register_preview import RegisterChange, RegisterPreview

_SHOWN = 200
_WIDEST = 60


def told(preview: RegisterPreview) -> Iterator[str]:
    """A table of the parts, then each change on a line of its own."""
    rows = [
        (part, str(preview.added(part)), str(preview.changed(part)), str(preview.unchanged(part)))
        for part in preview.registered
    ]
    yield table(("", "added", "changed", "as they are"), rows)
    for change in preview.changes[:_SHOWN]:
        yield printable(_line(change))
    if len(preview.changes) > _SHOWN:
        yield f"and {len(preview.changes) - _SHOWN} more"
    yield "nothing has been changed" if preview.changes else "the register is as the folder has it"


def _line(change: RegisterChange) -> str:
    if change.before is None:
        return f"+ {change.part} {change.name}"
    fields = ", ".join(f"{field} {_short(old)} → {_short(new)}" for field, old, new in change.fields())
    return f"~ {change.part} {change.name}: {fields}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDEST else f"{text[:_WIDEST]}…"
