"""What the API answers about cases."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from services.api.schemas import Answer, TextAnswer
from services.core.alert import Verdict
from services.core.case import SimilarCase
from services.core.lifeline import Lifeline
from services.core.root_cause import RootCause


class CaseAnswer(Answer):
    """A trouble that people have judged or closed."""

    alert: UUID
    likeness: float = Field(description="the share of what was sought that the case has, 0 to 1")
    lifeline: Lifeline
    kind: str
    zone: str
    asset: str
    asset_name: TextAnswer
    severity: int
    started_at: datetime
    ended_at: datetime | None
    verdict: Verdict | None
    root_cause: RootCause | None
    explanation: TextAnswer
    told: str = Field(description="what people wrote: the verdict's reason, remarks, what the crew found and did")


def answer_of(similar: SimilarCase) -> CaseAnswer:
    """A case that was found, as the API tells it."""
    case = similar.case
    fields = {name: getattr(case, name) for name in CaseAnswer.model_fields if name != "likeness"}
    return CaseAnswer.model_validate(fields | {"likeness": round(similar.likeness, 4)})
