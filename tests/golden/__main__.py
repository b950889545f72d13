"""``python -m tests.golden``: write anew what tests compare with; look at the difference before committing it."""

from tests.unit.api.test_openapi import GOLDEN, described

GOLDEN.write_text(described(), "utf-8")
print(f"wrote {GOLDEN}")  # noqa: T201 - this is a command
