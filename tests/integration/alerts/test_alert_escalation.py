"""Nobody receives a warning, and more and more people hear of it: in compressed time, through the real process."""

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
from psycopg import AsyncConnection

from services.alerts import escalation
from services.core.finding import FindingState
from services.core.lifeline import Lifeline
from services.core.organisation import OrganisationRole
from services.core.report import REPORTED, Report, ReportSource
from services.core.severity import Severity
from services.core.store import reports, warning_policies, warnings
from services.core.warning import WarningMove
from services.core.warning_policy import Decision, EscalationStep, PublishingRule, WarningPolicy
from tests.integration.alerts.alert_harness import AlertProcess, ReceiverProcess, ask, at, store, tell, until
from tests.integration.alerts.channel_harness import warned

ESCALATED = "warning.escalated"


async def _put_in_force(database_url: str, policy: WarningPolicy) -> None:
    async with await AsyncConnection.connect(database_url) as connection:
        await warning_policies.add(connection, policy, author="leader", reason="compressed time", now=datetime.now(UTC))


def _escalated_to(receiver: ReceiverProcess) -> list[str]:
    return [each["path"] for each in receiver.attempts() if json.loads(each["body"])["type"] == ESCALATED]


async def test_a_warning_that_nobody_receives_is_told_step_by_step_until_somebody_has_it(
    city_url: str, alerts: AlertProcess, receiver: ReceiverProcess
) -> None:
    step = EscalationStep(after_s=2, tell=(OrganisationRole.OWNER,), repeats=1)
    above = EscalationStep(after_s=3, tell=(OrganisationRole.EMERGENCY,), repeats=8)
    await _put_in_force(city_url, WarningPolicy(escalation=(step, above)))
    await receiver.start()
    await tell(city_url, *(receiver.receiver(name) for name in ("gas-company", "emergency", "water-regulator")))
    await alerts.start()
    # Orange: the emergency bureau is usually told of red alone.
    await store(city_url, [("M-1", at(0), 30.0)])
    await until(lambda: _escalated_to(receiver)[:3] == ["/gas-company", "/emergency", "/gas-company"])
    (warning,) = ask(city_url, "select id, policy_version from warning")
    assert warning["policy_version"] == 1
    async with await AsyncConnection.connect(city_url) as connection:
        known = await warnings.find(connection, warning["id"], lock=True)
        assert known is not None
        await warnings.move(connection, known, WarningMove.RECEIVE, actor="crew", now=datetime.now(UTC))
    told = len(_escalated_to(receiver))
    await until(lambda: ask(city_url, "select from procrastinate_jobs where task_name = 'escalate'") == [])
    assert len(_escalated_to(receiver)) <= told + 1, "people were woken after somebody had received the warning"
    trail = ask(city_url, "select after from audit where action = 'warning.escalate' order by id")
    assert [row["after"]["told"] for row in trail[:3]] == [["owner"], ["emergency"], ["owner"]]


async def test_the_steps_survive_a_killed_process_and_tell_nobody_twice(
    city_url: str, alerts: AlertProcess, receiver: ReceiverProcess
) -> None:
    step = EscalationStep(after_s=4, tell=(OrganisationRole.OWNER,))
    await _put_in_force(city_url, WarningPolicy(escalation=(step,)))
    await receiver.start()
    await tell(city_url, receiver.receiver("gas-company"))
    await alerts.start()
    await store(city_url, [("M-1", at(0), 30.0)])
    await until(lambda: len(ask(city_url, "select from warning")) == 1)
    alerts.kill()
    await alerts.start()
    await until(lambda: _escalated_to(receiver) == ["/gas-company"], within_s=45)


async def test_a_policy_that_asks_for_approval_makes_a_draft_of_which_no_receiver_hears(
    city_url: str, alerts: AlertProcess, receiver: ReceiverProcess
) -> None:
    await _put_in_force(
        city_url, WarningPolicy(rules=(PublishingRule(lifeline=Lifeline.GAS, decision=Decision.APPROVED_FIRST),))
    )
    await receiver.start()
    await tell(city_url, receiver.receiver("gas-company"))
    await alerts.start()
    await store(city_url, [("M-1", at(0), 30.0)])
    await until(lambda: len(ask(city_url, "select from warning")) == 1)
    (warning,) = ask(city_url, "select state, area, published_at from warning")
    assert (warning["state"], warning["published_at"]) == ("draft", None)
    assert warning["area"]["type"] == "Polygon"
    assert ask(city_url, "select from work_order") == []
    # It gets worse: still nobody but the centre's people decides.
    await store(city_url, [("M-1", at(1), 60.0)])
    await until(lambda: ask(city_url, "select severity from warning") == [{"severity": 4}])
    assert receiver.attempts() == []


async def test_a_report_becomes_an_alert_and_its_end_clears_it(city_url: str, alerts: AlertProcess) -> None:
    await alerts.start()
    said = {
        "source": ReportSource.PATROL,
        "lifeline": Lifeline.GAS,
        "kind": REPORTED,
        "zone": "G1",
        "asset": "US-1",
        "target": "patrol/US-1",
        "severity": Severity.MODERATE,
        "time": at(0),
        "text": "smell of gas",
        "reporter": "An Yiming",
    }
    for state in (FindingState.RAISED, FindingState.CLEARED):
        async with await AsyncConnection.connect(city_url) as connection:
            report = Report(id=uuid4(), state=state, received_at=datetime.now(UTC), **said)  # type: ignore[arg-type]
            await reports.add(connection, report)
        wanted = "open" if state is FindingState.RAISED else "cleared"
        await until(lambda: [row["state"] for row in ask(city_url, "select state from alert")] == [wanted])  # noqa: B023 - asked within the round
    with psycopg.connect(city_url) as connection:
        (words,) = connection.execute("select explanation_en from alert").fetchone() or ("",)
    assert words == "A patrol reports: smell of gas"


async def test_a_clock_that_goes_back_tells_nobody_early_and_nobody_twice(city_url: str) -> None:
    step = EscalationStep(after_s=60, tell=(OrganisationRole.OWNER,), repeats=1)
    await _put_in_force(city_url, WarningPolicy(escalation=(step,)))
    _, warning = await warned(city_url)
    async with await AsyncConnection.connect(city_url) as connection:
        await connection.execute("update warning set policy_version = 1")
    told = "select after->'step' as step from audit where action = 'warning.escalate' order by id"
    for seconds in (61, -3600, 61):
        async with await AsyncConnection.connect(city_url) as connection:
            await escalation.escalate(connection, warning.id, 0, warning.created_at + timedelta(seconds=seconds))
        if seconds < 0:
            assert len(ask(city_url, told)) == 1, "somebody was told before the time had come"
    news = ask(
        city_url,
        "select distinct args->>'occasion' as step from procrastinate_jobs where args->>'type' = %s",
        ESCALATED,
    )
    assert news == [{"step": "step 1"}], "a step that is taken twice makes two messages"
