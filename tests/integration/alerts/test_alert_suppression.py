"""Kept quiet with a reason, and told when the reason ends: through the real alert process."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from psycopg import AsyncConnection

from services.core.severity import Severity
from services.core.silence import Matcher, Silence, SilenceKind
from services.core.store import silences
from tests.integration.alerts.alert_harness import AlertProcess, ask, at, store, until


async def _silence(database_url: str, mutes_to: Severity = Severity.MAJOR, **length: float) -> Silence:
    now = datetime.now(UTC)
    silence = Silence(
        id=uuid4(),
        kind=SilenceKind.SILENCE,
        matcher=Matcher(zone="G1"),
        starts_at=now,
        ends_at=now + timedelta(**length),
        recurrence=None,
        mutes_to=mutes_to,
        records=True,
        reason="smoke test of the gas company",
        author="duty officer",
        created_at=now,
    )
    async with await AsyncConnection.connect(database_url) as connection:
        await silences.add(connection, silence)
    return silence


def _alert(database_url: str) -> dict[str, object]:
    """The newest alert of methane, nothing before there is one."""
    of_methane = "from alert where kind = 'methane-high' order by detected_at desc limit 1"
    rows = ask(database_url, f"select state, suppression, reopened {of_methane}")
    return rows[0] if rows else {"state": None, "suppression": None, "reopened": None}


async def test_a_silenced_alert_is_kept_with_its_reason_and_told_when_the_silence_is_over(
    city_url: str, alerts: AlertProcess
) -> None:
    await alerts.start()
    silence = await _silence(city_url, seconds=6)
    await store(city_url, [("M-1", at(0), 30.0)])
    await until(lambda: len(ask(city_url, "select from alert")) == 1)
    suppression = _alert(city_url)["suppression"]
    assert isinstance(suppression, dict)
    assert suppression["source"] == str(silence.id)
    assert "smoke test" in suppression["reason"]["en"]
    assert ask(city_url, "select from warning") == [], "a silenced alert was published"
    # Nothing new is measured: the end of the silence alone makes it known.
    await until(lambda: len(ask(city_url, "select from warning")) == 1, within_s=20)
    assert _alert(city_url)["suppression"] is None
    trail = ask(city_url, "select action from audit where subject_kind = 'alert' order by id")
    assert [row["action"] for row in trail] == ["alert.open", "alert.tell"]


async def test_what_is_worse_than_a_silence_may_mute_is_told_at_once(city_url: str, alerts: AlertProcess) -> None:
    await alerts.start()
    await _silence(city_url, hours=1)
    await store(city_url, [("M-1", at(0), 30.0)])
    await until(lambda: len(ask(city_url, "select from alert")) == 1)
    assert ask(city_url, "select from warning") == []
    await store(city_url, [("M-1", at(1), 60.0)])
    await until(lambda: [row["severity"] for row in ask(city_url, "select severity from warning")] == [4])
    assert _alert(city_url)["suppression"] is None


async def test_a_silence_that_begins_later_marks_what_stands_and_its_end_by_hand_tells_it(
    city_url: str, alerts: AlertProcess
) -> None:
    await alerts.start()
    # Below the level from which a rule publishes, so that nothing but the mark shows.
    await store(city_url, [("M-1", at(minute), 12.0) for minute in range(4)])
    await until(lambda: len(ask(city_url, "select from alert")) == 1)
    assert _alert(city_url)["suppression"] is None
    silence = await _silence(city_url, hours=1)
    await until(lambda: _alert(city_url)["suppression"] is not None)
    async with await AsyncConnection.connect(city_url) as connection:
        await silences.end(connection, silence, actor="duty officer", now=datetime.now(UTC))
    await until(lambda: _alert(city_url)["suppression"] is None)


async def test_an_episode_that_comes_back_soon_is_the_same_alert_and_later_another(
    city_url: str, alerts: AlertProcess
) -> None:
    await alerts.start()
    calm = [("M-1", at(minute), 1.0) for minute in range(1, 14)]
    await store(city_url, [("M-1", at(0), 30.0), *calm])
    await until(lambda: _alert(city_url)["state"] == "cleared")
    await store(city_url, [("M-1", at(14), 30.0)])
    await until(lambda: _alert(city_url)["state"] == "open")
    assert _alert(city_url)["reopened"] == 1
    assert len(ask(city_url, "select from warning")) == 1, "the warning still in force was published again"
    await store(city_url, [("M-1", at(minute), 1.0) for minute in range(15, 60)])
    await until(lambda: _alert(city_url)["state"] == "cleared")
    await store(city_url, [("M-1", at(60), 30.0)])
    await until(lambda: len(ask(city_url, "select from alert where kind = 'methane-high'")) == 2)
