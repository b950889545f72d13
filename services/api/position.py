"""Places as requests write them."""

from typing import Annotated

from pydantic import Field

Position = tuple[
    Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)],
    Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)],
]
"""Longitude and latitude in degrees (WGS 84)."""
