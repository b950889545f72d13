"""Moments as requests write them."""

import re
from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def _written_out(value: object) -> object:
    if isinstance(value, datetime) or (isinstance(value, str) and _RFC_3339.fullmatch(value)):
        return value
    # A number would be read as seconds since 1970, and a date as its midnight: neither is what was described.
    raise ValueError("must be a date and time with its offset (RFC 3339), like 2026-07-14T06:00:00Z")


Moment = Annotated[AwareDatetime, BeforeValidator(_written_out)]
"""A date and time with its offset, written out as RFC 3339 has it."""
