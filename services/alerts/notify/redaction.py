"""Taking secrets out of what is kept, for a receiver may repeat what it was sent."""

import base64
import json
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

_SHORTEST = 4


def redacted(text: str, hidden: Iterable[str]) -> str:
    """A text without the hidden strings, however an address, a form, JSON or base64 would write them."""
    forms = {form for secret in hidden if len(secret) >= _SHORTEST for form in _forms(secret)}
    # The longest first: one secret may be a part of another.
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, "…")
    return text


def _forms(secret: str) -> set[str]:
    encoded = base64.b64encode(secret.encode()).decode()
    return {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], encoded}
