"""What all answers have in common."""

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """Something the service said; it does not change any more.

    Fields and words that a newer service adds are let through, so that an older client goes on working.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
