"""A bridge's grade follows its worst trouble, and silence is never called sound."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from services.core.health_evaluation import BridgeFacts, HealthGrade, StandingAlert, evaluate
from services.core.severity import Severity
from services.core.text import Text

_AT = datetime(2026, 1, 14, 22, tzinfo=UTC)


def _standing(severity: Severity, *, sensor_fault: bool = False) -> StandingAlert:
    label = Text("Support settles", "支座沉降")
    return StandingAlert(UUID(int=int(severity)), "bridge-settlement", label, severity, sensor_fault, "E2", _AT)


def _facts(*standing: StandingAlert, heard: int = 20, overloads: int = 0) -> BridgeFacts:
    return BridgeFacts("B1", 20, heard, standing, overloads)


@pytest.mark.parametrize(
    ("facts", "grade"),
    [
        (_facts(), HealthGrade.SOUND),
        (_facts(overloads=1), HealthGrade.ATTENTION),
        (_facts(_standing(Severity.MINOR, sensor_fault=True)), HealthGrade.ATTENTION),
        (_facts(heard=15), HealthGrade.ATTENTION),
        (_facts(heard=9), HealthGrade.UNKNOWN),
        (_facts(_standing(Severity.MODERATE)), HealthGrade.ATTENTION),
        (_facts(_standing(Severity.MODERATE), _standing(Severity.MAJOR)), HealthGrade.IMPAIRED),
        (_facts(_standing(Severity.CRITICAL), heard=0), HealthGrade.CRITICAL),
    ],
)
def test_the_grade(facts: BridgeFacts, grade: HealthGrade) -> None:
    assert evaluate(facts, _AT).grade is grade


def test_closure_is_proposed_for_the_highest_level_of_the_structure_alone() -> None:
    assert evaluate(_facts(_standing(Severity.CRITICAL)), _AT).proposes_closure
    assert not evaluate(_facts(_standing(Severity.CRITICAL, sensor_fault=True)), _AT).proposes_closure
    assert not evaluate(_facts(_standing(Severity.MAJOR)), _AT).proposes_closure


def test_reasons_are_told_worst_first_in_both_languages() -> None:
    facts = _facts(_standing(Severity.MODERATE), _standing(Severity.MAJOR), heard=19, overloads=2)
    told = evaluate(facts, _AT)
    assert told.alerts == (UUID(int=int(Severity.MAJOR)), UUID(int=int(Severity.MODERATE)))
    assert [reason.en.split()[0] for reason in told.reasons] == ["Support", "Support", "2", "19"]
    assert all(reason.zh for reason in told.reasons)
