"""Who publishes, and who hears of a warning that nobody has received."""

from datetime import timedelta

from services.core.alert_kind import AlertKind
from services.core.lifeline import Lifeline
from services.core.organisation import OrganisationRole
from services.core.severity import Scheme, Severity
from services.core.text import Text
from services.core.warning_policy import (
    DEFAULT_POLICY,
    Decision,
    EscalationStep,
    PublishingRule,
    WarningPolicy,
    tellings,
)

KIND = AlertKind(
    lifeline=Lifeline.DRAINAGE,
    kind="waterlogging",
    label=Text("", ""),
    instruction=Text("", ""),
    scheme=Scheme.EMERGENCY,
    sensor_fault=False,
    publishes_from=Severity.MAJOR,
)


def test_without_a_rule_the_kind_of_alert_decides() -> None:
    policy = WarningPolicy()
    assert policy.decision(KIND, "D1", Severity.MAJOR) is Decision.RULE
    assert policy.decision(KIND, "D1", Severity.MODERATE) is Decision.PERSON


def test_the_first_rule_that_fits_decides() -> None:
    policy = WarningPolicy(
        rules=(
            PublishingRule(lifeline=Lifeline.GAS, decision=Decision.RULE_THEN_APPROVED),
            PublishingRule(zone="D2", decision=Decision.RULE),
            PublishingRule(lifeline=Lifeline.DRAINAGE, severity_from=4, decision=Decision.APPROVED_FIRST),
        )
    )
    assert policy.decision(KIND, "D2", Severity.CRITICAL) is Decision.RULE
    assert policy.decision(KIND, "D1", Severity.CRITICAL) is Decision.APPROVED_FIRST
    assert policy.decision(KIND, "D1", Severity.MAJOR) is Decision.RULE, "a rule for red decided about orange"


def test_tellings_come_in_order_of_time_and_a_mild_warning_wakes_fewer_people() -> None:
    steps = (
        EscalationStep(after_s=600, tell=(OrganisationRole.EMERGENCY,), severity_from=4),
        EscalationStep(after_s=300, tell=(OrganisationRole.OWNER,), repeats=2),
    )
    mild = tellings(steps, Severity.MINOR)
    assert [when for when, _ in mild] == [timedelta(minutes=minutes) for minutes in (5, 10, 15)]
    worst = tellings(steps, Severity.CRITICAL)
    assert [(when.total_seconds(), step.tell[0]) for when, step in worst] == [
        (300, OrganisationRole.OWNER),
        (600, OrganisationRole.EMERGENCY),
        (600, OrganisationRole.OWNER),
        (900, OrganisationRole.OWNER),
    ]


def test_by_default_nobody_is_told_twice_within_five_minutes() -> None:
    for severity in (Severity.MINOR, Severity.CRITICAL):
        assert tellings(DEFAULT_POLICY.escalation, severity)[0][0] >= timedelta(minutes=5)
