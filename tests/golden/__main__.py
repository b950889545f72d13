"""``python -m tests.golden``: write anew what tests compare with; look at the difference before committing it."""

from tests.golden import client_answers
from tests.unit.api.test_openapi import GOLDEN, described

GOLDEN.write_text(described(), "utf-8")
client_answers.ANSWERS.write_text(client_answers.written(), "utf-8")
print(f"wrote {GOLDEN} and {client_answers.ANSWERS}")  # noqa: T201 - this is a command
