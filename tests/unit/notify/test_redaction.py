"""Secrets are taken out of what is kept, in whatever form they come back."""

import base64
import json
from urllib.parse import quote, quote_plus

import pytest

from services.alerts.notify.redaction import redacted

SECRET = 'a b/"c"+ü'


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        json.dumps(SECRET)[1:-1],
        base64.b64encode(SECRET.encode()).decode(),
    ],
)
def test_a_secret_is_found_in_every_form(form: str) -> None:
    assert redacted(f"before {form} after", [SECRET]) == "before … after"


def test_the_longer_of_two_secrets_goes_first() -> None:
    assert redacted("token-and-more", ["token", "token-and-more"]) == "…"


def test_a_text_without_secrets_stays() -> None:
    assert redacted("nothing here", ["token", ""]) == "nothing here"
